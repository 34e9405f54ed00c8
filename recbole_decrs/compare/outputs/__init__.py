"""Makes the tables and figures of a comparison, a file each: its numbers, and how they are written or drawn.

Each file enters its outputs by :func:`register_output`, and is found by itself.
"""

from __future__ import annotations

import importlib
import pkgutil

from recbole_decrs.compare.outputs.output import OUTPUTS, Output, register_output

for _module in pkgutil.iter_modules(__path__, f"{__name__}."):
    importlib.import_module(_module.name)

__all__ = ["OUTPUTS", "Output", "register_output"]
