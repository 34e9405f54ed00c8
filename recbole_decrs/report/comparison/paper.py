"""Sets the paper's tables beside those of the comparison, where the dataset is one of the paper's."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

from recbole_decrs.compare.methods import METHODS, title
from recbole_decrs.compare.results import Results
from recbole_decrs.evaluator.report import title_of
from recbole_decrs.report.parts import Cell, Column, Section, Table, number

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
    """Tabulate Table 3 of the paper beside the same methods here; None where the paper has nothing of it."""
    name, tables = DATASETS.get(dataset), []
    for backbone, names in results.methods.items():
        printed = papers_tables()["table3"].get(backbone, {}).get(name or "", {})
        metrics = {metric: short for metric, short in METRICS.items() if metric in results.metrics}
        rows = [
            [
                Cell(title(backbone, method)),
                *(
                    cell
                    for metric, short in metrics.items()
                    for cell in (
                        number(results.mean(backbone, method, metric)),
                        Cell(printed[row][short], float(printed[row][short])),
                    )
                ),
            ]
            for method, row in ROWS.items()
            if method in names and row in printed and method in METHODS
        ]
        columns = [Column(f"over {backbone}", is_number=False)]
        columns += [Column(text) for metric in metrics for text in (f"{title_of(metric)} here", "in the paper")]
        if rows and metrics:
            tables.append(Table(f"Table 3 of the paper and here, over {backbone}", columns, rows))
    if not tables:
        return None
    text = (
        "The paper's numbers are as printed: of its own split, candidates and tuning, which need not be those of this "
        "page. Here they are means over the seeds."
    )
    return Section("Beside the paper", [text], tables)
