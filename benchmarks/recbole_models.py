"""Every model of RecBole's families by this plugin: does it run, does its checkpoint reload, are its numbers RecBole's?

Each model is trained for one epoch on ml-100k, which RecBole ships, three times over: by ``run_recbole_decrs``; by
``load_data_and_model`` from the checkpoint of that run, to be tested again; and by RecBole's own parts, put together as
in its ``run_recbole`` (its ``quick_start`` needs ray), with the same settings, seed and split, and without the
checkpoint, which RecBole cannot read again from torch 2.6 on.

Each model has a process of its own with a time limit, so a crash or a hang costs one row. Finished models are kept in a
CSV file beside the table; the same command goes on where it was, and a row taken out of the file is made again.
"""

import argparse
import json
import logging
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

import recbole
import torch
from common import PLAIN, environment, finished, keep

warnings.simplefilter("ignore")
FAMILIES = {
    "general": "general_recommender",
    "context-aware": "context_aware_recommender",
    "knowledge-based": "knowledge_aware_recommender",
    "sequential": "sequential_recommender",
}
"""Family as the table names it -> RecBole's name of its folder."""
COLUMNS = ["family", "model", "runs", "reloads", "numbers", "seconds", "recbole_seconds", "reason"]

SAME = {"epochs": 1, "show_progress": False, "state": "WARNING"}
"""Settings of both sides."""
AT_RANDOM = {"eval_args": {"split": {"RS": [0.8, 0.1, 0.1]}, "order": "RO", "group_by": "user", "mode": "full"}}
"""Of both sides but for sequential models: the plugin's order of time is finer than RecBole's float32."""
FROM_THE_PLUGIN = [
    "eval_args",
    "load_col",
    "val_interval",
    "threshold",
    "train_neg_sample_args",
    "topk",
    "valid_metric",
    "stopping_step",
    "metric_decimal_place",
    "seed",
]
"""Where the plugin's default is another than RecBole's, RecBole's side is given the plugin's."""

RECBOLES_FM = PLAIN | {"learner": "adam", "learning_rate": 0.001, "train_batch_size": 2048, "embedding_size": 10}
RECBOLES_LOADER = {"train_neg_sample_args": {"distribution": "popularity", "sample_num": 1}}
"""The plugin trains FM and NFM by a loader of its own, which draws other uniform negatives than RecBole's."""
FEWER_USERS = {"user_inter_num_interval": "[200,inf)"}
"""What takes the time is RecBole's, on both sides: each pair of a full sort by itself, or a sequence for each click."""
SETTINGS_OF: dict[str, dict[str, Any]] = {
    "FM": RECBOLES_FM | RECBOLES_LOADER,
    "NFM": RECBOLES_FM | RECBOLES_LOADER | {"mlp_hidden_size": [64, 64, 64], "mlp_activation": "sigmoid"},
    # Its default stage pre-trains for 150 epochs, and nothing but every tenth is saved.
    "RaCT": {"pretrain_epochs": 1, "save_step": 1},
    "S3Rec": {"pretrain_epochs": 1, "save_step": 1},
    # Its 1000 clusters of users are more than ml-100k has users.
    "NCL": {"num_clusters": 100},
    # A network over each pair, or over each item of a user's history, or 32 matrices a sample, or all items by all.
    **dict.fromkeys(("ConvNCF", "NAIS", "NNCF", "xDeepFM", "MCCLK", "MKR", "RippleNet"), FEWER_USERS),
}
"""Settings of both sides for some models."""
TOLD = {
    "popularity": "negatives drawn by popularity",
    "user_inter_num_interval": "users with {} ratings",
    "pretrain_epochs": "{} epoch of pre-training",
    "num_clusters": "{} clusters",
}
"""How the table tells of a setting of both sides that is not the default."""


