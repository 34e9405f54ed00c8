"""Re-rankers (paper, Sec. 4.1) change the order of a user's candidates, never a model; plain torch, no RecBole.

A file here defines one of them with the decorator :func:`~recbole_decrs.rerank.registry.reranker`, and is found by
itself. What a re-ranker takes, returns and promises stands at
:meth:`~recbole_decrs.rerank.registry.RegisteredReranker.__call__`.
"""

import importlib
import pkgutil

from recbole_decrs.rerank.registry import RERANKERS, RegisteredReranker, reranker

__all__ = ["RERANKERS", "RERANKERS_OF_THE_PACKAGE", "RegisteredReranker", "reranker"]

for _file in pkgutil.iter_modules(__path__, f"{__name__}."):
    importlib.import_module(_file.name)

RERANKERS_OF_THE_PACKAGE = tuple(RERANKERS)
"""The names of the re-rankers that are files here; one's own come after them."""
