"""Every method against its backbone."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drawn_results import METHODS, METRICS, USERS, results
from recbole_decrs.compare.outputs import OUTPUTS
from recbole_decrs.compare.paired import differences_by_user
from recbole_decrs.compare.significance import holm, paired_difference


@given(st.permutations(range(len(USERS))), st.permutations(range(len(USERS))))
def test_each_user_is_held_against_the_same_user(of_decrs, of_backbone):
    compared = results(seeds=(2020,))
    before = {name: compared.outcomes["FM", name, 2020].by_user for name in ("decrs", "backbone")}
    for name, order in (("decrs", of_decrs), ("backbone", of_backbone)):
        outcome = compared.outcomes["FM", name, 2020]
        by_user = {key: values[list(order)] for key, values in outcome.by_user.items()}
        compared.outcomes["FM", name, 2020] = replace(outcome, by_user=by_user)
    users, differences = differences_by_user(compared, "FM", "decrs", "backbone", "recall@5")
    assert users.tolist() == sorted(USERS)
    for user, difference in zip(users, differences[0], strict=True):
        place = USERS.tolist().index(user)
        assert difference == before["decrs"]["recall@5"][place] - before["backbone"]["recall@5"][place]


def test_each_method_is_held_against_the_backbone_of_its_seed():
    compared = results()
    frame = OUTPUTS["against-backbone"].numbers(compared)
    assert frame["method"].tolist() == [name for name in METHODS[1:] for _ in METRICS]
    assert set(frame["against"]) == {"backbone"}
    for row in frame.itertuples():
        differences = [
            compared.outcomes["FM", row.method, seed].by_user[row.metric]
            - compared.outcomes["FM", "backbone", seed].by_user[row.metric]
            for seed in compared.seeds
        ]
        assert (row.difference, row.low, row.high, row.p) == pytest.approx(paired_difference(np.array(differences))[:4])
    again = frame["method"] == "other_seed"
    assert frame[again]["p_holm"].isna().all()
    assert frame[~again]["p_holm"].tolist() == holm(frame[~again]["p"].tolist())
    text = OUTPUTS["against-backbone"].text(compared, frame)
    assert "| Ensemble - FM" in text
    assert "Recall@5" not in text
    below = (frame["p_holm"] < 0.05).sum()
    assert f"Of 12 p-values, over all metrics and without those of other seeds, {below} are below 0.05" in text


def test_one_seed_has_intervals_alone():
    compared = results(seeds=(2020,))
    text = OUTPUTS["against-backbone"].text(compared, OUTPUTS["against-backbone"].numbers(compared))
    assert "over users." in text
    assert "p-value" not in text


def test_it_needs_a_method_beside_the_backbone():
    lacks = OUTPUTS["against-backbone"].lacks
    assert lacks(results()) is None
    assert "no backbone has one beside it" in lacks(replace(results(), methods={"FM": ["backbone"]}))
    only_again = replace(results(), methods={"FM": ["backbone", "other_seed"]})
    assert lacks(only_again) is None
    assert "0 p-values" not in OUTPUTS["against-backbone"].text(
        only_again, OUTPUTS["against-backbone"].numbers(only_again)
    )
