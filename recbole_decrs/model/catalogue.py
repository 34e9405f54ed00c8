"""Finds a model by its name, among the plugin's, those of users, and RecBole's."""

from __future__ import annotations

from recbole_decrs.errors import DecRSError, did_you_mean
from recbole_decrs.model import context_aware, late_fusion, sequence_pairs  # noqa: F401  they register the plugin's
from recbole_decrs.model.deconfound import deconfound, is_deconfounded
from recbole_decrs.model.late_fusion import LateFusion
from recbole_decrs.model.recbole_models import (
    CONTEXT_AWARE,
    FAMILIES,
    GENERAL,
    KNOWLEDGE,
    SEQUENTIAL,
    TREES,
    class_of,
    family_of,
    names_of,
)
from recbole_decrs.model.registry import MODELS

KINDS = {
    KNOWLEDGE: "a knowledge-based model",
    TREES: "a decision-tree model",
}


def find_model(name: str) -> type:
    """Find the model class of that name: the plugin's own, or one that a user has registered, else RecBole's.

    Raises:
        DecRSError: there is none, with near matches; it is a decision tree; or its library is not installed.
    """
    if name in MODELS:
        return MODELS[name]
    if name.startswith("Dec"):
        raise DecRSError(_why_not_deconfounded(name))
    family = family_of(name)
    if family == TREES:
        raise DecRSError(f"{name} is {KINDS[TREES]}, which this command does not run; take another kind")
    model = class_of(name, family) if family else None
    if model is None:
        known = [*MODELS, *(known for family in FAMILIES for known in names_of(family))]
        raise DecRSError(f"there is no model named {name}{did_you_mean(name, known)}")
    return model


def _why_not_deconfounded(name: str) -> str:
    """Say in one sentence why there is no deconfounded model of that name."""
    backbone = name.removeprefix("Dec")
    family = family_of(backbone)
    if family == CONTEXT_AWARE and backbone in MODELS:
        try:
            deconfound(MODELS[backbone])
        except DecRSError as error:
            return str(error)
    if family in (GENERAL, SEQUENTIAL):
        late = [known for known, model in MODELS.items() if issubclass(model, LateFusion)]
        return (
            f"there is no {name}: {backbone} takes no M as a feature, and is none of those with late fusion "
            f"({', '.join(late)}); docs/models.md shows how to add it"
        )
    if family not in (None, CONTEXT_AWARE):
        return f"there is no {name}: {backbone} is {KINDS[family]}; see docs/models.md for what there is"
    return f"there is no model named {name}{did_you_mean(name, deconfounded_names())}"


def deconfounded_names() -> list[str]:
    """List the names of all deconfounded models."""
    return [name for name, model in MODELS.items() if is_deconfounded(model)]
