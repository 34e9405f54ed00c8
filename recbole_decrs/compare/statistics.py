"""Is a difference more than chance? A paired bootstrap over users and seeds, and Holm's correction."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import stats

FEWEST_SEEDS = 5
"""With fewer seeds, the bootstrap over seeds has too little to draw from."""
VALUES_AT_ONCE = 4_000_000


class Difference(NamedTuple):
    """A mean paired difference."""

    mean: float
    low: float
    """Of the 95% interval."""
    high: float
    p: float
    """Two-sided."""


def paired_difference(differences: np.ndarray, n_resamples: int = 9999, seed: int = 0) -> Difference:
    """The mean of paired differences, its 95% percentile interval, and the two-sided p-value against 0.

    Users and seeds are drawn with replacement, independently of each other (crossed bootstrap); with a single seed
    users alone are, and the p-value says nothing about other seeds. The p-value is twice the smaller share of
    resampled means on either side of 0, the observed one counted as one more (Davison and Hinkley 1997, Sec. 4.2).

    Args:
        differences: shape [n_seeds, n_users]; users with a NaN are left out.
        n_resamples: of the bootstrap.
        seed: of its random numbers.
    """
    differences = differences[:, ~np.isnan(differences).any(axis=0)]
    n_seeds, n_users = differences.shape
    if n_users < 2:
        return Difference(float(differences.mean()) if n_users else float("nan"), *(float("nan"),) * 3)
    samples: tuple[np.ndarray, ...] = (np.arange(n_users),)
    if n_seeds > 1:
        samples += (np.arange(n_seeds),)
    else:
        differences = differences[0]

    def mean(users: np.ndarray, seeds: np.ndarray | None = None, axis: int = -1) -> np.ndarray:
        if seeds is None:
            return differences[users].mean(axis=axis)
        return differences[seeds[..., :, None], users[..., None, :]].mean(axis=(-2, -1))

    drawn = stats.bootstrap(
        samples,
        mean,
        n_resamples=n_resamples,
        batch=max(1, VALUES_AT_ONCE // differences.size),
        vectorized=True,
        method="percentile",
        random_state=np.random.default_rng(seed),
    )
    means = drawn.bootstrap_distribution
    smaller = min((means <= 0).sum(), (means >= 0).sum())
    p = min(1.0, 2 * (smaller + 1) / (n_resamples + 1))
    interval = drawn.confidence_interval
    return Difference(float(differences.mean()), float(interval.low), float(interval.high), p)


def holm(p_values: list[float]) -> list[float]:
    """Holm's step-down correction of a family of p-values; NaN stays, and counts for none."""
    known = [place for place, p in enumerate(p_values) if not np.isnan(p)]
    corrected = [float("nan")] * len(p_values)
    largest = 0.0
    for number, place in enumerate(sorted(known, key=lambda place: p_values[place])):
        largest = max(largest, min(1.0, (len(known) - number) * p_values[place]))
        corrected[place] = largest
    return corrected
