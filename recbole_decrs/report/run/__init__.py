"""Makes the page of a run: a file for each of its sections, all from a :class:`FinishedRun`."""

from __future__ import annotations

from recbole_decrs.report.run.finished import FinishedRun
from recbole_decrs.report.run.gather import finished_run
from recbole_decrs.report.run.write import page_of_run, report_path, write_run_page

__all__ = ["FinishedRun", "finished_run", "page_of_run", "report_path", "write_run_page"]
