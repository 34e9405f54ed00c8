"""Puts the sections of a comparison's page together, and writes it into the folder of the comparison."""

from __future__ import annotations

import os
import shlex
from logging import getLogger
from pathlib import Path
from typing import Any

from recbole_decrs.compare.outputs import OUTPUTS
from recbole_decrs.compare.outputs.table3 import overall_frame
from recbole_decrs.compare.outputs.table3_tests import differences_frame
from recbole_decrs.compare.results import Results
from recbole_decrs.errors import in_words
from recbole_decrs.files import remove
from recbole_decrs.report.comparison.drift_bins import drift_section
from recbole_decrs.report.comparison.figures import forest_figures, trade_off_section
from recbole_decrs.report.comparison.paper import paper_section
from recbole_decrs.report.comparison.tables import costs_section, left_out_section, overall_section, tests_table
from recbole_decrs.report.comparison.user_groups import user_groups_section
from recbole_decrs.report.comparison.verdict import verdict_section
from recbole_decrs.report.page import write_page
from recbole_decrs.report.parts import Commands, Page, Section

NAME = "report.html"
"""The name of the page in the folder of the comparison."""


def page_of_comparison(results: Results, record: dict[str, Any], folder: Path) -> Page:
    """Gather the page of a comparison; what it lacks, such as users with drift, is left out.

    Args:
        results: the results.
        record: what ``run.json`` holds.
        folder: of the comparison.
    """
    tests = differences_frame(results)
    dataset = next(iter(record["config"].values()))["dataset"]
    sections = [
        verdict_section(results, tests, OUTPUTS["controls"].numbers(results)),
        overall_section(results, overall_frame(results)),
        Section("Differences and tests", (), [*forest_figures(results, tests), tests_table(results, tests)])
        if len(tests)
        else None,
        trade_off_section(results),
        drift_section(results, folder),
        user_groups_section(folder),
        paper_section(results, dataset),
        costs_section(results, record),
        left_out_section(record),
        Section("What to type next", (), [Commands(_commands(results, record, folder))]),
    ]
    facts = [
        ("dataset", str(dataset)),
        ("backbones", ", ".join(results.methods)),
        ("seeds", ", ".join(map(str, results.seeds))),
        ("methods", str(len({name for names in results.methods.values() for name in names}))),
        ("threads", str(record.get("threads", "not known"))),
        ("version", str(record.get("versions", {}).get("recbole_decrs", "not known"))),
    ]
    return Page(f"Comparison on {dataset}", facts, [section for section in sections if section is not None])


def _commands(results: Results, record: dict[str, Any], folder: Path) -> list[tuple[str, str]]:
    dataset = next(iter(record["config"].values()))["dataset"]
    one_run = f"recbole-decrs --model=DecFM --dataset={shlex.quote(str(dataset))}"
    lines = (
        [(record["command"], "the command of this page; with more --seeds it adds to it")] if record["command"] else []
    )
    return [
        *lines,
        (f"recbole-decrs report {shlex.quote(str(folder))}", "this page again, from run.json and pieces/"),
        (one_run, "one run, with a page that looks at its users; add the settings of the comparison"),
    ]


def write_comparison_page(results: Results, record: dict[str, Any], folder: Path, is_wanted: bool = True) -> str | None:
    """Write the page of a comparison; a fault in it is told in one line, and the tables stay.

    Args:
        results: the results.
        record: what ``run.json`` holds.
        folder: of the comparison.
        is_wanted: False to take the page of an earlier comparison away, and write none.

    Returns:
        The path of the page; None where none is written.
    """
    path = os.path.join(folder, NAME)
    try:
        remove(path)  # it would not fit to the new tables
        if not is_wanted:
            return None
        write_page(page_of_comparison(results, record, folder), path)
    except Exception as error:
        told = f"{type(error).__name__}: {in_words(error)}"
        getLogger().warning(f"report: {path} is not written ({told}); the tables stay; report: False leaves it out")
        return None
    return path
