"""Makes DecRS (Wang et al., KDD 2021) a RecBole plugin: deconfounded recommendation against bias amplification.

The names below are loaded on first use, so that ``import recbole_decrs.causal`` needs neither RecBole nor its time.
"""

from __future__ import annotations

import importlib

__version__ = "0.1.0"

_HOME = {
    "DecFM": "recbole_decrs.model",
    "DecNFM": "recbole_decrs.model",
    "FM": "recbole_decrs.model",
    "NFM": "recbole_decrs.model",
    "FusedRecommender": "recbole_decrs.model",
    "BackdoorOperator": "recbole_decrs.causal",
    "Confounder": "recbole_decrs.causal",
    "DecRSConfig": "recbole_decrs.config",
    "DecRSError": "recbole_decrs.errors",
    "run_recbole_decrs": "recbole_decrs.quick_start",
    "import_data": "recbole_decrs.importing",
    "run_comparison": "recbole_decrs.compare",
    "objective_function": "recbole_decrs.quick_start",
    "measure_jensen_gap": "recbole_decrs.jensen",
    "measure_mechanism": "recbole_decrs.mechanism",
    "deconfound": "recbole_decrs.model.deconfound",
    "register_model": "recbole_decrs.model.registry",
    "load_data_and_model": "recbole_decrs.saved_model",
    "recommend": "recbole_decrs.serving",
    "inner_product_vectors": "recbole_decrs.model.vectors",
}

__all__ = ["__version__", *_HOME]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'recbole_decrs' has no attribute {name!r}")
    try:
        return getattr(importlib.import_module(_HOME[name]), name)
    except ModuleNotFoundError as error:
        from recbole_decrs.errors import how_to_install

        raise ModuleNotFoundError(how_to_install(error.name), name=error.name) from error


def __dir__() -> list[str]:
    return sorted(__all__)
