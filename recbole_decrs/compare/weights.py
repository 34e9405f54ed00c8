"""Makes the users' weights among which a method chooses that fuses two models by Eq. 11 of the paper."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from recbole_decrs.causal import Confounder
from recbole_decrs.checks import Check, is_number, is_path
from recbole_decrs.errors import DecRSError, told_as

CONSTANT_WEIGHTS = tuple(step / 20 for step in range(21))

Weights = Callable[[Confounder, Sequence[float], int], dict[float, np.ndarray]]
"""Makes the weights of the second model from the Confounder of the training data, the key ``drift_alpha_grid`` and the
seed: by the value that validation chooses, one weight in [0, 1] for each user id, shape [n_users]."""


def _is_value(value: Any) -> bool:
    if isinstance(value, str):
        return is_path(value) and "/" not in value and "\\" not in value
    return value is None or isinstance(value, bool) or is_number(value)


VALUE = Check(_is_value, "a number, or a text without / and \\")
"""What validation can choose among: it stands in tables, and in the names of files."""


def drift_weights(confounder: Confounder, alphas: Sequence[float], seed: int) -> dict[float, np.ndarray]:
    """Make the weights of Eq. 12, each by the alpha that shapes it."""
    return {alpha: confounder.normalized_drift(alpha) for alpha in alphas}


def shuffled_drift_weights(confounder: Confounder, alphas: Sequence[float], seed: int) -> dict[float, np.ndarray]:
    """Make the weights of Eq. 12 and shuffle the users, of whom the padding user alone keeps its own."""
    others = np.append(0, 1 + np.random.default_rng(seed).permutation(len(confounder.n_clicks) - 1))
    return {alpha: weights[others] for alpha, weights in drift_weights(confounder, alphas, seed).items()}


def constant_weights(confounder: Confounder, alphas: Sequence[float], seed: int) -> dict[float, np.ndarray]:
    """Make the same weight for every user, from 0 to 1 in steps of 0.05, by the weight."""
    return {weight: np.full(len(confounder.n_clicks), weight) for weight in CONSTANT_WEIGHTS}


def equal_weights(confounder: Confounder, alphas: Sequence[float], seed: int) -> dict[float, np.ndarray]:
    """Make the weight 0.5 for every user, so that nothing is chosen on validation: a plain average of two models."""
    return {0.5: np.full(len(confounder.n_clicks), 0.5)}


def check_weights(name: str, weights: dict[float, np.ndarray], n_users: int) -> None:
    """See that weights can be those of Eq. 11.

    Args:
        name: name of the method.
        weights: the weights among which validation chooses, as :data:`Weights` makes them.
        n_users: number of user ids, the padding user 0 included.

    Raises:
        DecRSError: they are in no dictionary, there are none, or not one in [0, 1] for each user id; or a value is no
            :data:`VALUE`.
    """
    if not isinstance(weights, Mapping):
        raise DecRSError(
            f"methods: the weights of {name} must be a dictionary, from each value among which validation is to choose "
            f"to one weight for each user id, not a {type(weights).__name__}; mend its function"
        )
    if not weights:
        raise DecRSError(f"methods: {name} has no weights to choose from; mend its function")
    for value, array in weights.items():
        VALUE.require(f"methods: a value of the weights of {name}", value)
        with told_as(f"methods: the weights of {name} for {value} are no array of numbers", "mend its function"):
            found = np.asarray(array)
        if found.shape != (n_users,):
            wrong = f"have shape {found.shape}"
        elif found.dtype.kind not in "biuf":
            wrong = f"are of the type {found.dtype}"
        elif not ((found >= 0) & (found <= 1)).all():
            wrong = f"lie in [{found.min():g}, {found.max():g}]"
        else:
            continue
        raise DecRSError(
            f"methods: the weights of {name} must be one in [0, 1] for each of {n_users} user ids, the padding user 0 "
            f"among them, and those for {value} {wrong}; mend its function"
        )
