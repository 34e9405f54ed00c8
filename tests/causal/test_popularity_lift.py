"""Popularity lift and what it is made of, against the definitions written out."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from recbole_decrs.causal import item_popularity, list_popularity, popularity_lift, profile_popularity

N_USERS, N_ITEMS = 5, 6
CLICKS = st.lists(st.tuples(st.integers(0, N_USERS - 1), st.integers(0, N_ITEMS - 1)), max_size=25)


def matrix(clicks):
    users, items = [user for user, _ in clicks], [item for _, item in clicks]
    return sparse.csr_matrix((np.ones(len(clicks)), (users, items)), shape=(N_USERS, N_ITEMS))


def phi(clicks, item):
    return len({user for user, other in clicks if other == item})


@given(CLICKS)
def test_items_and_profiles(clicks):
    assert item_popularity(matrix(clicks)).tolist() == [phi(clicks, item) for item in range(N_ITEMS)]
    for user, found in enumerate(profile_popularity(matrix(clicks))):
        profile = {item for one, item in clicks if one == user}
        expected = sum(phi(clicks, item) for item in profile) / len(profile) if profile else math.nan
        assert found == pytest.approx(expected, nan_ok=True)


@given(CLICKS, st.integers(0, 999))
def test_lift_is_delta_gap(clicks, seed):
    rng = np.random.default_rng(seed)
    items = np.stack([rng.permutation(N_ITEMS)[:4] for _ in range(N_USERS)])
    lengths = rng.integers(0, 5, N_USERS)
    listed = np.arange(4) < lengths[:, None]
    popularity, profile = item_popularity(matrix(clicks)), profile_popularity(matrix(clicks))
    lists = list_popularity(items, listed, popularity, [2, 4])
    for k, found in lists.items():
        gap_p, gap_q = [], []
        for user in range(N_USERS):
            shown = items[user][: min(k, lengths[user])].tolist()
            clicked = {item for one, item in clicks if one == user}
            if shown and clicked:
                gap_p.append(sum(phi(clicks, item) for item in clicked) / len(clicked))
                gap_q.append(sum(phi(clicks, item) for item in shown) / len(shown))
        expected = math.nan
        if gap_p:
            gap_p, gap_q = sum(gap_p) / len(gap_p), sum(gap_q) / len(gap_q)
            expected = (gap_q - gap_p) / gap_p
        assert popularity_lift(profile, found) == pytest.approx(expected, nan_ok=True)


def test_lists_of_what_everybody_has_clicked_already_lift_nothing():
    clicks = sparse.csr_matrix([[0, 1, 1], [0, 1, 1]])
    items, listed = np.array([[1, 2], [2, 1]]), np.ones((2, 2), dtype=bool)
    lists = list_popularity(items, listed, item_popularity(clicks), [2])
    assert popularity_lift(profile_popularity(clicks), lists[2]) == 0


@given(CLICKS, st.floats(0.01, 100))
def test_the_unit_of_popularity_does_not_matter(clicks, unit):
    profile = profile_popularity(matrix(clicks))
    lists = np.roll(profile, 1)
    expected = popularity_lift(profile, lists)
    assert popularity_lift(profile * unit, lists * unit) == pytest.approx(expected, abs=1e-9, nan_ok=True)
