"""Tests DecRS against each of its controls, and beside them one set of seeds of the backbone against another (A/A).

A control that is a deconfounded model alone is held against the deconfounded model of DecRS alone; others, one model
twice as wide among them, are held against DecRS.
"""

from __future__ import annotations

import pandas as pd

from recbole_decrs.compare.methods import METHODS
from recbole_decrs.compare.outputs.pairs import AGAIN, register_pairs

HALF_AND_HALF = ("equal", "ensemble_equal")
"""The backbone half and half with a deconfounded model, and with a second one of its own kind."""


def _held_against(control: str) -> str:
    """Name what is held against a control."""
    method = METHODS[control]
    return "decrs_wo" if method.twin and not method.weights else "decrs"


def _pairs_of_methods(names: list[str]) -> list[tuple[str, str]]:
    """Name who is held against whom."""
    controls = [name for name in names if METHODS[name].role == "control" and name != AGAIN]
    pairs = [*((_held_against(name), name) for name in controls), HALF_AND_HALF, (AGAIN, "backbone")]
    return [pair for pair in pairs if set(pair) <= set(names)]


def _what_again_is(frame: pd.DataFrame) -> list[str]:
    again = f"{METHODS[AGAIN].title} is the backbone trained again (A/A): what stands there is chance and nothing else."
    return [again] if AGAIN in frame["method"].tolist() else []


register_pairs(
    "controls",
    about="tests of DecRS, or its model alone, against each control, and of the backbone against itself (A/A)",
    pairs_of=_pairs_of_methods,
    corrected=" of DecRS and its models against controls, over all metrics",
    missing="it holds DecRS, or its model alone, against controls, and no backbone has both",
    remarks=_what_again_is,
)
