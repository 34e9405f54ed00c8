"""DecRS against its controls, and the backbone against itself."""

from dataclasses import replace

import numpy as np
import pytest

from drawn_results import METRICS, results
from recbole_decrs.compare.outputs import OUTPUTS
from recbole_decrs.compare.significance import holm, paired_difference


def test_each_pair_is_tested_seed_by_seed_and_user_by_user():
    compared = results()
    frame = OUTPUTS["controls"].numbers(compared)
    pairs = [("decrs", "ensemble"), ("decrs", "constant"), ("other_seed", "backbone")]
    assert list(frame[["method", "against"]].itertuples(index=False, name=None)) == [p for p in pairs for _ in METRICS]
    for row in frame.itertuples():
        differences = [
            compared.outcomes["FM", row.method, seed].by_user[row.metric]
            - compared.outcomes["FM", row.against, seed].by_user[row.metric]
            for seed in compared.seeds
        ]
        expected = paired_difference(np.array(differences))
        assert (row.difference, row.low, row.high, row.p) == pytest.approx(expected[:4])
    of_decrs = frame[frame["method"] == "decrs"]
    assert of_decrs["p_holm"].tolist() == holm(of_decrs["p"].tolist())
    assert frame[frame["method"] == "other_seed"]["p_holm"].isna().all()
    text = OUTPUTS["controls"].text(compared, frame)
    assert "| DecRS - Ensemble" in text
    assert "| Another seed - FM" in text
    assert "Recall@5" not in text
    below = (of_decrs["p_holm"] < 0.05).sum()
    family = "Of 6 p-values of DecRS and its models against controls, over all metrics and without those of other seeds"
    assert f"{family}, {below} are" in text


@pytest.mark.parametrize(
    ("methods", "pairs"),
    [
        (["backbone", "decrs_wo", "decrs", "by_user"], [("decrs_wo", "by_user")]),
        (
            ["backbone", "decrs_wo", "decrs", "confounded", "confounded_wo"],
            [("decrs", "confounded"), ("decrs_wo", "confounded_wo")],
        ),
        (["backbone", "decrs", "confounded_wo"], []),
        (
            ["backbone", "decrs", "ensemble_equal", "equal"],
            [("decrs", "ensemble_equal"), ("decrs", "equal"), ("equal", "ensemble_equal")],
        ),
        (["backbone", "ensemble_equal", "equal"], [("equal", "ensemble_equal")]),
    ],
)
def test_models_alone_are_held_against_models_alone(methods, pairs):
    compared = results(methods=methods)
    frame = OUTPUTS["controls"].numbers(compared)
    found = list(frame[["method", "against"]].drop_duplicates().itertuples(index=False, name=None))
    assert found == pairs
    assert bool(OUTPUTS["controls"].lacks(compared)) == (not pairs)


def test_one_seed_has_no_p_values():
    compared = results(seeds=(2020,))
    frame = OUTPUTS["controls"].numbers(compared)
    text = OUTPUTS["controls"].text(compared, frame)
    assert frame["p"].isna().all()
    assert "over users." in text
    assert "p-value" not in text


def test_it_is_left_out_where_there_is_no_pair():
    lacks = OUTPUTS["controls"].lacks
    assert lacks(results()) is None
    for methods in (["backbone", "decrs"], ["backbone", "ensemble"]):
        assert "no backbone has both" in lacks(replace(results(), methods={"FM": methods}))
    again = replace(results(), methods={"FM": ["backbone", "other_seed"]})
    assert lacks(again) is None
    assert "DecRS" not in OUTPUTS["controls"].text(again, OUTPUTS["controls"].numbers(again))
