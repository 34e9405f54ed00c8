"""Tests every method against its backbone, so that an average of two models can be judged as DecRS is."""

from __future__ import annotations

import pandas as pd

from recbole_decrs.compare.outputs.output import Output, register_output
from recbole_decrs.compare.outputs.pairs import pairs_frame, pairs_text
from recbole_decrs.compare.results import Results


def _pairs_of_methods(names: list[str]) -> list[tuple[str, str]]:
    return [(name, "backbone") for name in names if name != "backbone"]


def against_backbone_frame(results: Results) -> pd.DataFrame:
    """Test each method against the backbone of the same seed; lists are no methods, and take no part.

    Returns:
        The rows of :func:`~recbole_decrs.compare.outputs.pairs.pairs_frame`.

    Raises:
        DecRSError: two methods were measured on different users.
    """
    return pairs_frame(results, _pairs_of_methods)


def against_backbone_text(results: Results, frame: pd.DataFrame) -> str:
    """Write a table for each backbone, and how many differences are left once corrected."""
    return pairs_text(results, frame, ", over all metrics and without those of other seeds", "against-backbone.csv")


def _no_pair(results: Results) -> str | None:
    if any(map(_pairs_of_methods, results.methods.values())):
        return None
    return "it holds methods against their backbone, and no backbone has one beside it"


register_output(
    Output(
        "against-backbone",
        about="tests of every method against its backbone",
        numbers=against_backbone_frame,
        text=against_backbone_text,
        lacks=_no_pair,
    )
)
