"""Which models there are, the plugin's and RecBole's, by name."""

from __future__ import annotations

import importlib
from pathlib import Path

import recbole

from recbole_decrs.errors import DecRSError, did_you_mean

FAMILIES = (
    "general_recommender",
    "context_aware_recommender",
    "sequential_recommender",
    "knowledge_aware_recommender",
)
TREES = "exlib_recommender"


def find_model(name: str) -> type:
    """The model class of that name: the plugin's own, else RecBole's.

    Raises:
        DecRSError: there is none, with near matches; it is a decision tree; or its library is not installed.
    """
    own = _own_models()
    if name in own:
        return own[name]
    if name.lower() in _modules(TREES):
        raise DecRSError(f"{name} is a decision-tree model, which this command does not run; take another kind")
    for family in FAMILIES:
        if name.lower() in _modules(family):
            try:
                module = importlib.import_module(f"recbole.model.{family}.{name.lower()}")
            except ImportError as error:
                raise DecRSError(f"{name} needs {error.name}, which is not installed; install it") from error
            if hasattr(module, name):
                return getattr(module, name)
    raise DecRSError(f"there is no model named {name}{did_you_mean(name, _all_names())}")


def _own_models() -> dict[str, type]:
    from recbole_decrs.model import FM, NFM, DecFM, DecNFM

    return {model.__name__: model for model in (DecFM, DecNFM, FM, NFM)}


def _modules(family: str) -> list[str]:
    """Module names, by their files: importing the package of decision trees needs their libraries."""
    folder = Path(recbole.__file__).parent / "model" / family
    return [file.stem for file in folder.glob("*.py") if file.stem != "__init__"]


def _all_names() -> list[str]:
    """Names of all models, found by importing them all: for error messages only."""
    names = list(_own_models())
    for family in FAMILIES:
        for module_name in _modules(family):
            try:
                module = importlib.import_module(f"recbole.model.{family}.{module_name}")
            except ImportError:
                continue
            names += [name for name in vars(module) if name.lower() == module_name]
    return names
