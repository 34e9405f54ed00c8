"""Tests every method against its backbone, so that an average of two models can be judged as DecRS is.

Each is held against the backbone of the same seed; lists are no methods, and take no part.
"""

from __future__ import annotations

from recbole_decrs.compare.outputs.intervals import draw_intervals
from recbole_decrs.compare.outputs.pairs import register_pairs


def _pairs_of_methods(names: list[str]) -> list[tuple[str, str]]:
    return [(name, "backbone") for name in names if name != "backbone"]


register_pairs(
    "against-backbone",
    about="tests of every method against its backbone, and their intervals as a picture",
    pairs_of=_pairs_of_methods,
    corrected=", over all metrics",
    draw=draw_intervals,
    missing="it holds methods against their backbone, and no backbone has one beside it",
)
