"""Stops trainings that fall behind the median of those that have ended, each half of a model by itself."""

from __future__ import annotations

import copy

import optuna
from optuna.pruners import BasePruner, MedianPruner
from optuna.trial import FrozenTrial

STEPS_OF_A_HALF = 1_000_000
"""How far the steps of a model's two halves are apart, which are trained one after the other: more than any epochs."""
FEWEST_TRAININGS = 4
"""How many trainings must have been at an epoch before another is stopped there."""
FEWEST_EVALUATIONS = 4
"""How many evaluations a training has before it can be stopped."""


def step_of(half: int, epochs: int) -> int:
    """Number an evaluation: ``half`` is 0 or 1, and ``epochs`` is how many that half has had."""
    return half * STEPS_OF_A_HALF + epochs


def epochs_of(steps: list[int]) -> int:
    """Count the epochs of all halves from the numbers of their evaluations."""
    most: dict[int, int] = {}
    for step in steps:
        half, epochs = divmod(step, STEPS_OF_A_HALF)
        most[half] = max(epochs, most.get(half, 0))
    return sum(most.values())


class MedianOfHalf(BasePruner):
    """Stops a training whose best score so far is behind the median score at the same epoch (Optuna's MedianPruner).

    The scores of the conventional half are no match for those of the deconfounded one: a good first half would keep a
    bad second one from being stopped. So only those of the half that is being trained are looked at.
    """

    def __init__(self) -> None:
        self.median = MedianPruner(FEWEST_TRAININGS, n_min_trials=FEWEST_TRAININGS)

    def prune(self, study: optuna.Study, trial: FrozenTrial) -> bool:
        """Tell whether a training is to be stopped at its last evaluation."""
        half = trial.last_step // STEPS_OF_A_HALF
        seen = {step: score for step, score in trial.intermediate_values.items() if step // STEPS_OF_A_HALF == half}
        if len(seen) < FEWEST_EVALUATIONS:
            return False
        shown = copy.copy(trial)
        shown.intermediate_values = seen
        return self.median.prune(study, shown)
