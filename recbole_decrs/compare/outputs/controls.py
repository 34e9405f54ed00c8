"""Tests DecRS against each of its controls, and beside them one set of seeds of the backbone against another (A/A)."""

from __future__ import annotations

import pandas as pd

from recbole_decrs.compare.methods import METHODS
from recbole_decrs.compare.outputs.output import Output, register_output
from recbole_decrs.compare.outputs.pairs import AGAIN, pairs_frame, pairs_text
from recbole_decrs.compare.results import Results


def _pairs_of_methods(names: list[str]) -> list[tuple[str, str]]:
    """Name who is held against whom."""
    controls = [name for name in names if METHODS[name].role == "control" and name != AGAIN]
    pairs = [("decrs", name) for name in controls if "decrs" in names]
    return pairs + ([(AGAIN, "backbone")] if AGAIN in names else [])


def controls_frame(results: Results) -> pd.DataFrame:
    """Test DecRS against each control over its backbone, and the backbone with other seeds against the backbone.

    Returns:
        The rows of :func:`~recbole_decrs.compare.outputs.pairs.pairs_frame`.

    Raises:
        DecRSError: two methods were measured on different users.
    """
    return pairs_frame(results, _pairs_of_methods)


def controls_text(results: Results, frame: pd.DataFrame) -> str:
    """Write a table for each backbone, how many differences are left once corrected, and what A/A is."""
    again = f"{METHODS[AGAIN].title} is the backbone trained again (A/A): what stands there is chance and nothing else."
    remarks = [again] if AGAIN in frame["method"].tolist() else []
    return pairs_text(results, frame, " of DecRS against controls, over all metrics", "controls.csv", *remarks)


def _no_pair(results: Results) -> str | None:
    if any(map(_pairs_of_methods, results.methods.values())):
        return None
    return "it holds DecRS against controls, and no backbone has both"


register_output(
    Output(
        "controls",
        about="tests of DecRS against each control, and of the backbone against itself with other seeds (A/A)",
        numbers=controls_frame,
        text=controls_text,
        lacks=_no_pair,
    )
)
