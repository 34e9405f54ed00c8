"""Keeps the trials of a search in a folder, from which the same search goes on, by Optuna's journal of plain lines."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from optuna.pruners import NopPruner
from optuna.samplers import RandomSampler
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from optuna.trial import FrozenTrial, TrialState

from recbole_decrs.digest import FORMAT
from recbole_decrs.engines import SECONDS_AFTER_A_KILL
from recbole_decrs.errors import DecRSError, told_as
from recbole_decrs.files import Claim, remove
from recbole_decrs.plain_values import as_plain
from recbole_decrs.resume import differing, last_path
from recbole_decrs.search_space import Space
from recbole_decrs.tuning.pruning import MedianOfHalf
from recbole_decrs.tuning.space import setting_of

ENDED = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)
NAME = "tune"
"""The name of the one study in a folder."""
SECONDS_FOR_WORKERS = 5 * SECONDS_AFTER_A_KILL
"""How long a search waits for workers of one that was killed."""


@dataclass(frozen=True)
class Search:
    """Describes a search, as every process that takes part in it must know it."""

    folder: str
    files: list[str]
    """Config files of every trial."""
    fixed: dict[str, Any]
    """Settings of every trial, over the files."""
    space: Space
    """What is searched, in the order of the parameter file."""
    trained: Space
    """The part of it that needs a training for each setting."""
    measured: list[dict[str, Any]]
    """All settings of the other part, each of which is measured with every trained model."""
    base: dict[str, Any]
    """The one of them that trainings are configured by: if one of them needs drift or groups, this one does."""
    metric: str
    bigger: bool
    """True if a greater score of the metric is better."""
    prunes: bool

    @property
    def journal(self) -> str:
        """Give the path of the file of trials."""
        return os.path.join(self.folder, "trials.journal")

    @property
    def models(self) -> str:
        """Give the folder of the checkpoints."""
        return os.path.join(self.folder, "models")

    def checkpoint(self, number: int) -> str:
        """Give the path of the checkpoint of a trial, which is kept as long as no other is better."""
        return os.path.join(self.models, f"trial-{number}.pth")

    def setting(self, trial: FrozenTrial) -> dict[str, Any]:
        """Give the setting of a trial, of the keys that need a training."""
        return setting_of(trial.params, self.trained)

    def study(self) -> optuna.Study:
        """Read the trials.

        Raises:
            DecRSError: the file is not one of a search.
        """
        with self._read():
            pruner = MedianOfHalf() if self.prunes else NopPruner()
            return optuna.load_study(study_name=NAME, storage=self._storage(), sampler=RandomSampler(), pruner=pruner)

    def _storage(self) -> JournalStorage:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        return JournalStorage(JournalFileBackend(self.journal, JournalFileOpenLock(self.journal)))

    @contextmanager
    def _read(self) -> Iterator[None]:
        with told_as(f"output: {self.journal} cannot be read as trials", "give another --output"):
            yield

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Keep other searches off the folder, and take away what a kill has left half done.

        Raises:
            DecRSError: another search, or a worker of one that was killed, is at work in it.
        """
        Path(self.models).mkdir(parents=True, exist_ok=True)
        try:
            claimed = Claim(os.path.join(self.folder, "tune"))
        except BlockingIOError as error:
            raise DecRSError(
                f"output: another search writes to {self.folder}; wait until it has ended, or give another --output"
            ) from error
        with claimed:
            remove(f"{self.journal}.lock")
            _cut_to_whole_lines(self.journal)
            yield

    def opened(self, facts: dict[str, Any]) -> optuna.Study:
        """Read the trials of earlier calls, or begin without any.

        Args:
            facts: ``settings`` and other facts that the scores depend on.

        Raises:
            DecRSError: the folder holds another search, or something else.
        """
        known = json.loads(json.dumps(as_plain({"format": FORMAT, "space": self.space, **facts})))
        with self._read():
            direction = "maximize" if self.bigger else "minimize"
            study = optuna.create_study(
                study_name=NAME, storage=self._storage(), direction=direction, load_if_exists=True
            )
            before = study.user_attrs
            if not before:
                for fact, value in known.items():
                    study.set_user_attr(fact, value)
            elif set(known) != set(before) or study.direction.name.lower() != direction:
                raise ValueError("they are of another program")
        others = [fact for fact in known if before and before[fact] != known[fact]]
        if others:
            keys = differing(before["settings"], known["settings"]) if others == ["settings"] else []
            what = {"settings": f"with another {', '.join(keys)}", "space": "in another space", "data": "of other data"}
            which = what.get(others[0], "of another version of recbole_decrs")
            raise DecRSError(f"output: {self.folder} holds a search {which}; give another --output")
        return self.study()

    def at_work(self, number: int) -> Claim:
        """Claim a trial for this process, which runs it.

        Raises:
            BlockingIOError: another process is at it.
        """
        return Claim(os.path.splitext(self.checkpoint(number))[0])

    def check_nobody_runs(self, trials: list[FrozenTrial]) -> None:
        """See that no worker of a search that was killed is still at one of these trials, and give it time to end.

        Raises:
            DecRSError: one is.
        """
        patience = time.monotonic() + SECONDS_FOR_WORKERS
        for trial in trials:
            while True:
                try:
                    with self.at_work(trial.number):
                        break
                except BlockingIOError as error:
                    if time.monotonic() > patience:
                        raise DecRSError(
                            f"output: a worker of an earlier search is still at trial {trial.number} in {self.folder}; "
                            "wait until it has ended, or end it"
                        ) from error
                    time.sleep(0.2)

    def keep_best(self, study: optuna.Study) -> None:
        """Take away the checkpoints of trials that have ended, but for the best one's."""
        best = best_trial(study.get_trials(deepcopy=False), self.bigger)
        for trial in study.get_trials(deepcopy=False, states=ENDED):
            if best is None or trial.number != best.number:
                path = self.checkpoint(trial.number)
                remove(path)
                remove(last_path(path))


def best_trial(trials: list[FrozenTrial], bigger: bool) -> FrozenTrial | None:
    """Find the first of the best trials that have come to their end."""
    finished = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    return (max if bigger else min)(finished, key=lambda trial: trial.value, default=None)


def _cut_to_whole_lines(path: str) -> None:
    """Cut off the line that a failure of the system has left unfinished, behind which no other can be read."""
    if not os.path.isfile(path):
        return
    with open(path, "r+b") as file:
        content = file.read()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            file.truncate(whole)
