"""Describes a configuration key of the plugin's: what the user is told of it, and what the program must know."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any

from recbole_decrs.checks import Check


@dataclass(frozen=True)
class Key:
    """Describes a configuration key that RecBole lacks.

    Attributes:
        name: the key.
        kind: the type of its values, for the reader of the YAML.
        default: the value for models and datasets whose own YAML does not set it.
        check: what it may hold.
        meaning: what it does, in Markdown.
        changes_numbers: False if a run has the same numbers whatever the value is.
        changes_training: False if ``compare`` trains a model alike whatever the value is, and ranks by it afterwards.
        of_dataset: True if it shapes the dataset, so that a saved one of another value is not the one that is meant.
        of_drift: True if the drift of the users depends on it.
        kept_in_checkpoints: False if it names a file, which whoever loads a checkpoint has to name anew.
        in_compare: the values that ``compare`` leaves to the user, where it sets the key by itself for some methods;
            None where it leaves all.
        used_with: the key and its value without which this one changes nothing; None if there is no such key.
    """

    name: str
    kind: str
    default: Any
    check: Check
    meaning: str
    _: KW_ONLY
    changes_numbers: bool = True
    changes_training: bool = True
    of_dataset: bool = False
    of_drift: bool = False
    kept_in_checkpoints: bool = True
    in_compare: tuple[Any, ...] | None = None
    used_with: tuple[str, Any] | None = None
