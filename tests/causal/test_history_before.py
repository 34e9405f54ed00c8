import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_decrs.causal.history_before import history_before, recent_distribution

N_USERS, N_ITEMS, N_GROUPS = 4, 7, 3


@st.composite
def histories(draw):
    """Clicks in the order of time, items with weights of groups or none, a prior, periods and smoothing."""
    clicks = draw(st.lists(st.tuples(st.integers(1, N_USERS - 1), st.integers(1, N_ITEMS - 1)), max_size=30))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    membership = rng.random((N_ITEMS, N_GROUPS)) * (rng.random((N_ITEMS, N_GROUPS)) < 0.6)
    membership[0] = 0
    totals = membership.sum(axis=1, keepdims=True)
    membership = np.divide(membership, totals, out=np.zeros_like(membership), where=totals > 0)
    prior = rng.dirichlet(np.ones(N_GROUPS))
    return clicks, membership, prior, draw(st.integers(1, 5)), draw(st.sampled_from([0.5, 3.0, 10.0]))


def counted_clicks(clicks, membership, user):
    """The user's first clicks on items with a group, each with its place among all clicks."""
    found, seen = [], set()
    for place, (who, item) in enumerate(clicks):
        if who == user and membership[item].sum() > 0 and item not in seen:
            seen.add(item)
            found.append((place, item))
    return found


def smoothed(items, membership, prior, smoothing):
    total = smoothing * prior
    for item in items:
        total = total + membership[item]
    return total / (len(items) + smoothing)


@settings(max_examples=150, deadline=None)
@given(histories())
def test_as_the_literal_loop(history):
    clicks, membership, prior, periods, smoothing = history
    users, items = (np.array([click[side] for click in clicks], dtype=int) for side in (0, 1))
    before, period = history_before(users, items, membership, prior, N_USERS, periods, smoothing)
    recent = recent_distribution(users, items, membership, prior, N_USERS, smoothing)
    assert before.shape == (periods, N_USERS, N_GROUPS)
    for user in range(N_USERS):
        own = counted_clicks(clicks, membership, user)
        begins = [number * len(own) // periods for number in range(periods)]
        for number, begin in enumerate(begins):
            expected = smoothed([item for _, item in own[:begin]], membership, prior, smoothing)
            np.testing.assert_allclose(before[number, user], expected, atol=1e-12)
        late = [item for _, item in own[len(own) // 2 :]]
        np.testing.assert_allclose(recent[user], smoothed(late, membership, prior, smoothing), atol=1e-12)
        for place, (who, _) in enumerate(clicks):
            if who == user:
                n_before = sum(other < place for other, _ in own)
                assert period[place] == max(number for number, begin in enumerate(begins) if begin <= n_before)


def test_no_click_sees_itself_or_what_comes_after():
    """The distribution that goes with a click is the same whatever is clicked from then on."""
    rng = np.random.default_rng(0)
    membership = np.eye(6)[rng.integers(6, size=40)]
    membership[0] = 0
    items = rng.permutation(np.arange(1, 40))
    users = np.ones(39, dtype=int)
    before, period = history_before(users, items, membership, np.full(6, 1 / 6), 2, periods=4)
    for place in (5, 17, 38):
        changed = items.copy()
        changed[place:] = np.roll(items[place:], 1)
        other, same_period = history_before(users, changed, membership, np.full(6, 1 / 6), 2, periods=4)
        assert same_period[place] == period[place]
        np.testing.assert_array_equal(other[period[place], 1], before[period[place], 1])


@pytest.mark.parametrize("periods", [1, 3])
def test_nobody_has_clicked(periods):
    nothing = np.array([], dtype=int)
    before, period = history_before(nothing, nothing, np.eye(3), np.array([0.2, 0.3, 0.5]), 2, periods)
    np.testing.assert_allclose(before, np.broadcast_to([0.2, 0.3, 0.5], (periods, 2, 3)))
    assert len(period) == 0
