"""Tests DecRS against each of its controls, and beside them one set of seeds of the backbone against another (A/A).

A control that is no fusion of two models is set against DecRS without its inference strategy, which is none either.
"""

from __future__ import annotations

import pandas as pd

from recbole_decrs.compare.methods import METHODS
from recbole_decrs.compare.outputs.pairs import AGAIN, register_pairs

AGAINST = {"by_user": "decrs_wo", "confounded_wo": "decrs_wo"}
"""What is held against a control, where it is not DecRS."""
HALF_AND_HALF = ("equal", "ensemble_equal")
"""Is a deconfounded model a better second model than the conventional one? Nothing is chosen in either of these."""


def _pairs_of_methods(names: list[str]) -> list[tuple[str, str]]:
    """Name who is held against whom."""
    controls = [name for name in names if METHODS[name].role == "control" and name != AGAIN]
    pairs = [(AGAINST.get(name, "decrs"), name) for name in controls]
    pairs += [HALF_AND_HALF, (AGAIN, "backbone")]
    return [pair for pair in pairs if set(pair) <= set(names)]


def _what_again_is(frame: pd.DataFrame) -> list[str]:
    again = f"{METHODS[AGAIN].title} is the backbone trained again (A/A): what stands there is chance and nothing else."
    return [again] if AGAIN in frame["method"].tolist() else []


register_pairs(
    "controls",
    about="tests of DecRS against each control, and of the backbone against itself with other seeds (A/A)",
    pairs_of=_pairs_of_methods,
    corrected=" of DecRS and its models against controls, over all metrics",
    missing="it holds DecRS against controls, and no backbone has both",
    remarks=_what_again_is,
)
