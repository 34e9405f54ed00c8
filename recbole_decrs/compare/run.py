"""Runs a whole comparison and writes its tables and figures."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import platform
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from logging import getLogger
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from recbole.evaluator import metrics_dict
from recbole.utils import ModelType
from tqdm import tqdm

from recbole_decrs import __version__
from recbole_decrs.compare import figures
from recbole_decrs.compare.data_cache import DataCache
from recbole_decrs.compare.experiment import Experiment, Job
from recbole_decrs.compare.lists import as_collected, read_lists
from recbole_decrs.compare.methods import METHODS, PARTNER, Settings, why_not
from recbole_decrs.compare.pieces import Pieces
from recbole_decrs.compare.ratings import rated_pairs
from recbole_decrs.compare.tables import (
    Results,
    by_drift_frame,
    by_drift_text,
    few_seeds,
    longest_list,
    operator_frame,
    operator_text,
    overall_frame,
    overall_text,
    tests_frame,
)
from recbole_decrs.config import DecRSConfig, as_plain
from recbole_decrs.data.dataset import one_drift_remark
from recbole_decrs.errors import DecRSError, did_you_mean, system_says
from recbole_decrs.files import Claim
from recbole_decrs.log import RunLog, check_writable, quiet_libraries, tell_threads
from recbole_decrs.model.catalogue import find_model
from recbole_decrs.model.deconfound import is_deconfounded

CHOSEN_HERE = {
    "reranker": (None,),
    "reranker_lambda": (None,),
    "fusion_weight": (None,),
    "backbone_checkpoint": (None,),
    "inference": ("fused",),
    "ips": (None,),
    "backdoor_operator": ("fm", "fm_all_pairs"),
    "confounder_prior": ("interaction", "item", "uniform"),
}
"""Keys that compare sets by itself for some methods, and what they may be set to."""
OUTPUTS = ("table3", "table3-tests", "table4", "table5", "figure1b", "figure4", "figure5", "tradeoff")
PACKAGES = ("recbole", "torch", "numpy", "scipy", "pandas", "matplotlib")


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
) -> Results:
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

    Raises:
        DecRSError: the input cannot be used.
    """
    backbones = ("FM", "NFM") if backbones is None else backbones
    methods = "all" if methods is None else methods
    with quiet_libraries():
        try:
            return _compare(
                [backbones] if isinstance(backbones, str) else list(dict.fromkeys(backbones)),
                dataset,
                [methods] if isinstance(methods, str) and methods != "all" else methods,
                seeds,
                output,
                lists or {},
                (config_file_list, config_dict, dict(command_line or {})),
                command,
            )
        except ImportError as error:  # some of RecBole's models import their libraries when they are made
            raise DecRSError(f"a backbone needs {error.name or error}, which is not installed; install it") from error
        except OSError as error:
            raise DecRSError(f"{system_says(error)}; the comparison stops; finished pieces are kept") from error


def _compare(
    backbones: list[str],
    dataset: str | None,
    methods: Sequence[str] | str,
    seeds: int | Sequence[int],
    output: str | None,
    lists: dict[str, str],
    given: tuple[list[str] | None, dict[str, Any] | None, dict[str, str]],
    command: str | None,
) -> Results:
    made: dict[str, DecRSConfig] = {}

    def configure(model: str, settings: Settings) -> DecRSConfig:
        key = json.dumps([model, settings], sort_keys=True)
        if key not in made:
            files, by_key, typed = given
            made[key] = DecRSConfig(model, dataset, files, by_key, {**typed, **settings})
        return made[key]

    if not backbones:
        raise DecRSError("backbones names no model; write --backbones=FM,NFM")
    with RunLog():
        plan, left_out = _plan(backbones, methods, configure)
        first = configure(backbones[0], {})
        seeds = _seeds(seeds, first["seed"])
        _check_lists(lists, backbones)
        output = output or os.path.join("results", first["dataset"])
        _check_nothing_is_lost(Path(output), plan, seeds, lists)
        tables_of_lists = {name: read_lists(path) for name, path in lists.items()}
        if lists and "full" not in first["eval_args"]["mode"].values():
            raise DecRSError("lists are ranked among all items, and eval_args samples the candidates; leave one out")
        pieces, cache = Pieces(os.path.join(output, "pieces")), DataCache()
        check_writable(output, str(pieces.folder), first["checkpoint_dir"], "log", "log_tensorboard")
        tell_threads()
        experiments = {
            (backbone, seed): Experiment(backbone, seed, configure, pieces, cache)
            for backbone in backbones
            for seed in seeds
        }
        _check_data(experiments[backbones[0], seeds[0]], {name for names in plan.values() for name in names})
    with _claim(pieces.folder):
        with RunLog(console=False):
            jobs = [job for (backbone, _), one in experiments.items() for job in one.jobs(plan[backbone])]
            failed = _run_jobs(jobs, first["show_progress"])
        with RunLog():
            results = _results(experiments, plan, seeds, failed, tables_of_lists)
            record = _record(results, experiments, jobs, {**left_out, **failed}, command)
            _write(Path(output), results, experiments, record)
    return results


