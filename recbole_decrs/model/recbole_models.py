"""Finds the models that come with RecBole: their names, their families, and their classes."""

from __future__ import annotations

import importlib
from functools import cache
from pathlib import Path

import recbole

from recbole_decrs.errors import DecRSError

GENERAL, CONTEXT_AWARE = "general_recommender", "context_aware_recommender"
SEQUENTIAL, KNOWLEDGE = "sequential_recommender", "knowledge_aware_recommender"
FAMILIES = (GENERAL, CONTEXT_AWARE, SEQUENTIAL, KNOWLEDGE)
TREES = "exlib_recommender"


@cache
def _modules(family: str) -> frozenset[str]:
    """Name the modules of a family by their files: importing the package of decision trees needs their libraries."""
    folder = Path(recbole.__file__).parent / "model" / family
    return frozenset(file.stem for file in folder.glob("*.py") if file.stem != "__init__")


def family_of(name: str) -> str | None:
    """Find the folder of RecBole's with the model of that name, in whatever case; None where it has none."""
    return next((family for family in (*FAMILIES, TREES) if name.lower() in _modules(family)), None)


def is_of_recbole(name: str) -> bool:
    """Tell if RecBole has a model of that name, in whatever case."""
    return family_of(name) is not None


def class_of(name: str, family: str) -> type | None:
    """Find RecBole's class of that name; None where it is written in another case.

    Raises:
        DecRSError: the model's library is not installed.
    """
    try:
        module = importlib.import_module(f"recbole.model.{family}.{name.lower()}")
    except ImportError as error:
        raise DecRSError(f"{name} needs {error.name}, which is not installed; install it") from error
    return getattr(module, name, None)


def names_of(family: str) -> list[str]:
    """List the names of a family's models whose libraries are installed, found by importing them all."""
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


def is_pre_trained(model) -> bool:
    """Tell if the training of a model is a stage before the training, as S3Rec and RaCT have them."""
    return "pretrain" in getattr(model, "train_stage", "")
