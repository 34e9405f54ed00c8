"""Methods against whole curves of re-rankers."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbole_decrs.compare import Outcome, Results
from recbole_decrs.compare.outputs import OUTPUTS
from recbole_decrs.compare.outputs.matched import best_beyond, matched_frame, matched_text

number = st.integers(-20, 20).map(lambda value: value / 4)


@given(points=st.lists(st.tuples(number, number), min_size=1, max_size=6), least=number)
def test_best_beyond_by_walking_along_the_curve(points, least):
    curve = np.array(points)
    steps = np.linspace(0, 1, 2001)[:, None]
    walked = [curve, *((1 - steps) * a + steps * b for a, b in itertools.pairwise(curve))]
    walked = np.concatenate(walked)
    beyond = walked[walked[:, 0] >= least - 1e-12]
    found = best_beyond(curve, least)
    if not len(beyond):
        assert np.isnan(found)
    else:  # a step of the walk is at most 10 / 2000 long in y
        assert found == pytest.approx(beyond[:, 1].max(), abs=5.1e-3)


def outcome(recall, ckl, curve=()):
    by_user = {"users": np.array([1]), "recall@10": np.array([recall]), "ckl@10": np.array([ckl])}
    test = {"recall@10": recall, "ckl@10": ckl}
    points = [[weight, {"recall@10": r, "ckl@10": c}] for weight, r, c in curve]
    return Outcome({"test": test, "by_drift": [], "chosen": None, "valid_scores": [], "curve": points}, by_user)


def results(outcomes):
    keyed = {("FM", name, 2020): one for name, one in outcomes.items()}
    return Results({"FM": list(outcomes)}, [2020], keyed, {}, {"FM": ("recall@10", True)})


def test_values_by_hand():
    curve = [(0.2, 0.30, 0.6), (0.1, 0.22, 0.8)]  # in the order of the weights the backbone, 0.1, 0.2
    outcomes = {
        "backbone": outcome(0.20, 1.0),
        "calibration": outcome(0.22, 0.8, curve),
        "decrs": outcome(0.26, 0.9),
        "constant": outcome(0.40, 0.5),
    }
    compared = results(outcomes)
    frame = matched_frame(compared)
    assert list(frame["method"]) == ["backbone", "decrs", "constant"]
    at_recall, at_ckl = frame.iloc[:, -2:].to_numpy().T
    np.testing.assert_allclose(at_recall, [0.6, 0.6, np.nan])
    np.testing.assert_allclose(at_ckl, [0.30, 0.30, np.nan])
    text = matched_text(compared, frame)
    assert "Calibration: CKL@10 at this Recall or more" in text
    row = next(line for line in text.splitlines() if line.startswith("| Constant"))
    assert row.count("not reached") == 2


def test_it_is_left_out_where_there_is_no_curve():
    lacks = OUTPUTS["matched"].lacks
    both = results(
        {"backbone": outcome(0.2, 1.0), "fairco": outcome(0.2, 0.9, [(0.1, 0.2, 0.9)]), "decrs": outcome(0.3, 0.9)}
    )
    assert lacks(both) is None
    listed = replace(both, methods={"FM": ["backbone", "fairco"]}, lists={"mine": outcome(0.1, 0.2)})
    assert lacks(listed) is None
    assert "mine" in set(matched_frame(listed)["method"])
    assert "no backbone has both" in lacks(replace(both, methods={"FM": ["backbone", "decrs"]}))
    assert "no backbone has both" in lacks(replace(both, methods={"FM": ["backbone", "fairco"]}))