def _claim(folder: Path) -> Claim:
    folder.mkdir(parents=True, exist_ok=True)
    try:
        return Claim(str(folder / "compare"))
    except BlockingIOError as error:
        raise DecRSError(
            f"output: another comparison writes to {folder.parent}; wait until it has ended, or give another --output"
        ) from error


def _plan(backbones: list[str], methods: Sequence[str] | str, configure) -> tuple[dict[str, list[str]], dict[str, str]]:
    """The methods of each backbone, and why others are left out."""
    wanted = list(METHODS) if methods == "all" else ["backbone", *methods]
    for name in wanted:
        if name not in METHODS:
            raise DecRSError(
                f"methods: there is no method {name}{did_you_mean(name, METHODS) or f'; take of {list(METHODS)}'}"
            )
    plan, left_out = {}, {}
    splits = {backbone: configure(backbone, {})["eval_args"]["split"] for backbone in backbones}
    other = next((backbone for backbone in backbones if splits[backbone] != splits[backbones[0]]), None)
    if other is not None:
        raise DecRSError(
            f"eval_args: {backbones[0]} and {other} would be tested on other clicks, by the splits "
            f"{splits[backbones[0]]} and {splits[other]}; give all backbones the same, such as "
            "--eval_args=\"{'split': {'LS': 'valid_and_test'}}\""
        )
    sequential = [name for name in backbones if configure(name, {})["MODEL_TYPE"] == ModelType.SEQUENTIAL]
    if sequential and len(sequential) < len(backbones):
        getLogger().warning(
            f"{', '.join(sequential)} may recommend what a user has clicked before, as RecBole evaluates sequential "
            "models, and the other backbones may not: compare within a backbone"
        )
    for backbone in backbones:
        if is_deconfounded(find_model(backbone)):
            raise DecRSError(f"backbones: {backbone} is deconfounded; name the conventional {backbone[3:]}")
        config = configure(backbone, {})
        _check_settings(config)
        try:
            twin = find_model(f"Dec{backbone}")
        except DecRSError:
            twin = None
        reasons = {name: why_not(name, config, twin) for name in METHODS if name in wanted}
        plan[backbone] = [name for name, reason in reasons.items() if reason is None]
        for name, reason in reasons.items():
            if reason:
                left_out[f"{backbone}, {METHODS[name].title}"] = reason
                getLogger().warning(f"{METHODS[name].title} is left out for {backbone}: {reason}")
    return plan, left_out


def _check_nothing_is_lost(
    folder: Path, plan: dict[str, list[str]], seeds: list[int], lists: Sequence[str] | dict[str, str]
) -> None:
    """See that everything in the tables of an earlier comparison in this folder will be in the new ones."""
    try:
        record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        methods = [(backbone, name) for backbone, names in record["methods"].items() for name in names]
        had = {"seeds": list(record["seeds"]), "lists": list(record.get("lists", ()))}
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return  # there is none, or it is none of ours
    lost = [backbone for backbone, _ in methods if backbone not in plan]
    lost += [f"{name} of {backbone}" for backbone, name in methods if name not in plan.get(backbone, [name])]
    lost += [f"seed {seed}" for seed in had["seeds"] if seed not in seeds]
    lost += [f"the list {name}" for name in had["lists"] if name not in lists]
    if lost:
        raise DecRSError(
            f"output: the tables in {folder} have {', '.join(dict.fromkeys(lost))} (run.json), which this call would "
            "take out of them; give another --output, or the backbones, methods, seeds and lists of before as well"
        )


