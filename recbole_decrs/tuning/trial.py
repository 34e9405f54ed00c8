"""Runs one trial: a training, which may be stopped early, and what is measured of it; the storage keeps both."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from logging import getLogger

import optuna
from optuna.trial import Trial, TrialState

from recbole_decrs.checkpoint import HALVES, Checkpoint
from recbole_decrs.config import DecRSConfig
from recbole_decrs.engines import at_work
from recbole_decrs.errors import DecRSError, is_out_of_memory, sentence_of
from recbole_decrs.files import remove
from recbole_decrs.log import RunLog, quiet_libraries
from recbole_decrs.ones_own import OnesOwn
from recbole_decrs.quick_start import Run, make_run
from recbole_decrs.randomness import random_state
from recbole_decrs.resume import last_path
from recbole_decrs.single_trainer import SingleTrainer
from recbole_decrs.trainer import DecRSTrainer
from recbole_decrs.training import train
from recbole_decrs.tuning.measuring import scores_of
from recbole_decrs.tuning.pruning import epochs_of, step_of
from recbole_decrs.tuning.space import setting_of
from recbole_decrs.tuning.storage import Search


def run_in_worker(here: str, own: OnesOwn, search: Search, number: int) -> None:
    """Run a trial in this process, a worker, in the folder ``here`` and with what the caller has registered."""
    with at_work(here):
        own.enter()
        run_trial(search, number)


def run_trial(search: Search, number: int) -> None:
    """Run a trial, from its last epoch on if it was killed, and keep what comes of it in the storage.

    Of each trial that has ended the storage has its ``epochs`` and ``seconds``, and its ``scores``, one for each of
    ``search.measured``, or its ``error``.
    """
    study = search.study()
    # Optuna's own trials of several processes are made so, too; it has no other name for one that is there already.
    trial = Trial(study, study.get_trials(deepcopy=False)[number]._trial_id)
    before, started = trial.user_attrs.get("seconds", 0.0), time.monotonic()

    def seconds() -> float:
        return before + time.monotonic() - started

    try:
        with search.at_work(number), quiet_libraries(), RunLog(console=False) as log:
            scores = _trained_and_measured(search, trial, log, seconds)
    except optuna.TrialPruned:
        found, state, value = {}, TrialState.PRUNED, None
    except Exception as error:
        if not (isinstance(error, DecRSError) or is_out_of_memory(error)):
            raise
        found, state, value = {"error": sentence_of(error)}, TrialState.FAIL, None
    else:
        found, state, value = {"scores": scores}, TrialState.COMPLETE, (max if search.bigger else min)(scores)
    epochs = epochs_of(_evaluations(trial))
    for name, content in {**found, "epochs": epochs, "seconds": round(seconds(), 2)}.items():
        trial.set_user_attr(name, content)
    study.tell(number, value, state)
    search.keep_best(study)


def _evaluations(trial: Trial) -> list[int]:
    """Number the evaluations that a trial has had."""
    return list(trial.study.get_trials(deepcopy=False)[trial.number].intermediate_values)


def _trained_and_measured(search: Search, trial: Trial, log: RunLog, seconds: Callable[[], float]) -> list[float]:
    settings = {**search.fixed, **setting_of(trial.params, search.trained), **search.base}
    quietly = {"show_progress": False, "report": False, "checkpoint_dir": search.models}
    config = DecRSConfig(None, None, search.files, settings | quietly)
    log.follow(config)
    run = _made_where_it_was(config, log, search.checkpoint(trial.number))
    known = set(_evaluations(trial))

    def at_evaluation(epoch: int, score: float) -> None:
        step = step_of(_half(run.trainer), epoch + 1)
        if step not in known:  # which it is where the epoch after it was killed
            trial.report(float(score), step)
        trial.set_user_attr("seconds", seconds())
        if trial.should_prune():
            raise optuna.TrialPruned

    train(run.trainer, run.data.train, run.data.valid, as_in_recbole=True, saved=True, callback_fn=at_evaluation)
    state = Checkpoint.read(run.trainer.saved_model_file).state(HALVES[-1] if config.deconfounded else None)
    return scores_of(search.measured, run, state.get("random_state_at_end") or random_state())


def _half(trainer: DecRSTrainer | SingleTrainer) -> int:
    """Give the place of the half that is being trained; 0 of a model that is one."""
    return 0 if isinstance(trainer, SingleTrainer) else HALVES.index(list(trainer.trainers)[-1])


def _made_where_it_was(config, log: RunLog, path: str) -> Run:
    """Make what a training needs, where a kill in the middle of it has left it, if it can go on."""
    run = make_run(config, log)
    run.trainer.saved_model_file = path
    begun = [file for file in (path, last_path(path)) if os.path.isfile(file)]
    if not begun:
        return run
    try:
        run.trainer.resume_checkpoint(path)
    except DecRSError as error:
        getLogger().warning(f"{error}; the trial is trained anew")
        for file in begun:
            remove(file)
        if isinstance(run.trainer, SingleTrainer):
            run.trainer.tensorboard.close()
        return _made_where_it_was(config, log, path)
    return run