def main() -> None:
    """Run what is missing, and write the table; or run one model, if told so by another process of this script."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--families", nargs="*", choices=FAMILIES, default=list(FAMILIES))
    parser.add_argument("--models", nargs="*", help="only these")
    parser.add_argument("--output", default="results/recbole-models.md")
    parser.add_argument("--limit", type=float, default=300, help="seconds for a model, all its runs together")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--remark", default="", help="on the machine, for the table")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--report", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    if chosen.one:
        check_one(chosen.one, Path(chosen.report))
        return
    from recbole_decrs.model.recbole_models import names_of

    output = Path(chosen.output)
    output.parent.mkdir(parents=True, exist_ok=True)
    kept = output.with_suffix(".csv")
    for family in chosen.families:
        for name in names_of(FAMILIES[family]):
            if chosen.models and name not in chosen.models:
                continue
            if any(row["model"] == name for row in finished(kept)):
                continue
            row = {"family": family, "model": name, **in_own_process(name, chosen.limit, chosen.threads)}
            print(*row.values(), sep=" | ", flush=True)
            keep(kept, COLUMNS, [[row[column] for column in COLUMNS]])
    write_table(output, finished(kept), chosen)


def in_own_process(name: str, limit: float, threads: int) -> dict[str, str]:
    """The cells of a model, from what its process has reported until it ended or was ended."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [sys.executable, os.path.abspath(__file__), f"--one={name}", f"--report={report}"]
        try:
            done = subprocess.run(
                [*command, f"--threads={threads}"], cwd=folder, capture_output=True, text=True, timeout=limit
            )
            ended = "" if done.returncode == 0 else how_it_ended(done)
        except subprocess.TimeoutExpired:
            ended = f"not done after {limit:g} s"
        cells = json.loads(report.read_text(encoding="utf-8")) if report.exists() else {}
        cells = {column: str(cells.get(column, "")) for column in COLUMNS[2:]}
        reasons = [
            cells["reason"],
            f"{ended} ({cells_missing(cells)})" if ended else "",
            told(settings_of(name)) if cells["runs"] == "yes" else "",
        ]
        cells["reason"] = "; ".join(reason for reason in reasons if reason)
        return cells


def how_it_ended(done: subprocess.CompletedProcess) -> str:
    """In one line, how a process failed."""
    if done.returncode < 0:
        return f"ended by {signal.Signals(-done.returncode).name}"
    return (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]


def cells_missing(cells: dict[str, str]) -> str:
    """What a process was at when it ended."""
    return next((f"at {column}" for column in ("runs", "reloads", "numbers") if not cells[column]), "after all")


def told(settings: dict[str, Any]) -> str:
    """What the table tells of the settings of a model."""
    values = {**settings, str(settings.get("train_neg_sample_args", {}).get("distribution")): ""}
    return "; ".join(text.format(values[key]) for key, text in TOLD.items() if key in values)


def check_one(name: str, report: Path) -> None:
    """Run one model by both sides, and write each finding down at once."""
    sys.argv[1:] = []  # RecBole's Config would read it
    logging.disable(logging.WARNING)
    cells: dict[str, Any] = {}
    for step in (by_the_plugin, again_from_the_checkpoint, by_recbole_alone):
        try:
            step(name, cells)
        except Exception as error:
            cells["reason"] = "; ".join([*filter(None, [cells.get("reason")]), in_words(step, error)])
            if step is by_the_plugin:
                cells["runs"] = "no"
            elif step is again_from_the_checkpoint:
                cells["reloads"] = "no"
            else:
                cells["numbers"] = "-"
        told_cells = {key: value for key, value in cells.items() if key in COLUMNS}
        report.write_text(json.dumps(told_cells), encoding="utf-8")
        if cells["runs"] == "no":
            return


def in_words(step: Callable, error: Exception) -> str:
    """The first line of what an exception says, and who raised it if it was RecBole's side."""
    from recbole_decrs import DecRSError

    text = (str(error).strip().splitlines() or [""])[0].replace(str(Path(recbole.__file__).parent), "recbole")
    text = text if isinstance(error, DecRSError) else f"{type(error).__name__}: {text}"
    return f"RecBole's own run: {text}" if step is by_recbole_alone else text


def settings_of(name: str) -> dict[str, Any]:
    """What both sides are set to for a model."""
    from recbole_decrs.model.recbole_models import names_of

    if name in names_of(FAMILIES["sequential"]):
        return SAME | FEWER_USERS | SETTINGS_OF.get(name, {})
    return SAME | AT_RANDOM | SETTINGS_OF.get(name, {})


def by_the_plugin(name: str, cells: dict[str, Any]) -> None:
    """Train, save and test by ``run_recbole_decrs``."""
    from recbole_decrs import run_recbole_decrs

    start = time.perf_counter()
    cells["result"] = run_recbole_decrs(name, "ml-100k", config_dict=settings_of(name))
    cells["seconds"] = f"{time.perf_counter() - start:.0f}"
    cells["runs"] = "yes"


def again_from_the_checkpoint(name: str, cells: dict[str, Any]) -> None:
    """Make data and model again from the checkpoint, and test once more."""
    from recbole_decrs import load_data_and_model
    from recbole_decrs.single_trainer import trainer_for

    path = cells["result"]["saved_model_file"]
    config, model, _, _, _, test_data = load_data_and_model(path)
    trainer = trainer_for(config)(config, model)
    again = trainer.evaluate(test_data, load_best_model=False)
    if again == cells["result"]["test_result"]:
        cells["reloads"] = "yes"
        return
    cells["reloads"] = f"differs by {difference(again, cells['result']['test_result']):.6f}"
    # From the checkpoint again, since a graph model keeps what it has drawn as long as its parameters stay.
    if trainer.evaluate(test_data, model_file=path) != again:
        cells["reason"] = "its scores are drawn anew at each evaluation"