def _check_lists(lists: dict[str, str], backbones: list[str]) -> None:
    if not isinstance(lists, dict):
        raise DecRSError(f"lists must be CSV files by the names that they get in the tables, not {lists!r}")
    taken = {name.lower() for name in (*METHODS, *(method.title for method in METHODS.values()), *backbones)}
    for name in lists:
        if name.lower() in taken:
            raise DecRSError(f"lists: the name {name} is taken; take another")
        taken.add(name.lower())


def _check_settings(config: DecRSConfig) -> None:
    for key, allowed in CHOSEN_HERE.items():
        if config[key] not in allowed:
            raise DecRSError(f"{key}: compare runs every method by itself; leave {key} out")
    if config["epochs"] < 1 or config["eval_step"] < 1:
        raise DecRSError("compare chooses on validation during training; epochs and eval_step must be at least 1")
    if config["group_field"] in ((config["unused_col"] or {}).get("item") or ()):
        raise DecRSError(f"unused_col: {config['group_field']} is the group_field; unawareness leaves it out by itself")
    if "drift_alpha" in config.external_config_dict:
        raise DecRSError("drift_alpha: compare chooses alpha on validation, from drift_alpha_grid; leave it out")
    if config["MODEL_TYPE"] == ModelType.SEQUENTIAL and "LS" not in config["eval_args"]["split"]:
        raise DecRSError(
            f"eval_args: the tests of compare take a list for a user, and with this split {config.model} makes one "
            "before each evaluated click; take split: {'LS': 'valid_and_test'}"
        )
    if config["drift_history"] != "train":
        raise DecRSError("drift_history: compare chooses alpha on the validation clicks; set drift_history: train")
    for metric in config["metrics"]:
        if "rec.meanrank" in metrics_dict[metric.lower()].metric_need:
            raise DecRSError(f"metrics: {metric} ranks all items, and re-rankers a user's top ones; leave it out")
    known = {metric.lower() for metric in config["metrics"]}
    for metric in ("Recall", "NDCG", "CKL"):
        if metric.lower() not in known:
            raise DecRSError(f"compare's tables and figures need {metric} among the metrics; add it")


def _seeds(seeds: int | Sequence[int], first: int) -> list[int]:
    if isinstance(seeds, int) and not isinstance(seeds, bool):
        seeds = range(first, first + seeds)
    numbers = isinstance(seeds, Sequence) and all(isinstance(seed, int) for seed in seeds)
    if not numbers or not seeds or not all(0 <= seed < 2**32 - PARTNER for seed in seeds):
        raise DecRSError(f"seeds must be how many, such as 3, or which in [0, {2**32 - PARTNER}), such as [2020,2021]")
    return list(dict.fromkeys(seeds))


def _check_data(experiment: Experiment, methods: set[str]) -> None:
    data = experiment.data
    if data.part.confounder is None:
        raise DecRSError("group_field is not set, and compare needs item groups; set it to a column of the .item file")
    if data.part.confounder.drift is None:
        raise DecRSError("compare needs the drift of each user, and the clicks have no time; set TIME_FIELD, load_col")
    if not len(data.valid._dataset):
        raise DecRSError("compare chooses on validation, and the validation part is empty; change eval_args")
    weighed = [method.title for name, method in METHODS.items() if name in methods and method.weights_by_drift]
    if weighed and data.part.confounder.one_drift:
        remark = one_drift_remark(data.part.dataset_name, experiment.config["drift_alpha_grid"])
        getLogger().warning(f"{remark} ({', '.join(weighed)})")


def _run_jobs(jobs: list[Job], show_progress: bool) -> dict[str, str]:
    """Make the pieces that are missing; returns why some could not be made."""
    failed: dict[str, str] = {}
    seconds = {job.name + job.kind: job.seconds for job in jobs if job.seconds is not None}
    with tqdm(total=len(jobs), ncols=110, desc="Compare", disable=not show_progress, initial=len(seconds)) as bar:
        bar.bar_format = "{desc} {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} pieces [{elapsed}{postfix}]"
        for job in jobs:
            if job.seconds is not None:
                continue
            bar.set_postfix_str(f"{job.kind} {job.name}{_left(jobs, seconds)}")
            try:
                job.seconds = seconds[job.name + job.kind] = job.run()
            except DecRSError as error:
                if job.needed:
                    raise
                failed.setdefault(job.name, str(error))  # a model and its method may share a name
            bar.update()
        bar.set_postfix_str("done")
    return failed


