"""Sets the paper's tables beside those of the comparison, where the dataset is one of the paper's."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

from recbole_decrs.compare.methods import METHODS, title
from recbole_decrs.compare.results import Results
from recbole_decrs.evaluator.report import improvement, title_of
from recbole_decrs.report.parts import Cell, Column, Section, Table, number
from recbole_decrs.tables import percent

DATASETS = {"ml-1m": "ML-1M", "amazon-books": "Amazon-Book"}
"""The paper's names of datasets."""
ROWS = {
    "backbone": "backbone",
    "unawareness": "Unawareness",
    "fairco": "FairCo",
    "calibration": "Calibration",
    "diversity": "Diversity",
    "ips_user": "IPS",
    "decrs": "DecRS",
}
"""The paper's names of the rows of Table 3, by method."""
METRICS = {"recall@10": "R@10", "recall@20": "R@20", "ndcg@10": "N@10", "ndcg@20": "N@20"}


@cache
def papers_tables() -> dict:
    """Read the numbers of the paper's Tables 3, 4 and 5, as printed."""
    return json.loads(files("recbole_decrs.report.comparison").joinpath("paper.json").read_text(encoding="utf-8"))


def paper_section(results: Results, dataset: str) -> Section | None:
    """Tabulate Tables 3, 4 and 5 of the paper beside what they are here; None where the paper has nothing of it."""
    name = DATASETS.get(dataset, "")
    made = [
        table
        for make in (_overall, _by_drift, _operators)
        for backbone in results.methods
        for table in [make(results, backbone, name)]
        if table is not None
    ]
    if not made:
        return None
    text = (
        "The paper's numbers are as printed: of its own split, candidates and tuning, which need not be those of this "
        "page. Here they are means over the seeds."
    )
    return Section("Beside the paper", [text], made)


def _overall(results: Results, backbone: str, dataset: str) -> Table | None:
    printed = papers_tables()["table3"].get(backbone, {}).get(dataset, {})
    here = {row: method for method, row in ROWS.items() if method in results.methods[backbone]}
    return _beside(f"Table 3 of the paper and here, over {backbone}", results, backbone, here, printed)


def _operators(results: Results, backbone: str, dataset: str) -> Table | None:
    printed = papers_tables()["table5"].get(dataset, {})
    here = {"DecRS-EP": "decrs_product", "DecRS-FM": "decrs"}
    if results.operators.get(backbone) != "fm":
        return None
    if backbone not in printed or not set(here.values()) <= set(results.methods[backbone]):
        return None
    return _beside("Table 5 of the paper and here", results, backbone, {backbone: "backbone", **here}, printed)


def _beside(
    caption: str, results: Results, backbone: str, here: dict[str, str], printed: dict[str, dict[str, str]]
) -> Table | None:
    """Tabulate metrics of methods, by the paper's names of their rows, each here and as printed."""
    metrics = {metric: short for metric, short in METRICS.items() if metric in results.metrics}
    rows = [
        [
            Cell(title(backbone, method)),
            *(
                cell
                for metric, short in metrics.items()
                for cell in (number(results.mean(backbone, method, metric)), _printed(printed[row][short]))
            ),
        ]
        for row, method in here.items()
        if row in printed and method in METHODS
    ]
    columns = [Column(f"over {backbone}", is_number=False)]
    columns += [Column(text) for metric in metrics for text in (f"{title_of(metric)} here", "in the paper")]
    return Table(caption, columns, rows) if rows and metrics else None


def _by_drift(results: Results, backbone: str, dataset: str) -> Table | None:
    printed = papers_tables()["table4"].get(backbone, {}).get(dataset, {})
    metrics = {
        metric: short for metric, short in METRICS.items() if metric in results.metrics and metric.endswith("@20")
    }
    thresholds = [threshold for threshold in results.thresholds if f"{threshold:g}" in printed]
    if not (metrics and thresholds) or "decrs" not in results.methods[backbone]:
        return None
    rows = []
    for threshold in thresholds:
        users, _ = results.in_group(backbone, "backbone", next(iter(metrics)), threshold)
        row = [Cell(f"> {threshold:g}", threshold), number(float(users), 0)]
        for metric, short in metrics.items():
            before, after = (results.in_group(backbone, name, metric, threshold)[1] for name in ("backbone", "decrs"))
            gain, theirs = improvement(metric, before, after), printed[f"{threshold:g}"][short]
            row += [number(before), number(after), Cell(percent(gain), gain)]
            row += [_printed(theirs[column]) for column in ("backbone", "DecRS", "%improv.")]
        rows.append(row)
    columns = [Column("eta_u", is_number=False), Column("users", "here")]
    for metric in metrics:
        names = [f"{title_of(metric)} {backbone}", "DecRS", "%improv."]
        columns += [Column(f"{name} {where}") for where in ("here", "in the paper") for name in names]
    return Table(f"Table 4 of the paper and here, over {backbone}", columns, rows)


def _printed(text: str) -> Cell:
    return Cell(text, float(text.removesuffix("%")))
