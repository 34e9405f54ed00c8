"""Makes the page of a comparison again from its folder: run.json and the measurements in pieces/."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from recbole_decrs.compare.methods import METHODS
from recbole_decrs.compare.pieces import Pieces
from recbole_decrs.compare.results import Outcome, Results
from recbole_decrs.errors import DecRSError
from recbole_decrs.evaluator.report import is_smaller_better
from recbole_decrs.report.comparison.write import NAME, page_of_comparison
from recbole_decrs.report.page import write_page

RECORDED = {"methods", "seeds", "config", "left_out", "command"}
"""What a page needs of ``run.json``."""

ROUNDED = 6e-6
"""The tables have six digits, which may differ by so much of a value."""


def write_page_of_folder(folder: str) -> str:
    """Write the page of a comparison from what lies in its folder; returns its path.

    Ranking lists made elsewhere are no pieces, and are left out.

    Raises:
        DecRSError: a file is missing, or the pieces are not those of the tables.
    """
    path = Path(folder)
    record, foreign = _without_foreign_methods(_record(path))
    results = results_of_folder(path, record)
    lists = [f"the list {name}" for name in record.get("lists", ())]
    reason = "lists made elsewhere are not kept in the folder; the compare command, typed again, has them"
    record = {**record, "left_out": {**record["left_out"], **dict.fromkeys(lists, reason), **foreign}}
    page = path / NAME
    write_page(page_of_comparison(results, record, path), page)
    return str(page)


def _record(folder: Path) -> dict[str, Any]:
    try:
        record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        if record.keys() >= RECORDED and isinstance(record.get("pieces", []), list):
            return record
    except OSError as error:
        if any(folder.glob("*.pth")):
            raise DecRSError(
                f"report: {folder} holds runs; name the checkpoint of one, or type recbole-decrs table {folder} for all"
            ) from error
        raise DecRSError(
            f"report: {folder} has no run.json that can be read, so it is no folder of a comparison; name the folder "
            "that recbole-decrs compare wrote, or a checkpoint"
        ) from error
    except (ValueError, AttributeError, RecursionError):
        pass
    raise DecRSError(f"report: {folder}/run.json is not what recbole-decrs compare writes; run the comparison again")


def _without_foreign_methods(record: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Take methods of one's own, which nobody has registered here, out of a record; say why of each."""
    reason = "a method of one's own, which the script that registers it and compares again has on its page"
    foreign = {
        f"{backbone}, {name}": reason
        for backbone, names in record["methods"].items()
        for name in names
        if name not in METHODS
    }
    known = {backbone: [name for name in names if name in METHODS] for backbone, names in record["methods"].items()}
    return {**record, "methods": known}, foreign


def results_of_folder(folder: Path, record: dict[str, Any]) -> Results:
    """Read the results of a comparison from its pieces.

    Raises:
        DecRSError: a piece is missing, or they are not those of the tables.
    """
    methods, seeds = record["methods"], record["seeds"]
    outcomes = {
        (backbone, name, seed): _outcome(folder, f"{backbone}-{seed}-{name}", record)
        for backbone, names in methods.items()
        for name in names
        for seed in seeds
    }
    chosen_by = {}
    for backbone in methods:
        metric = record["config"][backbone]["valid_metric"].lower()
        chosen_by[backbone] = metric, not is_smaller_better(metric)
    operators = {backbone: record["config"][backbone].get("backdoor_operator") for backbone in methods}
    results = Results(methods, seeds, outcomes, {}, chosen_by, operators=operators)
    _check(results, folder, record["command"])
    return results


def _outcome(folder: Path, name: str, record: dict[str, Any]) -> Outcome:
    """Read the measurement of that name: of several, with other settings each, the one that the record names.

    Records of before name none; of these it is the newest.
    """
    pieces, pattern = Pieces(str(folder / "pieces")), re.compile(re.escape(name) + r"-[0-9a-f]{10}\.npz")
    named = set(map(str, record.get("pieces", [])))
    files = [file for file in pieces.folder.glob("*.npz") if pattern.fullmatch(file.name)]
    for file in sorted(files, key=lambda file: (file.name in named, file.stat().st_mtime_ns), reverse=True):
        if outcome := Outcome.of_piece(pieces.read(file)):
            return outcome
    raise DecRSError(f"report: {folder}/pieces has no whole measurement {name}; {_again(record['command'])}")


def _check(results: Results, folder: Path, command: str | None) -> None:
    """See that the pieces are those that the tables were made from."""
    try:
        with open(folder / "table3.csv", encoding="utf-8", newline="") as file:
            rows = [
                (row["backbone"], row["method"], row["metric"], float(row["mean"] or np.nan))  # pandas writes NaN as ""
                for row in csv.DictReader(file)
            ]
    except (OSError, KeyError, ValueError) as error:
        raise DecRSError(f"report: {folder}/table3.csv cannot be read; {_again(command)}") from error
    for backbone, method, metric, written in rows:
        if method not in results.methods.get(backbone, ()) or metric not in results.metrics:
            continue
        mean = results.mean(backbone, method, metric)
        if not np.isclose(mean, written, rtol=ROUNDED, atol=1e-9, equal_nan=True):
            raise DecRSError(
                f"report: {metric} of {method} over {backbone} is {written:g} in {folder}/table3.csv and {mean:g} in "
                f"pieces/, which are of other settings; {_again(command)}"
            )


def _again(command: str | None) -> str:
    return f"type the comparison again, which makes what is missing: {command or 'recbole-decrs compare ...'}"