def _left(jobs: list[Job], seconds: dict[str, float]) -> str:
    """How long the pieces that are missing will take, by those of the same backbone and kind, else of the same kind."""
    made = [(job, seconds[job.name + job.kind]) for job in jobs if job.name + job.kind in seconds]
    total = 0.0
    for job in jobs:
        if job.name + job.kind in seconds:
            continue
        same = [(other, value) for other, value in made if other.kind == job.kind]
        backbone = job.name.partition("-")[0]
        alike = [value for other, value in same if other.name.partition("-")[0] == backbone]
        known = alike or [value for _, value in same]
        if not known:
            return ""
        total += float(np.mean(known))
    return f", about {total / 60:.0f} min left" if total >= 60 else f", about {total:.0f} s left"


def _results(
    experiments: dict[tuple[str, int], Experiment],
    plan: dict[str, list[str]],
    seeds: list[int],
    failed: dict[str, str],
    tables_of_lists: dict[str, pd.DataFrame],
) -> Results:
    for name, reason in failed.items():
        getLogger().warning(f"{name} is left out: {reason}")
    outcomes, methods = {}, {}
    for backbone, names in plan.items():
        found = {(backbone, name, seed): experiments[backbone, seed].outcome(name) for name in names for seed in seeds}
        methods[backbone] = [name for name in names if all(found[backbone, name, seed] for seed in seeds)]
        outcomes |= {key: outcome for key, outcome in found.items() if key[1] in methods[backbone]}
    lists = {}
    if tables_of_lists:
        experiment = next(iter(experiments.values()))
        like, length = experiment.best_of("backbone").test, max(experiment.config["topk"])
        for name, table in tables_of_lists.items():
            struct = as_collected(table, name, like, experiment.data.test, length)
            lists[name] = experiment.outcome_of(struct)
    chosen_by = {}
    for backbone in plan:
        config = experiments[backbone, seeds[0]].config
        chosen_by[backbone] = (config["valid_metric"].lower(), config["valid_metric_bigger"])
    return Results(methods, seeds, outcomes, lists, chosen_by)


def _write(
    folder: Path, results: Results, experiments: dict[tuple[str, int], Experiment], record: dict[str, Any]
) -> None:
    overall, tests = overall_frame(results), tests_frame(results)
    text = overall_text(results, overall, tests)
    texts = {"table3": text}
    frames = {"table3": overall, "table3-tests": tests, "table4": by_drift_frame(results)}
    if any("decrs" in names for names in results.methods.values()):
        texts["table4"] = by_drift_text(results)
    operators = operator_frame(results)
    if len(operators):
        frames["table5"], texts["table5"] = operators, operator_text(operators)
    written = [f"{name}.md" for name in texts] + [f"{name}.csv" for name in frames] + ["run.json"]
    with _all_or_nothing(folder) as new:
        for name, content in texts.items():
            (new / f"{name}.md").write_text(content, encoding="utf-8")
        for name, frame in frames.items():
            frame.to_csv(new / f"{name}.csv", index=False, float_format="%.6g")
        (new / "run.json").write_text(json.dumps(as_plain(record), indent=1) + "\n", encoding="utf-8")
        written += _write_figures(new, results, experiments)
    if warning := few_seeds(results):
        getLogger().warning(warning)
    if isinstance(record["threads"], list):
        getLogger().warning(
            f"the pieces were made with {' and '.join(map(str, record['threads']))} threads, and the last digits "
            "depend on their number; set OMP_NUM_THREADS, and give another --output"
        )
    print(f"\n{text}")
    print(f"{folder}: {', '.join(written)}")
    for remark in next(iter(experiments.values())).config.remarks:
        getLogger().warning(remark)


