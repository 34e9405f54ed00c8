"""Tests DecRS against each competitor of the paper, and against its own variants, for Table 5 and Figure 5."""

from __future__ import annotations

import pandas as pd

from recbole_decrs.compare.methods import METHODS
from recbole_decrs.compare.outputs.output import Output, register_output
from recbole_decrs.compare.outputs.pairs import pairs_frame, pairs_text
from recbole_decrs.compare.results import Results


def _pairs_of_methods(names: list[str]) -> list[tuple[str, str]]:
    others = [name for name in names if METHODS[name].role in ("competitor", "decrs") and name != "decrs"]
    return [("decrs", name) for name in others if "decrs" in names]


def competitors_frame(results: Results) -> pd.DataFrame:
    """Test DecRS against each competitor, without inference, with the other operator, and against intervention.

    Returns:
        The rows of :func:`~recbole_decrs.compare.outputs.pairs.pairs_frame`.

    Raises:
        DecRSError: two methods were measured on different users.
    """
    return pairs_frame(results, _pairs_of_methods)


def competitors_text(results: Results, frame: pd.DataFrame) -> str:
    """Write a table for each backbone, and how many differences are left once corrected."""
    corrected = " of DecRS against competitors and its own variants, over all metrics"
    return pairs_text(results, frame, corrected, "competitors.csv")


def _no_pair(results: Results) -> str | None:
    if any(map(_pairs_of_methods, results.methods.values())):
        return None
    return "it holds DecRS against competitors and its own variants, and no backbone has both"


register_output(
    Output(
        "competitors",
        about="tests of DecRS against each competitor and against its own variants, for Table 5 and Figure 5",
        numbers=competitors_frame,
        text=competitors_text,
        lacks=_no_pair,
    )
)
