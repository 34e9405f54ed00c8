"""Runs a search of hyper-parameters by Optuna, from what is asked for to the best setting and its result on test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from logging import getLogger
from typing import Any

from joblib import delayed
from optuna.trial import FrozenTrial, TrialState

from recbole_decrs.config import DecRSConfig
from recbole_decrs.config_checks import check_together
from recbole_decrs.config_files import read_config_files
from recbole_decrs.console import tell
from recbole_decrs.engines import watched, workers_of
from recbole_decrs.errors import DecRSError
from recbole_decrs.evaluator.registry import title_of
from recbole_decrs.key_facts import CHANGE_NO_NUMBER
from recbole_decrs.log import RunLog, check_writable, quiet_libraries
from recbole_decrs.making import Data, make_data
from recbole_decrs.ones_own import OnesOwn
from recbole_decrs.search_space import MAX_EVALS, Space, draws, grid
from recbole_decrs.tuning.outputs import best_setting, counting_trials, write_trials
from recbole_decrs.tuning.progress import TuneProgress, in_words
from recbole_decrs.tuning.queue import Queue
from recbole_decrs.tuning.space import check_keys, measured_settings, split
from recbole_decrs.tuning.storage import Search
from recbole_decrs.tuning.tested import result_on_test
from recbole_decrs.tuning.trial import run_in_worker, run_trial


def search_with_optuna(
    space: Space,
    files: list[str],
    fixed: dict[str, Any],
    algo: str | None,
    max_evals: int | None,
    prunes: bool,
    output: str | None,
    workers: int,
    engine: str,
) -> dict[str, Any]:
    """Run the trials that have not ended in an earlier call, and print the best setting and its result on test.

    Args:
        space: what is searched.
        files: config files of every trial.
        fixed: settings of every trial, over the files.
        algo: ``exhaustive``, ``random`` or ``bayes``; if none, exhaustive where all keys that need a training have
            choices, else bayes.
        max_evals: how many trainings there are at most; :data:`MAX_EVALS` if none, but for exhaustive search.
        prunes: whether trainings that fall behind are stopped.
        output: the folder for trials and results; ``tune/<model>-<dataset>`` if none.
        workers: how many trials are run at a time.
        engine: what carries several workers, of :data:`~recbole_decrs.engines.ENGINES`.

    Returns:
        the best setting on validation.

    Raises:
        DecRSError: the input cannot be used, or every trial failed.
    """
    with quiet_libraries():
        with RunLog() as log:
            search, data = _planned(space, files, fixed, prunes, output)
            config, fingerprint = data.dataset.config, data.fingerprint
            del data
            log.follow(config)
            settings = _settings(search, algo, max_evals, config["seed"])
            queue = Queue(search, settings, max_evals or MAX_EVALS, config["seed"], workers)
            check_writable(search.folder, "log", "log_tensorboard")
        given = {"model": config["model"], "dataset": config["dataset"]}
        given |= {**read_config_files(files, config.yaml_loader), **fixed}
        with search.claimed():
            study = search.opened({"settings": _what_scores_depend_on(config, space), "data": fingerprint})
            search.check_nobody_runs(queue.cut_off(study))

            def keep(trials: list[FrozenTrial]) -> None:
                write_trials(search, trials, given)

            with TuneProgress(search, queue.total(study), lambda: study.trials, keep) as progress:
                _run(search, queue.trials(study), workers, engine, progress)
            trials = study.trials
            keep(trials)
            return _told(search, trials)


def _planned(
    space: Space, files: list[str], fixed: dict[str, Any], prunes: bool, output: str | None
) -> tuple[Search, Data]:
    """Hold the space against the settings, and read the data, so that no search ends half done."""
    trained, after = split(space)
    measured = measured_settings(after)
    first = {key: values[0] for key, (kind, values) in trained.items() if kind == "choice"}
    config = DecRSConfig(config_file_list=files, config_dict={**fixed, **first, **measured[0]})
    check_keys(space, config.model, config.deconfounded)
    if config["resume"]:
        raise DecRSError("resume: tune goes on with its trials by itself; leave it out")
    configs = [config.with_values(**setting) for setting in measured]
    for one in configs:
        check_together(one)
    # Whose drift or groups are needed must be configured before the data are read.
    place = max(range(len(configs)), key=lambda place: (configs[place].needs_drift, bool(configs[place].needs_groups)))
    data = make_data(DecRSConfig(config_file_list=files, config_dict={**fixed, **first, **measured[place]}))
    if not data.valid:
        raise DecRSError("eval_args: its split leaves no validation part, by which tune chooses; give it one")
    folder = output or os.path.join("tune", f"{config.model}-{config.dataset}")
    metric, bigger = config["valid_metric"].lower(), config["valid_metric_bigger"]
    plan = Search(folder, files, fixed, space, trained, measured, measured[place], metric, bigger, prunes)
    return plan, data


def _settings(search: Search, algo: str | None, max_evals: int | None, seed: int) -> list[dict[str, Any]] | None:
    """List the settings that are to be tried; None where Optuna finds them."""
    ranges = [key for key, (kind, _) in search.trained.items() if kind != "choice"]
    if algo == "exhaustive" and ranges:
        raise DecRSError(f"{ranges[0]} is a range, which exhaustive search cannot try; use --algo=random or bayes")
    if not search.trained or algo == "exhaustive" or (algo is None and not ranges):
        settings = grid(search.trained)
        if max_evals is not None and max_evals < len(settings):
            raise DecRSError(
                f"max_evals: a grid tries all of its {len(settings)} settings; take --algo=random for {max_evals} of "
                "them, or leave it out"
            )
        return settings
    return draws(search.trained, max_evals or MAX_EVALS, seed) if algo == "random" else None


def _what_scores_depend_on(config, space: Space) -> dict[str, Any]:
    return {key: value for key, value in config.settings.items() if key not in CHANGE_NO_NUMBER and key not in space}


def _run(search: Search, numbers: Iterator[int], workers: int, engine: str, progress: TuneProgress) -> None:
    if workers == 1:
        for number in numbers:
            run_trial(search, number)
            progress.look()
        return
    here, own = os.getcwd(), OnesOwn.here()
    with ExitStack() as stack:
        stack.enter_context(watched(progress.look))
        parallel = stack.enter_context(workers_of(engine, workers))
        parallel(delayed(run_in_worker)(here, own, search, number) for number in numbers)
    progress.look()


def _told(search: Search, trials: list[FrozenTrial]) -> dict[str, Any]:
    """Tell the best setting, measure it on test, and tell where it lies.

    Raises:
        DecRSError: every trial failed.
    """
    ended = counting_trials(trials)
    failed = [trial for trial in ended if trial.state == TrialState.FAIL]
    best = best_setting(search, trials)
    if best is None:
        raise DecRSError(f"every trial failed, the first with: {failed[0].user_attrs['error']}")
    trial, setting, score = best
    pruned = sum(one.state == TrialState.PRUNED for one in ended)
    with RunLog(lines=False):  # what is told of the data was told before the first trial
        for one in failed:
            getLogger().warning(f"{in_words(search.setting(one))} failed: {one.user_attrs['error']}")
        result = result_on_test(search, trial.number, setting)
        if result is None:
            getLogger().warning(f"{search.checkpoint(trial.number)} is gone, and with it the result on test")
    print(f"best params: {setting}")
    print(
        f"best {title_of(search.metric)} on validation: {score:.4f}, of trial {trial.number}; "
        f"{len(ended)} trials, {pruned} pruned, {len(failed)} failed"
    )
    if result is not None:
        print(f"\n{result['table']}\n", flush=True)
    best_file = os.path.join(search.folder, "best.yaml")
    with RunLog():
        tell(f"trials  {os.path.join(search.folder, 'trials.csv')}")
        tell(f"best    {best_file}")
        tell(f"next: recbole-decrs --config_files={best_file}")
    return setting
