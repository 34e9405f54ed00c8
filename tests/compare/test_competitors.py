"""DecRS against the paper's competitors, and against its own variants."""

from dataclasses import replace

import numpy as np
import pytest

from drawn_results import METRICS, results
from recbole_decrs.compare.outputs import OUTPUTS
from recbole_decrs.compare.significance import holm, paired_difference

METHODS = ("backbone", "unawareness", "calibration", "decrs_wo", "decrs_product", "decrs", "ensemble", "other_seed")
OPPONENTS = ["unawareness", "calibration", "decrs_wo", "decrs_product"]


def test_each_opponent_is_tested_seed_by_seed_and_user_by_user():
    compared = results(methods=METHODS)
    frame = OUTPUTS["competitors"].numbers(compared)
    assert set(frame["method"]) == {"decrs"}
    assert frame["against"].tolist() == [name for name in OPPONENTS for _ in METRICS]
    for row in frame.itertuples():
        differences = [
            compared.outcomes["FM", "decrs", seed].by_user[row.metric]
            - compared.outcomes["FM", row.against, seed].by_user[row.metric]
            for seed in compared.seeds
        ]
        expected = paired_difference(np.array(differences))
        assert (row.difference, row.low, row.high, row.p) == pytest.approx(expected[:4])
    assert frame["p_holm"].tolist() == holm(frame["p"].tolist())
    text = OUTPUTS["competitors"].text(compared, frame)
    assert "| DecRS - Calibration" in text
    assert "| DecRS - DecRS w/o inference" in text
    assert "Of 12 p-values of DecRS against competitors and its own variants, over all metrics, " in text


def test_it_is_left_out_where_there_is_no_pair():
    lacks = OUTPUTS["competitors"].lacks
    assert lacks(results()) is None
    for methods in (["backbone", "calibration"], ["backbone", "decrs", "ensemble"]):
        assert "no backbone has both" in lacks(replace(results(), methods={"FM": methods}))
