"""Writes the table of all trials, and the best setting as a config file with which a run trains it again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from optuna.trial import FrozenTrial, TrialState

from recbole_decrs.files import replaced_whole
from recbole_decrs.plain_values import as_plain
from recbole_decrs.tuning.queue import REPEATS, key_of
from recbole_decrs.tuning.storage import ENDED, Search, best_trial

STATES = {TrialState.COMPLETE: "finished", TrialState.PRUNED: "pruned", TrialState.FAIL: "failed"}


def counting_trials(trials: list[FrozenTrial]) -> list[FrozenTrial]:
    """List the trials that have ended, without those that repeat others, and failed ones that were tried again."""
    last = {key_of(trial.params): trial.number for trial in trials if REPEATS not in trial.user_attrs}
    return [
        trial
        for trial in trials
        if trial.state in ENDED
        and REPEATS not in trial.user_attrs
        and (trial.state != TrialState.FAIL or last[key_of(trial.params)] == trial.number)
    ]


def table_of_trials(search: Search, trials: list[FrozenTrial]) -> pd.DataFrame:
    """Make the table of trials: a row for each setting that was measured, so that rows of a trial share a training.

    Returns:
        columns ``trial`` (from 0 on), ``state`` (``finished``, ``pruned`` or ``failed``), those of the searched keys,
        the score on validation (of one that was pruned, its last), ``epochs`` (of both halves together) and
        ``seconds`` of the trial, and its ``error``.
    """
    rows = []
    for trial in counting_trials(trials):
        base = {"trial": trial.number, "state": STATES[trial.state], **search.setting(trial)}
        more = {name: trial.user_attrs.get(name) for name in ("epochs", "seconds", "error")}
        if trial.state == TrialState.COMPLETE:
            measured = zip(search.measured, trial.user_attrs["scores"], strict=True)
            rows += [base | setting | {search.metric: score} | more for setting, score in measured]
        else:
            rows.append(base | {search.metric: trial.value} | more)
    columns = ["trial", "state", *search.space, search.metric, "epochs", "seconds", "error"]
    return pd.DataFrame(rows, columns=columns, dtype=object)


def best_setting(search: Search, trials: list[FrozenTrial]) -> tuple[FrozenTrial, dict[str, Any], float] | None:
    """Find the best setting on validation, the first of equals.

    Returns:
        its trial, its searched keys in the order of the parameter file, and its score; None before one has finished.
    """
    best = best_trial(trials, search.bigger)
    if best is None:
        return None
    place = best.user_attrs["scores"].index(best.value)
    found = search.setting(best) | search.measured[place]
    return best, {key: found[key] for key in search.space}, best.value


def write_trials(search: Search, trials: list[FrozenTrial], given: dict[str, Any]) -> None:
    """Write ``trials.csv`` and, once a trial has finished, ``best.yaml``.

    Args:
        search: the search.
        trials: its trials so far.
        given: the settings of every trial, from config files and command line.
    """
    _write(Path(search.folder, "trials.csv"), table_of_trials(search, trials).to_csv(index=False))
    best = best_setting(search, trials)
    if best is None:
        return
    trial, setting, score = best
    settings = as_plain({**given, **setting})
    of_trials = f"# The best of {len(counting_trials(trials))} trials on validation, trial {trial.number}"
    head = f"{of_trials}: {search.metric} {score}\n"
    text = yaml.safe_dump(settings, sort_keys=False, allow_unicode=True)
    _write(Path(search.folder, "best.yaml"), head + text)


def _write(path: Path, text: str) -> None:
    with replaced_whole(path) as file:
        file.write(text.encode())
