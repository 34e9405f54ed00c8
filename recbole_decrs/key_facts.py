"""Gathers facts about configuration keys that the program goes by, by what is asked of the keys.

Those about the plugin's keys stand in their records, those about RecBole's keys in ``recbole_keys``.
"""

from __future__ import annotations

from typing import Any

from recbole.utils.argument_list import dataset_arguments

from recbole_decrs import recbole_keys
from recbole_decrs.keys import KEYS

CHANGE_NO_NUMBER = recbole_keys.CHANGE_NO_NUMBER | {key.name for key in KEYS.values() if not key.changes_numbers}
"""Keys that may differ between two trainings with the same numbers."""
CHANGE_NO_TRAINING = frozenset(key.name for key in KEYS.values() if not key.changes_training)
"""Keys that may differ between two comparisons which share a trained model, and not what they measure of it."""
NOT_KEPT_IN_CHECKPOINTS = recbole_keys.NOT_KEPT_IN_CHECKPOINTS | {
    key.name for key in KEYS.values() if not key.kept_in_checkpoints
}
"""Keys that name files and folders, which a checkpoint does not bring along."""
DATASET_KEYS = tuple(key.name for key in KEYS.values() if key.of_dataset)
"""The plugin's keys that shape the dataset, by which RecBole has to tell if a saved one is the one that is meant."""
DRIFT_KEYS = frozenset(key.name for key in KEYS.values() if key.of_drift)
"""Keys on which the drift of the users depends."""
LEFT_BY_COMPARE: dict[str, tuple[Any, ...]] = {
    key.name: key.in_compare for key in KEYS.values() if key.in_compare is not None
}
"""Keys that ``compare`` sets by itself for some methods, and the values that it leaves to the user."""
USED_WITH = {key.name: key.used_with for key in KEYS.values() if key.used_with is not None}
"""The key and its value without which a key changes nothing."""


def change_numbers(settings: dict[str, Any]) -> dict[str, Any]:
    """Keep the settings on which the numbers of a model depend, and leave out those that another key does not use."""
    unused = {name for name, (key, value) in USED_WITH.items() if settings.get(key) != value}
    return {name: value for name, value in settings.items() if name not in CHANGE_NO_NUMBER | unused}


def list_dataset_keys() -> None:
    """Add the plugin's keys to RecBole's list of those that shape the dataset, unless they are there."""
    dataset_arguments.extend(key for key in DATASET_KEYS if key not in dataset_arguments)
