"""Runs and tunes any RecBole model and DecRS, by functions like those of RecBole's quick_start."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from functools import partial
from logging import getLogger
from typing import Any

from recbole.data.transform import construct_transform
from recbole.utils import get_environment, get_flops, set_color

from recbole_decrs.checks import settings_by_key
from recbole_decrs.config import DecRSConfig
from recbole_decrs.console import shows_bars, tell
from recbole_decrs.distributed.group import connect, is_first, place
from recbole_decrs.distributed.launch import is_started_by_torchrun, launch, taken_place
from recbole_decrs.distributed.settings import Layout
from recbole_decrs.errors import DecRSError, system_says, told_of_recboles_model
from recbole_decrs.importing.of_run import dataset_of_run
from recbole_decrs.log import RunLog, check_writable, quiet_libraries, tell_threads
from recbole_decrs.making import Data, make_data, make_model, make_trainer
from recbole_decrs.report.run import finished_run, write_run_page
from recbole_decrs.resume import checkpoint_to_resume
from recbole_decrs.run_lines import Files, tell_files, tell_training, tell_what_runs
from recbole_decrs.run_result import recommenders_of, result_of
from recbole_decrs.runs.record import record_of_run
from recbole_decrs.runs.write import files_of_run, write_run
from recbole_decrs.single_trainer import SingleTrainer
from recbole_decrs.trainer import DecRSTrainer, load_backbone
from recbole_decrs.training import train


def run_recbole_decrs(
    model: str | type | None = None,
    dataset: str | None = None,
    config_file_list: list[str] | None = None,
    config_dict: dict[str, Any] | None = None,
    saved: bool = True,
    command_line: dict[str, str] | None = None,
    command: str | None = None,
    clicks: Any = None,
    items: Any = None,
    users: Any = None,
    **columns: str,
) -> dict[str, Any]:
    """Train and test a model; the counterpart of RecBole's ``run_recbole``.

    For a deconfounded model (``DecFM``, ``DecNFM``) both the conventional and the deconfounded recommender are
    trained and fused. Any other RecBole model is trained as RecBole does, with the same metrics and user groups.

    Args:
        model: name of the model, or a class of your own; if none, the key ``model``, else DecFM.
        dataset: name of the dataset; if none, the key ``dataset``, else ml-100k.
        config_file_list: paths of YAML files.
        config_dict: settings by key, over the files.
        saved: whether to save the model; without it the last epoch is tested, as in RecBole.
        command_line: settings by key as typed text, over all others. ``sys.argv`` is never read here.
        command: what was typed, for the record beside the checkpoint.
        clicks, items, users: the data, as data frames of pandas, polars, ...; they are written as the dataset of that
            name, or of one made of their content, from which whatever reads the checkpoint takes them.
        columns: which columns hold what, and how, where that is not found out, as of
            :func:`~recbole_decrs.importing.import_data`: ``user="reader", time="when"``.

    Returns:
        ``best_valid_score``, ``valid_score_bigger``, ``best_valid_result`` and ``test_result`` as RecBole;
        ``by_drift``: threshold -> users and metrics by recommender; ``by_group``: the same by name of the groups of
        ``user_groups``, which are those of the second table; ``saved_model_file``; ``table``: the printed
        text; for deconfounded models also ``conventional_test_result``, ``deconfounded_test_result``, ``drift_alpha``.

    With ``nproc`` in ``config_dict`` or ``command_line`` that many processes train it, to the same numbers; a script
    that does so must call this below ``if __name__ == "__main__":``.

    Raises:
        DecRSError: the input cannot be used; nothing has been written then.
    """
    settings, told = {**settings_by_key(config_dict), **(command_line or {})}, []
    if clicks is not None:
        frames = {"clicks": clicks, "items": items, "users": users, **columns}
        dataset, below, told = dataset_of_run(dataset, settings, config_file_list, frames)
        config_dict = {**below, **(config_dict or {})}
    elif items is not None or users is not None or columns:
        given = next(iter(columns), "items" if items is not None else "users")
        raise DecRSError(f"{given}: it is of data that come as data frames, and there are no clicks; give clicks")
    call = partial(_run_here, model, dataset, config_file_list, config_dict, saved, command_line, command, told)
    layout = Layout.of(settings)
    if layout.world_size > 1 and (place() is None or is_started_by_torchrun()):
        return launch(call, layout)
    with taken_place():
        return call()


def _run_here(
    model: str | type | None,
    dataset: str | None,
    config_file_list: list[str] | None,
    config_dict: dict[str, Any] | None,
    saved: bool,
    command_line: dict[str, str] | None,
    command: str | None,
    told: list[str],
) -> dict[str, Any]:
    """Do the part of this process in :func:`run_recbole_decrs`, which is everything where there is one."""
    with quiet_libraries(), RunLog(console=is_first(), file=is_first()) as log:
        config = DecRSConfig(model, dataset, config_file_list, config_dict, command_line)
        log.follow(config)
        for line in told:
            tell(line)
        connect(config["device"])
        result = _run(config, saved, log, command)
        if is_first():
            print(f"\n{result['table']}\n", flush=True)
        for table in dict.fromkeys((result["table"], result.pop("full_table"))):  # one and the same with verbose
            log.to_file(f"\n{table}")
        for remark in config.remarks:
            getLogger().warning(remark)
        tell_files(config, result.pop("files"))
    return result


def _run(config: DecRSConfig, saved: bool, log: RunLog, command: str | None = None) -> dict[str, Any]:
    try:
        return _train_and_test(config, saved, log, command)
    except ImportError as error:  # some of RecBole's models import their libraries when they are made
        raise DecRSError(
            f"{config['model']} needs {error.name or error}, which is not installed; install it"
        ) from error
    except OSError as error:
        raise DecRSError(f"{system_says(error)}; the run cannot go on") from error


def _report(config: DecRSConfig, trainer, data: Data, test_result: dict[str, float], files: Files) -> Files:
    """Write the page of the run where it is wanted; an error of it is told, and the run goes on."""
    if not config["report"]:
        return []
    results, collected, _ = recommenders_of(config, trainer, test_result)
    gather = partial(finished_run, config, trainer, data, results, collected, dict(files))
    path = write_run_page(gather, trainer.saved_model_file)
    return [("report", path)] if path else []


@dataclass(frozen=True)
class Run:
    """Holds what a training needs, made in the order in which its random numbers come."""

    config: DecRSConfig
    """The configuration, with the order of clicks that the data have."""
    data: Data
    trainer: DecRSTrainer | SingleTrainer


def make_run(config: DecRSConfig, log: RunLog) -> Run:
    """Read the data, make the model and its trainer, and open the log file, before which nothing is written.

    Args:
        config: the configuration.
        log: has been entered.

    Raises:
        DecRSError: the input cannot be used.
    """
    logger = getLogger()
    logger.info(config)
    data = make_data(config, tell=logger.info)
    config = data.dataset.config
    tell_what_runs(config, data.dataset)
    part, deconfounded = data.part, config.deconfounded
    model = make_model(config, part)
    path = config["backbone_checkpoint"]
    backbone_state = load_backbone(config, model, path, part) if deconfounded and path else None
    part.trained_on = data.fingerprint
    resumed = checkpoint_to_resume(config, part)
    if is_first():
        check_writable(config["checkpoint_dir"], "log", "log_tensorboard")
    log.start(config)
    if log.path:
        tell(f"everything is logged in {log.path}")
    tell_threads()
    logger.info(model)
    for one in (model.conventional, model.deconfounded) if deconfounded else (model,):
        _log_flops(config, one, data.dataset)
    trainer = make_trainer(config, model, backbone_state)
    if resumed:
        trainer.resume_checkpoint(resumed)
    return Run(config, data, trainer)


def _train_and_test(config: DecRSConfig, saved: bool, log: RunLog, command: str | None) -> dict[str, Any]:
    logger, start = getLogger(), time.monotonic()
    if config["resume"] and not saved:
        raise DecRSError("resume: goes on from what is saved, and this run saves nothing; leave one out")
    run = make_run(config, log)
    config, data, trainer = run.config, run.data, run.trainer
    shown = {"show_progress": shows_bars(config)}
    best_valid_score, best_valid_result = train(
        trainer, data.train, data.valid, as_in_recbole=True, saved=saved, **shown
    )
    if not config.deconfounded:
        tell_training(trainer)
    if config["reranker"] and data.valid:
        best_valid_result = trainer.evaluate(data.valid, load_best_model=False, **shown)
        best_valid_score = best_valid_result[config["valid_metric"].lower()]
    test_result = trainer.evaluate(data.test, load_best_model=False, **shown)
    logger.info("The running environment of this training is as follows:\n" + get_environment(config).draw())
    logger.info(set_color("best valid ", "yellow") + f": {best_valid_result}")
    logger.info(set_color("test result", "yellow") + f": {test_result}")
    files = [("checkpoint", trainer.saved_model_file)] if saved else []
    files += [("log", log.path)] if log.path else []
    result = result_of(config, trainer, data.part, best_valid_score, best_valid_result, test_result, files)
    if saved:
        files += files_of_run(trainer.saved_model_file)
        if is_first():
            files += _report(config, trainer, data, test_result, files)
            write_run(record_of_run(config, data, result, time.monotonic() - start, command))
    return result


def _log_flops(config: DecRSConfig, model, dataset) -> None:
    """Log how many floating-point operations a prediction takes, as RecBole does."""
    try:
        with told_of_recboles_model(model, "evaluated"):
            flops = get_flops(model, dataset, config["device"], getLogger(), construct_transform(config))
    except (AssertionError, DecRSError) as error:
        # SASRecCPR and GRU4RecCPR refuse to score single pairs, by which RecBole counts.
        if not isinstance(error.__cause__ or error, AssertionError):
            raise
        flops = "not known"
    getLogger().info(set_color(f"FLOPs of {type(model).__name__}", "blue") + f": {flops}")


def objective_function(
    config_dict: dict[str, Any] | None = None, config_file_list: list[str] | None = None, saved: bool = True
) -> dict[str, Any]:
    """Run one trial of RecBole's ``HyperTuning``, or of Ray Tune, to which it reports.

    Args:
        config_dict: the trial's settings, over the files.
        config_file_list: paths of YAML files.
        saved: whether to save the model.

    Returns:
        ``model``, ``best_valid_score``, ``valid_score_bigger``, ``best_valid_result``, ``test_result``.
    """
    with quiet_libraries(), RunLog(lines=False) as log:
        quietly = {"show_progress": False, "report": False}
        config = DecRSConfig(None, None, config_file_list, {**(config_dict or {}), **quietly})
        log.follow(config)
        result = _run(config, saved, log)
    if "ray.tune" in sys.modules and sys.modules["ray.tune"].get_context().get_trial_id() is not None:
        sys.modules["ray.tune"].report({"best_valid_score": result["best_valid_score"], **result["test_result"]})
    wanted = ("best_valid_score", "valid_score_bigger", "best_valid_result", "test_result")
    return {"model": config["model"], **{key: result[key] for key in wanted}}
