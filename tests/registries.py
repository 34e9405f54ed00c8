"""The registries that code outside the package may add to."""

import copy
from contextlib import contextmanager

from recbole.evaluator.register import metric_information, metric_types, metrics_dict, smaller_metrics

from recbole_decrs.compare import METHODS, OUTPUTS
from recbole_decrs.evaluator.registry import METRICS
from recbole_decrs.model.registry import MODELS
from recbole_decrs.rerank import RERANKERS

OF_RECBOLE = (metrics_dict, metric_information, metric_types, smaller_metrics)
REGISTRIES = (RERANKERS, METRICS, MODELS, METHODS, OUTPUTS, *OF_RECBOLE)


@contextmanager
def registries_as_before():
    """Take out again whatever is entered in the registries."""
    before = [copy.copy(registry) for registry in REGISTRIES]
    try:
        yield
    finally:
        for registry, content in zip(REGISTRIES, before, strict=True):
            registry.clear()
            registry.extend(content) if isinstance(registry, list) else registry.update(content)
