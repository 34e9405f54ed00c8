import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbole_decrs.causal import interest_drift, kl_divergence, normalized_drift, symmetric_kl
from strategies import clicked_data, distributions


def kl_by_loop(p, q, smoothing):
    total = 0.0
    for p_n, q_n in zip(p, q, strict=True):
        if p_n >= 1e-5:
            total += p_n * math.log(p_n / ((1 - smoothing) * q_n + smoothing * p_n))
    return total


@given(distributions(), distributions(), st.sampled_from([0.01, 0.1, 1.0]))
def test_divergences_are_their_definitions(p, q, smoothing):
    expected = [kl_by_loop(a, b, smoothing) for a, b in zip(p, q, strict=True)]
    np.testing.assert_allclose(kl_divergence(p, q, smoothing), expected, atol=1e-9)
    expected = [kl_by_loop(a, b, smoothing) + kl_by_loop(b, a, smoothing) for a, b in zip(p, q, strict=True)]
    np.testing.assert_allclose(symmetric_kl(p, q, smoothing), expected, atol=1e-9)


def test_divergence_broadcasts():
    p, q = np.full((2, 1, 4), 0.25), np.full((3, 4), 0.25)
    assert kl_divergence(p, q).shape == (2, 3)


def drift_by_loop(user, clicks, membership, smoothing, periods=2):
    """Eq. 10 over the halves of the user's distinct grouped clicks; the mean over neighbours of more periods."""
    history = []
    for who, item in clicks:
        if who == user and item not in history and sum(membership[item]) > 0:
            history.append(item)
    n = len(history)
    if n < periods:
        return 0.0
    means = []
    for number in range(periods):
        part = history[math.floor(number * n / periods) : math.floor((number + 1) * n / periods)]
        means.append(np.mean([membership[item] for item in part], axis=0))
    divergences = [
        kl_by_loop(means[k], means[k + 1], smoothing) + kl_by_loop(means[k + 1], means[k], smoothing)
        for k in range(periods - 1)
    ]
    return sum(divergences) / len(divergences)


@given(clicked_data(), st.integers(2, 5))
def test_interest_drift_is_eq_10(data, periods):
    membership, clicks = data
    users, items = np.array(clicks).T
    drift, drifting = interest_drift(users, items, membership, n_users=5, periods=periods)
    expected = [drift_by_loop(user, clicks, membership, 0.01, periods) for user in range(5)]
    np.testing.assert_allclose(drift, expected, atol=1e-9)
    for user in range(5):
        distinct = {item for who, item in clicks if who == user and sum(membership[item]) > 0}
        assert drifting[user] == (len(distinct) >= periods)


@given(st.lists(st.floats(0, 8), min_size=2, max_size=8), st.sampled_from([0.0, 0.1, 1.0, 3.0]), st.data())
def test_normalized_drift_is_eq_12(drift, alpha, data):
    counted = data.draw(st.lists(st.booleans(), min_size=len(drift), max_size=len(drift)))
    over = [value for value, counts in zip(drift, counted, strict=True) if counts]
    expected = []
    for value in drift:
        fraction = (value - min(over)) / (max(over) - min(over)) if over and max(over) - min(over) > 1e-12 else 0.0
        expected.append(min(max(fraction, 0.0), 1.0) ** alpha)
    np.testing.assert_allclose(normalized_drift(drift, alpha, np.array(counted)), expected)


def test_normalized_drift_over_everyone():
    np.testing.assert_allclose(normalized_drift(np.array([1.0, 2.0, 3.0]), 0.5), [0, math.sqrt(0.5), 1])


def test_equal_drift_gives_a_fraction_of_0():
    np.testing.assert_array_equal(normalized_drift(np.array([2.0, 2.0]), 0.3), [0, 0])


def test_rounding_is_no_drift():
    """All items have the same shares of the groups, and only the order of summing differs."""
    shares = np.random.default_rng(0).dirichlet(np.ones(7))
    membership = np.vstack([np.zeros(7), np.tile(shares, (60, 1))])
    users = np.repeat(np.arange(1, 51), np.arange(10, 60))
    items = np.concatenate([np.arange(1, n + 1) for n in range(10, 60)])
    drift, drifting = interest_drift(users, items, membership, 51)
    assert len(np.unique(drift[drifting])) > 1
    assert drift.max() < 1e-15
    np.testing.assert_array_equal(normalized_drift(drift, 0.2, drifting), np.zeros(51))
    np.testing.assert_array_equal(normalized_drift(drift, 0.0, drifting), np.ones(51))


def test_without_drift_users_nothing_is_weighed():
    np.testing.assert_array_equal(normalized_drift(np.array([0.0, 0.0]), 1.0, np.array([False, False])), [0, 0])


def test_a_half_of_one_click_is_compared_to_the_rest():
    membership = np.array([[0, 0], [1, 0], [0, 1]])
    drift, _ = interest_drift(np.array([1, 1]), np.array([1, 2]), membership, n_users=2)
    assert drift[1] == pytest.approx(2 * math.log(1 / 0.01))
