"""Tests backdoor adjustment as Eq. 2 states it against the backbone, and against the same model trained otherwise."""

from __future__ import annotations

from recbole_decrs.compare.outputs.pairs import register_pairs

OPPONENTS = ("backbone", "decrs_wo", "by_user")
"""None of them is fused, as Intervention is not: those of DecRS have the same layers, trained with d̄ or with d_u."""


def _pairs_of_methods(names: list[str]) -> list[tuple[str, str]]:
    return [("intervention", name) for name in OPPONENTS if {"intervention", name} <= set(names)]


register_pairs(
    "intervention",
    about="tests of Intervention (Eq. 2) against the backbone, and the same model trained with d̄ or with d_u",
    pairs_of=_pairs_of_methods,
    corrected=" of Intervention, over all metrics",
    missing="it holds Intervention against models that are not fused, and Intervention is not among the methods",
)