@contextmanager
def _all_or_nothing(folder: Path) -> Iterator[Path]:
    """Give a folder to write outputs into, and when all are whole put them in the place of an earlier comparison's."""
    new = folder / "pieces" / "outputs.tmp"
    shutil.rmtree(new, ignore_errors=True)  # of a run that was killed
    new.mkdir(parents=True)
    try:
        yield new
        made = sorted(new.iterdir())
        for file in made:
            os.replace(file, folder / file.name)
        names = {file.name for file in made}
        for old in (f"{name}.{ending}" for name in OUTPUTS for ending in ("md", "csv", "png")):
            if old not in names:
                (folder / old).unlink(missing_ok=True)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _write_figures(folder: Path, results: Results, experiments: dict[tuple[str, int], Experiment]) -> list[str]:
    """The numbers of each figure as CSV and, with matplotlib, its picture; returns the names of the files."""
    longest = longest_list(results)
    accuracy = [f"recall@{longest}", f"ckl@{longest}", f"ndcg@{longest}"]
    frames = {
        "figure4": figures.drift_curves(results, ("backbone", "calibration", "decrs"), accuracy[1:2]),
        "figure5": figures.drift_curves(results, ("backbone", "decrs_wo", "decrs"), accuracy[::2]),
        "tradeoff": figures.trade_off_points(results),
    }
    draw = {"figure4": figures.draw_drift_curves, "figure5": figures.draw_drift_curves}
    draw |= {"tradeoff": figures.draw_trade_off, "figure1b": figures.draw_share_curves}
    shares = _share_curves(results, experiments)
    if shares is not None:
        frames["figure1b"] = shares
    for name, frame in frames.items():
        frame.to_csv(folder / f"{name}.csv", index=False, float_format="%.6g")
    written = [f"{name}.csv" for name in frames]
    if importlib.util.find_spec("matplotlib") is None:
        getLogger().warning("matplotlib is not installed, so no figure is drawn: pip install 'recbole_decrs[plots]'")
        return written
    getLogger("matplotlib").setLevel("WARNING")
    from matplotlib import rc_context, rcdefaults

    with rc_context():
        rcdefaults()  # whatever a matplotlibrc of this folder says
        for name, frame in frames.items():
            draw[name](frame).savefig(folder / f"{name}.png")
    return [*written, *(f"{name}.png" for name in frames)]


def _share_curves(results: Results, experiments: dict[tuple[str, int], Experiment]) -> pd.DataFrame | None:
    """The numbers of Figure 1(b), of each backbone with the first seed."""
    frames = []
    for backbone in results.methods:
        experiment = experiments[backbone, results.seeds[0]]
        if experiment.config["MODEL_TYPE"] == ModelType.SEQUENTIAL:  # it scores sequences, not pairs
            continue
        part = experiment.data.part
        pairs = rated_pairs(experiment.config, part)
        if pairs is None:
            return None
        users, items = pairs["user"].to_numpy(copy=True), pairs["item"].to_numpy(copy=True)  # for torch
        shares = (part.confounder.membership[items] * part.confounder.user_distribution[users]).sum(axis=1)
        scores = experiment.score_pairs(users, items)
        frame = figures.share_curves(pairs["rating"].to_numpy(), shares, scores)
        frame.insert(0, "backbone", backbone)
        frames.append(frame)
    return pd.concat(frames, ignore_index=True) if frames else None


def _record(
    results: Results,
    experiments: dict[tuple[str, int], Experiment],
    jobs: list[Job],
    left_out: dict[str, str],
    command: str | None,
) -> dict[str, Any]:
    versions = {name: importlib.metadata.version(name) for name in PACKAGES if importlib.util.find_spec(name)}
    machine_dependent = ("data_path", "checkpoint_dir")
    threads = sorted({number for outcome in results.outcomes.values() for number in outcome.info["threads"]})
    return {
        "command": command,
        "seeds": results.seeds,
        "methods": results.methods,
        "lists": list(results.lists),
        "left_out": left_out,
        "threads": threads[0] if len(threads) == 1 else threads,
        "versions": {"recbole_decrs": __version__, "python": platform.python_version(), **versions},
        "seconds": {f"{job.kind} {job.name}": round(job.seconds, 2) for job in jobs if job.seconds is not None},
        "config": {
            backbone: {
                key: value
                for key, value in experiments[backbone, results.seeds[0]].config.settings.items()
                if key not in machine_dependent
            }
            for backbone in results.methods
        },
    }
