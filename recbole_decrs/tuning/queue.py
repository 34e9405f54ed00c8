"""Gives trials out one by one: those that a kill has cut off, then those of a grid or a draw, or Optuna's next ones."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.samplers import TPESampler
from optuna.trial import FrozenTrial, TrialState, create_trial

from recbole_decrs.tuning.space import distributions, params_of
from recbole_decrs.tuning.storage import Search

REPEATS = "repeats"
"""The attribute of a trial that has the scores of an earlier one, whose setting was given out a second time."""


@dataclass(frozen=True)
class Queue:
    """Gives out the trials of a search; one process does, whatever the number of workers."""

    search: Search
    settings: list[dict[str, Any]] | None
    """All settings that are tried, in order; None to let Optuna find ``number`` of them by the scores so far."""
    number: int
    seed: int
    workers: int

    def total(self, study: optuna.Study) -> int:
        """Count the trials of the search, those of earlier calls included, that failed ones are not."""
        known = {key_of(trial.params) for trial in study.trials if trial.state != TrialState.FAIL}
        if self.settings is None:
            return max(self.number, sum(trial.state != TrialState.FAIL for trial in study.trials))
        return len(known | {key_of(params) for params in self._listed()})

    def cut_off(self, study: optuna.Study) -> list[FrozenTrial]:
        """List the trials that were not brought to their end."""
        return [trial for trial in study.trials if not trial.state.is_finished()]

    def trials(self, study: optuna.Study) -> Iterator[int]:
        """Give the numbers of the trials that are to be run; none that has ended comes again, but failed ones do."""
        wanted = distributions(self.search.trained)
        for trial in self.cut_off(study):
            if trial.params.keys() == wanted.keys():
                yield trial.number
            else:  # it was killed before it had its setting
                study.tell(trial.number, state=TrialState.FAIL)
        if self.settings is None:
            yield from self._found(study, wanted)
            return
        done = {key_of(trial.params) for trial in study.trials if trial.state != TrialState.FAIL}
        for params in self._listed():
            if key_of(params) not in done:
                done.add(key_of(params))
                study.add_trial(create_trial(state=TrialState.RUNNING, params=params, distributions=wanted))
                yield len(study.trials) - 1

    def _listed(self) -> list[dict[str, Any]]:
        return [params_of(setting, self.search.trained) for setting in self.settings or []]

    def _found(self, study: optuna.Study, wanted: dict[str, Any]) -> Iterator[int]:
        count = sum(trial.state != TrialState.FAIL for trial in study.trials)
        for _ in range(self.number - count):
            # A sampler of its own for each trial, so that after a kill the same ones come as without it.
            study.sampler = TPESampler(seed=self.seed + len(study.trials), constant_liar=self.workers > 1)
            trial = study.ask(wanted)
            earlier = next(
                (
                    other
                    for other in study.trials[: trial.number]
                    if other.params == trial.params and other.state in (TrialState.COMPLETE, TrialState.PRUNED)
                ),
                None,
            )
            if earlier is None:
                yield trial.number
                continue
            trial.set_user_attr(REPEATS, earlier.number)
            if earlier.state == TrialState.COMPLETE:
                study.tell(trial, earlier.value)
            else:
                study.tell(trial, state=TrialState.PRUNED)


def key_of(params: dict[str, Any]) -> str:
    """Make one text of the parameters of a trial, by which equal ones are known."""
    return json.dumps(params, sort_keys=True)
