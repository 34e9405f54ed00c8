"""Which models there are, the plugin's and RecBole's, by name."""

from __future__ import annotations

import importlib
from pathlib import Path

import recbole

from recbole_decrs.errors import DecRSError, did_you_mean
from recbole_decrs.model.deconfound import NOT_DECONFOUNDED, NOT_RECBOLES, deconfound
from recbole_decrs.model.pairwise import with_full_sort

GENERAL, CONTEXT_AWARE = "general_recommender", "context_aware_recommender"
SEQUENTIAL, KNOWLEDGE = "sequential_recommender", "knowledge_aware_recommender"
FAMILIES = (GENERAL, CONTEXT_AWARE, SEQUENTIAL, KNOWLEDGE)
TREES = "exlib_recommender"
KINDS = {
    KNOWLEDGE: "a knowledge-based model",
    TREES: "a decision-tree model",
}


def __getattr__(name: str) -> type:
    """Any model as an attribute: classes that are made when asked for have no other home."""
    if name[:1].isupper():
        try:
            return find_model(name)
        except DecRSError:
            pass
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def find_model(name: str) -> type:
    """The model class of that name: the plugin's own, or one that was given to ``deconfound``, else RecBole's.

    Raises:
        DecRSError: there is none, with near matches; it is a decision tree; or its library is not installed.
    """
    own = _own_models()
    if name in own:
        return own[name]
    if name.startswith("Dec"):
        return _deconfounded(name)
    if name.lower() in _modules(TREES):
        raise DecRSError(f"{name} is {KINDS[TREES]}, which this command does not run; take another kind")
    for family in FAMILIES:
        if name.lower() in _modules(family):
            try:
                module = importlib.import_module(f"recbole.model.{family}.{name.lower()}")
            except ImportError as error:
                raise DecRSError(f"{name} needs {error.name}, which is not installed; install it") from error
            if hasattr(module, name):
                model = getattr(module, name)
                return with_full_sort(model) if family == CONTEXT_AWARE else model
    raise DecRSError(f"there is no model named {name}{did_you_mean(name, _all_names())}")


def _own_models() -> dict[str, type]:
    from recbole_decrs.model import FM, NFM, DecFM, DecNFM, FwFM
    from recbole_decrs.model.late_fusion import LATE_FUSED
    from recbole_decrs.model.sequence_pairs import DIEN, DIN

    own = (DecFM, DecNFM, DIEN, DIN, FM, FwFM, NFM)
    return {model.__name__: model for model in own} | LATE_FUSED | NOT_RECBOLES


def _deconfounded(name: str) -> type:
    from recbole_decrs.model.late_fusion import LATE_FUSED

    backbone = name.removeprefix("Dec")
    if backbone in _names_of(CONTEXT_AWARE):
        return deconfound(find_model(backbone))
    family = _family_of(backbone)
    if family in (GENERAL, SEQUENTIAL):
        raise DecRSError(
            f"there is no {name}: {backbone} takes no M as a feature, and is none of those with late fusion "
            f"({', '.join(LATE_FUSED)}); docs/models.md shows how to add it"
        )
    if family not in (None, CONTEXT_AWARE):
        raise DecRSError(f"there is no {name}: {backbone} is {KINDS[family]}; see docs/models.md for what there is")
    raise DecRSError(f"there is no model named {name}{did_you_mean(name, deconfounded_names())}")


def deconfounded_names() -> list[str]:
    """Names of all deconfounded models."""
    from recbole_decrs.model.late_fusion import LATE_FUSED

    context_aware = [name for name in _names_of(CONTEXT_AWARE) if name not in NOT_DECONFOUNDED]
    return [*(f"Dec{name}" for name in context_aware), *LATE_FUSED]


def is_of_recbole(name: str) -> bool:
    """Whether RecBole has a model of that name, in whatever case."""
    return _family_of(name) is not None


def _family_of(name: str) -> str | None:
    return next((family for family in (*FAMILIES, TREES) if name.lower() in _modules(family)), None)


def _modules(family: str) -> list[str]:
    """Module names, by their files: importing the package of decision trees needs their libraries."""
    folder = Path(recbole.__file__).parent / "model" / family
    return [file.stem for file in folder.glob("*.py") if file.stem != "__init__"]


def _all_names() -> list[str]:
    """Names of all models, found by importing them all: for error messages only."""
    names = list(_own_models())
    return names + [name for family in FAMILIES for name in _names_of(family)]


def _names_of(family: str) -> list[str]:
    names = []
    for module_name in sorted(_modules(family)):
        try:
            module = importlib.import_module(f"recbole.model.{family}.{module_name}")
        except ImportError:
            continue
        names += [
            name for name, value in vars(module).items() if name.lower() == module_name and isinstance(value, type)
        ]
    return names
