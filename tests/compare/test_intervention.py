"""Intervention against the backbone, and against the same model trained otherwise."""

from dataclasses import replace

import numpy as np
import pytest

from drawn_results import METRICS, results
from recbole_decrs.compare.outputs import OUTPUTS
from recbole_decrs.compare.significance import holm, paired_difference

METHODS = ("backbone", "decrs_wo", "decrs", "intervention", "by_user", "ensemble")
OPPONENTS = ["backbone", "decrs_wo", "by_user"]


def test_it_is_tested_against_what_is_not_fused():
    compared = results(methods=METHODS)
    frame = OUTPUTS["intervention"].numbers(compared)
    assert set(frame["method"]) == {"intervention"}
    assert frame["against"].tolist() == [name for name in OPPONENTS for _ in METRICS]
    for row in frame.itertuples():
        ours, theirs = (
            np.array([compared.outcomes["FM", name, seed].by_user[row.metric] for seed in compared.seeds])
            for name in ("intervention", row.against)
        )
        assert (row.difference, row.low, row.high, row.p) == pytest.approx(paired_difference(ours - theirs)[:4])
    assert frame["p_holm"].tolist() == holm(frame["p"].tolist())
    text = OUTPUTS["intervention"].text(compared, frame)
    for title in ("FM", "DecRS w/o inference", "Trained with d_u"):
        assert f"| Intervention - {title} " in text


def test_it_is_left_out_without_intervention():
    lacks = OUTPUTS["intervention"].lacks
    assert lacks(results(methods=METHODS)) is None
    assert "Intervention is not among the methods" in lacks(replace(results(), methods={"FM": ["backbone", "decrs"]}))
