"""Tests DecRS against each competitor of the paper, and against its own variants, for Table 5 and Figure 5."""

from __future__ import annotations

from recbole_decrs.compare.methods import METHODS
from recbole_decrs.compare.outputs.pairs import register_pairs


def _pairs_of_methods(names: list[str]) -> list[tuple[str, str]]:
    others = [name for name in names if METHODS[name].role in ("competitor", "decrs") and name != "decrs"]
    return [("decrs", name) for name in others if "decrs" in names]


register_pairs(
    "competitors",
    about="tests of DecRS against each competitor and against its own variants, for Table 5 and Figure 5",
    pairs_of=_pairs_of_methods,
    corrected=" of DecRS against competitors and its own variants, over all metrics",
    missing="it holds DecRS against competitors and its own variants, and no backbone has both",
)
