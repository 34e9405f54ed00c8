"""Runs a whole comparison, from what a caller gives to its tables and figures."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from logging import getLogger
from pathlib import Path
from typing import Any

import pandas as pd
from recbole.utils import ModelType

from recbole_decrs.checks import whole_number
from recbole_decrs.compare.checks import check_data, check_lists
from recbole_decrs.compare.configurations import Configurations
from recbole_decrs.compare.data_cache import DataCache
from recbole_decrs.compare.drifts import drifts_of
from recbole_decrs.compare.experiment import Experiment
from recbole_decrs.compare.job import Job
from recbole_decrs.compare.jobs import run_jobs
from recbole_decrs.compare.lists import as_collected, read_lists, without_exposure
from recbole_decrs.compare.pieces import Pieces
from recbole_decrs.compare.plan import Plan, plan_of
from recbole_decrs.compare.progress import Progress, listing
from recbole_decrs.compare.record import check_nothing_is_lost, record_of
from recbole_decrs.compare.results import Results
from recbole_decrs.compare.significance import few_seeds
from recbole_decrs.compare.wanted import Tell
from recbole_decrs.compare.workers import Recipe, run_in_workers
from recbole_decrs.compare.write import make_outputs, warn_without_matplotlib, write_outputs
from recbole_decrs.console import is_watched, shows_bars, tell
from recbole_decrs.engines import check_engine, one_thread
from recbole_decrs.errors import DecRSError, system_says
from recbole_decrs.evaluator.short_lists import tell_of_short_lists
from recbole_decrs.files import Claim
from recbole_decrs.log import RunLog, check_writable, quiet_libraries, tell_threads
from recbole_decrs.report.comparison.write import write_comparison_page
from recbole_decrs.tables import WIDTH, text_in_width

Experiments = dict[tuple[str, int], Experiment]
"""The experiments of a comparison by backbone and seed."""


@dataclass(frozen=True)
class _How:
    """Says how the pieces are made: see :func:`run_comparison`."""

    workers: int
    engine: str
    dry_run: bool


def run_comparison(
    backbones: Sequence[str] = ("FM", "NFM"),
    dataset: str | None = None,
    methods: Sequence[str] | str = "all",
    seeds: int | Sequence[int] = 3,
    output: str | None = None,
    lists: dict[str, str] | None = None,
    config_file_list: list[str] | None = None,
    config_dict: dict[str, Any] | None = None,
    command_line: dict[str, str] | None = None,
    command: str | None = None,
    workers: int = 1,
    engine: str = "loky",
    dry_run: bool = False,
) -> Results | None:
    """Train what must be trained, measure every method, and write the paper's tables and figures.

    Each finished piece is kept in ``output/pieces``; the same call after a kill goes on where it was.

    Args:
        backbones: names of conventional models.
        dataset: name of the dataset; if none, the key ``dataset``, else ml-100k.
        methods: names in :data:`~recbole_decrs.compare.methods.METHODS`, or ``all``.
        seeds: how many, from the key ``seed`` on; or which.
        output: the folder for tables and figures; ``results/<dataset>`` if none.
        lists: CSV files with ranking lists made elsewhere, by the name that they get in the tables.
        config_file_list, config_dict, command_line: as for :func:`~recbole_decrs.run_recbole_decrs`.
        command: what was typed, for the record.
        workers: how many pieces are made at a time. Several are made in as many processes, each with one thread; the
            numbers are those of one process with one thread.
        engine: what carries these processes, of :data:`~recbole_decrs.engines.ENGINES`.
        dry_run: True to print the pieces that are done and those to be made, and make none.

    Returns:
        What the tables are made from; None of a dry run.

    Raises:
        DecRSError: the input cannot be used.
    """
    backbones = ("FM", "NFM") if backbones is None else backbones
    methods = "all" if methods is None else methods
    configure = Configurations(dataset, config_file_list, config_dict, command_line)
    whole_number(1).require("workers", workers)
    check_engine(engine)

    with quiet_libraries():
        try:
            return _compare(
                _names("backbones", backbones),
                methods if isinstance(methods, str) and methods == "all" else _names("methods", methods),
                seeds,
                output,
                lists or {},
                configure,
                command,
                _How(workers, engine, dry_run),
            )
        except ImportError as error:  # some of RecBole's models import their libraries when they are made
            raise DecRSError(f"a backbone needs {error.name or error}, which is not installed; install it") from error
        except OSError as error:
            raise DecRSError(f"{system_says(error)}; the comparison stops; finished pieces are kept") from error


def _names(option: str, given: Iterable[str] | str) -> list[str]:
    """List names, each once; a single one may be given by itself."""
    names = [given] if isinstance(given, str) or not isinstance(given, Iterable) else list(given)
    for name in names:
        if not isinstance(name, str):
            raise DecRSError(
                f"{option} must be names, not {name!r}; register_model and register_method give one's own a name"
            )
    return list(dict.fromkeys(names))


def _compare(
    backbones: list[str],
    methods: Sequence[str] | str,
    seeds: int | Sequence[int],
    output: str | None,
    lists: dict[str, str],
    configure: Configurations,
    command: str | None,
    how: _How,
) -> Results | None:
    if not backbones:
        raise DecRSError("backbones names no model; write --backbones=FM,NFM")
    with RunLog() as log:
        if not how.dry_run:
            warn_without_matplotlib()
        plan = plan_of(backbones, methods, seeds, configure)
        check_lists(lists, backbones)
        first = configure(backbones[0], {})
        log.follow(first)
        folder = Path(output or os.path.join("results", first["dataset"]))
        check_nothing_is_lost(folder, plan.methods, plan.seeds, list(lists))
        tables = {name: read_lists(path) for name, path in lists.items()}
        if lists and "full" not in first["eval_args"]["mode"].values():
            raise DecRSError("lists are ranked among all items, and eval_args samples the candidates; leave one out")
        pieces, cache = Pieces(str(folder / "pieces")), DataCache()
        check_writable(str(folder), str(pieces.folder), first["checkpoint_dir"], "log", "log_tensorboard")
        if how.workers > 1:
            getLogger().info(f"{how.workers} workers ({how.engine}) make the pieces, each with one thread")
        else:
            tell_threads()
        experiments = {
            (backbone, seed): Experiment(backbone, seed, configure, pieces, cache)
            for backbone in backbones
            for seed in plan.seeds
        }
        experiment = next(iter(experiments.values()))
        check_data(experiment.data, experiment.config, {name for names in plan.methods.values() for name in names})
    if how.dry_run:
        with RunLog(console=False):
            print(listing(_jobs(experiments, plan), how.workers))
        return None
    with _claim(pieces.folder), one_thread() if how.workers > 1 else nullcontext():
        check_nothing_is_lost(folder, plan.methods, plan.seeds, list(lists))  # another may have ended meanwhile
        with RunLog(console=False):
            jobs = _jobs(experiments, plan)
            lines = first["show_progress"] and not is_watched()
            with Progress(jobs, how.workers, shows_bars(first), lines) as progress:
                if how.workers > 1:
                    recipe = Recipe(configure, str(pieces.folder), cache.fingerprints)
                    failed = run_in_workers(jobs, recipe, how.workers, how.engine, progress)
                else:
                    failed = run_jobs(jobs, partial(_make, experiments), progress)
        with RunLog() as log:
            log.follow(first)
            for name, reason in failed.items():
                getLogger().warning(f"{name} is left out: {reason}")
            results = _results(experiments, plan, tables)
            configs = {backbone: experiments[backbone, plan.seeds[0]].config for backbone in backbones}
            files = sorted(experiments[backbone, seed].path(name).name for backbone, name, seed in results.outcomes)
            record = record_of(results, configs, jobs, files, {**plan.left_out, **failed}, command)
            outputs = make_outputs(results)
            written = write_outputs(folder, list(outputs.values()), record)
            if page := write_comparison_page(results, record, folder, is_wanted=first["report"]):
                written.append(os.path.basename(page))
            _warn(results, record["threads"])
            if "table3" in outputs:
                print(f"\n{text_in_width(outputs['table3'].text)}")
            print(textwrap.fill(f"{folder}: {', '.join(written)}", WIDTH, break_on_hyphens=False), flush=True)
            for remark in experiment.config.remarks:
                getLogger().warning(remark)
            tell("next: the same command with more --seeds, --methods or --backbones keeps the pieces that are made")
    return results


def _jobs(experiments: Experiments, plan: Plan) -> list[Job]:
    return [job for (backbone, _), one in experiments.items() for job in one.jobs(plan.methods[backbone])]


def _make(experiments: Experiments, job: Job, tell: Tell) -> float:
    for place, experiment in experiments.items():
        if place != (job.backbone, job.seed):
            experiment.forget_candidates()
    return experiments[job.backbone, job.seed].make(job, tell)


def _claim(folder: Path) -> Claim:
    folder.mkdir(parents=True, exist_ok=True)
    try:
        return Claim(str(folder / "compare"))
    except BlockingIOError as error:
        raise DecRSError(
            f"output: another comparison writes to {folder.parent}; wait until it has ended, or give another --output"
        ) from error


def _results(experiments: Experiments, plan: Plan, tables: dict[str, pd.DataFrame]) -> Results:
    """Gather what the outputs are made from; a method that failed with one seed is left out with all."""
    outcomes, methods, lists, chosen_by, operators = {}, {}, {}, {}, {}
    for backbone, names in plan.methods.items():
        found = {(name, seed): experiments[backbone, seed].outcome(name) for name in names for seed in plan.seeds}
        methods[backbone] = [name for name in names if all(found[name, seed] for seed in plan.seeds)]
        outcomes |= {(backbone, *key): outcome for key, outcome in found.items() if key[0] in methods[backbone]}
        config = experiments[backbone, plan.seeds[0]].config
        chosen_by[backbone] = (config["valid_metric"].lower(), config["valid_metric_bigger"])
        operators[backbone] = config["backdoor_operator"]
    if tables:
        experiment = next(iter(experiments.values()))
        like, length = experiment.test_users(), max(experiment.config["topk"])
        for name, table in tables.items():
            collected = as_collected(table, name, like, experiment.data.test, length)
            lists[name] = without_exposure(experiment.outcome_of(collected), collected, name)
    is_compared = any(len(names) > 1 for names in methods.values())
    data = next(iter(experiments.values())).data
    drifts = drifts_of(data) if is_compared else None
    rated = _rated(experiments, plan)
    return Results(methods, plan.seeds, outcomes, lists, chosen_by, rated, drifts, operators, data.part.user_groups)


def _rated(experiments: Experiments, plan: Plan) -> dict[str, pd.DataFrame]:
    """Let each backbone with the first seed score rated pairs; empty where the data has no ratings."""
    rated = {}
    for backbone in plan.methods:
        experiment = experiments[backbone, plan.seeds[0]]
        if experiment.config["MODEL_TYPE"] == ModelType.SEQUENTIAL:  # it scores sequences, not pairs
            continue
        curves = experiment.share_curves()
        if curves is None:
            return {}
        rated[backbone] = curves
    return rated


def _warn(results: Results, threads: int | list[int]) -> None:
    if not results.has("decrs") and (warning := few_seeds(len(results.seeds))):  # else it stands below Table 3
        getLogger().warning(warning)
    n_short = max(outcome.info.get("short_lists", 0) for outcome in results.outcomes.values())
    tell_of_short_lists(n_short, results.metrics)
    if isinstance(threads, list):
        getLogger().warning(
            f"the pieces were made with {' and '.join(map(str, threads))} threads, and the last digits "
            "depend on their number; set OMP_NUM_THREADS, and give another --output"
        )
