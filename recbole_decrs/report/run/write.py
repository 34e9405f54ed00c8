"""Puts the sections of a run's page together, and writes it beside the checkpoint."""

from __future__ import annotations

import os
from collections.abc import Callable
from logging import getLogger

from recbole_decrs.errors import in_words
from recbole_decrs.evaluator.report import title_of
from recbole_decrs.report.page import write_page
from recbole_decrs.report.parts import Page, Section
from recbole_decrs.report.run.about import files_section, next_section, settings_section
from recbole_decrs.report.run.amplification import amplification_section
from recbole_decrs.report.run.distributions import distributions_section
from recbole_decrs.report.run.finished import FinishedRun
from recbole_decrs.report.run.learning import learning_section
from recbole_decrs.report.run.result import result_section
from recbole_decrs.report.run.user_groups import user_groups_section
from recbole_decrs.report.run.users import N_USERS, users_section


def page_of_run(run: FinishedRun, n_users: int = N_USERS) -> Page:
    """Gather the page of a run; what the run lacks, such as groups, is left out.

    Args:
        run: the run.
        n_users: how many users can be looked up, at most.
    """
    sections: list[Section | None] = [
        result_section(run),
        amplification_section(run),
        user_groups_section(run),
        learning_section(run),
        distributions_section(run),
        users_section(run, n_users),
        settings_section(run),
        files_section(run),
        next_section(run),
    ]
    config = run.config
    metric, value = next(iter(run.result.items()))
    facts = [
        ("model", str(config["model"])),
        ("dataset", str(config["dataset"])),
        ("seed", str(config["seed"])),
        ("users, items", f"{run.part.user_num - 1}, {run.part.item_num - 1}"),
        (title_of(metric), f"{value:.4f}"),
    ]
    title = f"{config['model']} on {config['dataset']}"
    return Page(title, facts, [section for section in sections if section is not None])


def report_path(checkpoint: str) -> str:
    """Name the page of a checkpoint, which lies beside it."""
    return f"{os.path.splitext(checkpoint)[0]}.html"


def write_run_page(make: Callable[[], FinishedRun], checkpoint: str) -> str | None:
    """Write the page of a run that has ended; a fault in it is told in one line, and the run's result stays.

    Args:
        make: gathers the run.
        checkpoint: the path of its checkpoint, beside which the page is written.

    Returns:
        The path of the page; None where it could not be written.
    """
    path = report_path(checkpoint)
    try:
        write_page(page_of_run(make()), path)
    except Exception as error:
        told = f"{type(error).__name__}: {in_words(error)}"
        getLogger().warning(f"report: {path} is not written ({told}); the result stays; report: False leaves it out")
        return None
    getLogger().info(f"Report: {path}")
    return path
