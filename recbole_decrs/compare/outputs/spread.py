"""Tells what differs by more than chance may do, for the titles of figures, and says what error bars are."""

from __future__ import annotations

import numpy as np

from recbole_decrs.evaluator.report import is_smaller_better


def deviation(values: list[float]) -> float:
    """Give the standard deviation of values, one a seed; NaN of a single one."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else np.nan


def gain(metric: str, before: float, after: float) -> float:
    """Give the difference that is positive where ``after`` is better."""
    return before - after if is_smaller_better(metric) else after - before


def is_beyond(difference: float, *deviations: float) -> bool:
    """Tell whether a difference is larger than the deviations of both sides together; False where one is not known.

    It is a word for a title and no test: the tests are those below Table 3.
    """
    return bool(difference > np.sqrt(np.square(deviations).sum()))


def bars_text(n_seeds: int) -> str:
    """Say what the error bars of a figure over seeds are."""
    if n_seeds < 2:
        return "one seed, so no error bars"
    return f"mean ± standard deviation over {n_seeds} seeds"
