"""Makes the tables of the page: Table 3 with every method explained, the tests below it, and the methods' costs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from recbole_decrs.compare.methods import METHODS, title
from recbole_decrs.compare.outputs.table3 import chosen_text, metrics_where_less_is_better
from recbole_decrs.compare.outputs.text import listed
from recbole_decrs.compare.results import Results
from recbole_decrs.compare.significance import p_in_words
from recbole_decrs.evaluator.report import title_of
from recbole_decrs.report.parts import Cell, Column, Section, Table, number

ROLES = {
    "backbone": "backbone",
    "competitor": "competitor",
    "decrs": "DecRS",
    "control": "control",
    "list": "list",
}


def method_cell(backbone: str, name: str) -> Cell:
    """Give the title of a method with its explanation."""
    method = METHODS.get(name)
    return Cell(title(backbone, name), about=method.about.replace("`", "") if method else "a list made elsewhere")


def overall_section(results: Results, overall: pd.DataFrame) -> Section:
    """Tabulate every method by every metric, and the parameters that were chosen on validation."""
    tables = []
    for backbone, names in results.methods.items():
        cells = overall[overall["backbone"] == backbone].set_index(["method", "metric"])
        columns = [
            Column(f"over {backbone}", is_number=False),
            *(Column(title_of(metric)) for metric in results.metrics),
            Column("kind", is_number=False),
            Column("chosen on validation", f"by {title_of(results.chosen_by[backbone][0])}, one value a seed", False),
        ]
        rows = [
            [
                method_cell(backbone, name),
                *(_mean(cells.loc[(name, metric)]) for metric in results.metrics),
                Cell(ROLES[cells.loc[(name, results.metrics[0])]["role"]]),
                Cell(chosen_text(results, backbone, name) if name in names else ""),
            ]
            for name in (*names, *results.lists)
        ]
        tables.append(Table(f"Every method over {backbone} (Table 3)", columns, rows, is_sortable=True))
    several = len(results.seeds) > 1
    text = f"{'Mean ± standard deviation over the seeds' if several else 'With seed'} {listed(results.seeds)}; "
    text += "the best of each column is marked. Each method is explained where the pointer or the keyboard is on it; "
    text += "a column's title sorts by it."
    if smaller := metrics_where_less_is_better(results):
        text += f" In {' and '.join(smaller)} smaller is better."
    return Section("All methods", [text], tables)


def _mean(row: pd.Series) -> Cell:
    if np.isnan(row["mean"]):
        return Cell("")
    shown = f"{row['mean']:.4f}" + ("" if np.isnan(row["std"]) else f" ± {row['std']:.4f}")
    return Cell(shown, float(row["mean"]), is_best=bool(row["best"]))


def tests_table(results: Results, tests: pd.DataFrame) -> Table:
    """Tabulate the tests, a row for each backbone, metric and opponent."""
    columns = [
        Column("over", is_number=False),
        Column("metric", is_number=False),
        Column("DecRS against", is_number=False),
        Column("difference", "of the means: DecRS minus the other"),
        Column("95% interval"),
        Column("p", "two-sided, over users and seeds"),
        Column("p (Holm)", "corrected over all p-values of this table"),
        Column("seeds' share", "in the variance of the difference"),
    ]
    rows = [
        [
            Cell(row.backbone),
            Cell(title_of(row.metric)),
            Cell(title(row.backbone, row.method), about=row.against),
            number(row.difference, sign=True),
            Cell("" if np.isnan(row.low) else f"{row.low:+.4f} to {row.high:+.4f}", row.low),
            _p_cell(row.p),
            _p_cell(row.p_holm),
            Cell("–") if np.isnan(row.seed_share) else Cell(f"{row.seed_share:.0%}", row.seed_share),
        ]
        for row in tests.itertuples()
    ]
    return Table("Tests of DecRS against others", columns, rows, is_sortable=True)


def _p_cell(p: float) -> Cell:
    return number(p) if np.isnan(p) else Cell(p_in_words(p, 4), p)


def costs_section(results: Results, record: dict[str, Any]) -> Section | None:
    """Tabulate the seconds that each method takes with one seed; None where the record has none."""
    tables = []
    for backbone, costs in record.get("costs", {}).items():
        known = {name: costs[name] for name in results.methods.get(backbone, ()) if name in costs}
        if not known:
            continue
        base = known.get("backbone", {}).get("training")
        rows = [
            [
                method_cell(backbone, name),
                number(cost["training"], 1),
                number(cost["training"] / base if base else float("nan"), 1),
                number(cost["measuring"], 1),
                number(float(cost["models"]), 0),
            ]
            for name, cost in known.items()
        ]
        columns = [
            Column(f"over {backbone}", is_number=False),
            Column("training, s", "seconds of training with one seed, of all models that the method needs"),
            Column("times the backbone's"),
            Column("measuring, s", "seconds to choose on validation, and to rank for test, with one seed"),
            Column(
                "models",
                "how many are trained with one seed: those of a grid, and the backbone where its scores are needed",
            ),
        ]
        tables.append(Table(f"Cost over {backbone}", columns, rows, is_sortable=True))
    text = ["Models that methods share are counted for each. Means over the seeds, on the machine of this comparison."]
    return Section("Cost", text, tables) if tables else None


def left_out_section(record: dict[str, Any]) -> Section:
    """Say what is missing, and why."""
    rows = [[Cell(name), Cell(reason)] for name, reason in record.get("left_out", {}).items()]
    columns = [Column("what", is_number=False), Column("why", is_number=False)]
    if not rows:
        return Section("Left out", ["Nothing: every method that was asked for is here."])
    return Section("Left out", (), [Table("Left out", columns, rows)])
