"""Drift by chance: against shuffling each user's clicks one by one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_decrs.causal.drift import interest_drift
from recbole_decrs.causal.drift_by_chance import drift_by_chance


@settings(deadline=None, max_examples=4)
@given(st.integers(0, 999))
def test_mean_and_p_are_those_of_each_user_alone(seed):
    rng = np.random.default_rng(seed)
    membership = np.vstack([np.zeros(3), rng.dirichlet(np.ones(3), 8)])
    users = rng.integers(0, 4, 60)
    items = rng.permutation(np.arange(60)) % 9
    mean, p = drift_by_chance(users, items, membership, 4, shuffles=400, seed=seed)
    for user in range(4):
        own = items[users == user]
        (true, *_), _ = interest_drift(np.zeros(len(own), int), own, membership, 1)
        drifts = [
            interest_drift(np.zeros(len(own), int), rng.permutation(own), membership, 1)[0][0] for _ in range(400)
        ]
        assert mean[user] == pytest.approx(np.mean(drifts), abs=4 * np.std(drifts) * (2 / 400) ** 0.5 + 1e-9)
        assert p[user] == pytest.approx(np.mean(np.array(drifts) >= true - 1e-9), abs=0.15)


def test_where_every_order_is_alike_the_drift_is_no_more_than_chance():
    membership = np.array([[0, 0], [1, 0], [1, 0], [1, 0]])
    mean, p = drift_by_chance([1, 1, 1], [1, 2, 3], membership, 3, shuffles=9)
    assert mean.tolist() == [0, 0, 0]
    assert p.tolist() == [1, 1, 1]


def test_one_seed_gives_the_same_numbers():
    rng = np.random.default_rng(0)
    users, items, membership = rng.integers(0, 3, 40), rng.integers(0, 6, 40), rng.dirichlet(np.ones(2), 6)
    first, again = (drift_by_chance(users, items, membership, 3, shuffles=5, seed=7) for _ in range(2))
    assert all(np.array_equal(one, other) for one, other in zip(first, again, strict=True))