def by_recbole_alone(name: str, cells: dict[str, Any]) -> None:
    """What RecBole's ``run_recbole`` does, from its public parts, and whether the numbers are those of the plugin."""
    from recbole.config import Config
    from recbole.data import create_dataset, data_preparation
    from recbole.data.transform import construct_transform
    from recbole.utils import ModelType, get_flops, get_model, get_trainer, init_seed

    from recbole_decrs import run_recbole_decrs
    from recbole_decrs.config import DecRSConfig

    ours = DecRSConfig(name, "ml-100k", config_dict=settings_of(name))
    same = {key: ours[key] for key in FROM_THE_PLUGIN} | settings_of(name)
    if ours["train_neg_sample_args"]["distribution"] == "none":
        same["train_neg_sample_args"] = None
    start = time.perf_counter()
    config = Config(name, "ml-100k", config_dict=same | {"metrics": ["Recall", "NDCG"]})
    init_seed(config["seed"], config["reproducibility"])
    dataset = create_dataset(config)
    if config["MODEL_TYPE"] == ModelType.SEQUENTIAL:
        # RecBole puts clicks in the order of float32 times, a minute apart; where these are equal it keeps ours.
        dataset.inter_feat = dataset.inter_feat.sort_values(config["TIME_FIELD"], kind="stable", ignore_index=True)
    train_data, valid_data, test_data = data_preparation(config, dataset)
    init_seed(config["seed"] + config["local_rank"], config["reproducibility"])
    model = get_model(config["model"])(config, train_data._dataset).to(config["device"])
    with suppress(AssertionError):  # SASRecCPR and GRU4RecCPR refuse to score single pairs
        get_flops(model, dataset, config["device"], logging.getLogger(), construct_transform(config))
    trainer = get_trainer(config["MODEL_TYPE"], config["model"])(config, model)
    _, valid_result = trainer.fit(train_data, valid_data, saved=False, show_progress=False)
    test_result = trainer.evaluate(test_data, load_best_model=False, show_progress=False)
    cells["recbole_seconds"] = f"{time.perf_counter() - start:.0f}"
    theirs = {"best_valid_result": valid_result, "test_result": test_result}
    most = difference_of_runs(theirs, cells["result"])
    if most:
        # What a model draws when it scores, it draws once more after its checkpoint has been read.
        most = difference_of_runs(
            theirs, run_recbole_decrs(name, "ml-100k", config_dict=settings_of(name), saved=False)
        )
    cells["numbers"] = "equal" if most == 0 else f"differ by {most:.6f}"


def difference_of_runs(theirs: dict[str, Any], ours: dict[str, Any]) -> float:
    """The largest of the metrics of RecBole's run, on validation and test."""
    return max(difference(metrics, ours[part]) for part, metrics in theirs.items())


def difference(one: dict[str, float] | None, other: dict[str, float] | None) -> float:
    """The largest of the metrics of the one; a model that is pre-trained has none on validation."""
    if not one or not other:
        return 0.0 if one == other else float("inf")
    return max(abs(one[key] - other[key]) for key in one)


def write_table(output: Path, rows: list[dict[str, str]], chosen: argparse.Namespace) -> None:
    """One line a model, in the order of the families."""
    lines = [
        "# RecBole's models by this plugin",
        "",
        "One epoch on ml-100k, RecBole's defaults of each model. Runs: `run_recbole_decrs` trains, saves and tests it.",
        "Reloads: `load_data_and_model` makes it again from its checkpoint, and it has the same test result. Numbers:",
        "validation and test result against those of RecBole's own pipeline on the same settings, seed and split, to",
        "the sixth decimal. Seconds: of the plugin's run / of RecBole's, with loading of the data and compilation.",
        *([chosen.remark] if chosen.remark else []),
        "",
        "| family | model | runs | reloads | RecBole's numbers | seconds | reason, remark |",
        "|---|---|---|---|---|---|---|",
    ]
    order = list(FAMILIES)
    rows = sorted(rows, key=lambda row: (order.index(row["family"]), row["model"].lower()))
    for row in rows:
        seconds = f"{row['seconds'] or '-'} / {row['recbole_seconds'] or '-'}"
        cells = [row[column] or "-" for column in ("family", "model", "runs", "reloads", "numbers")]
        lines.append(f"| {' | '.join(cells)} | {seconds} | {row['reason'].replace('|', '/')} |")
    counts = [
        f"{sum(row[column] == good for row in rows)} {text}"
        for column, good, text in (("runs", "yes", "run"), ("reloads", "yes", "reload"), ("numbers", "equal", "equal"))
    ]
    versions = ", ".join(f"{package} {version(package)}" for package in ("numpy", "pandas", "scipy"))
    lines += ["", f"Of {len(rows)} models {', '.join(counts)} RecBole's numbers."]
    lines += ["", f"{environment()}, {versions}", "", f"command: python {shlex.join(sys.argv)}", ""]
    output.write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
