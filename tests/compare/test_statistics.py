import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_decrs.compare.statistics import holm, paired_difference


def literal_bootstrap(differences, n_resamples, rng):
    """Draw seeds, draw users, average: one resample at a time."""
    n_seeds, n_users = differences.shape
    means = []
    for _ in range(n_resamples):
        seeds, users = rng.integers(n_seeds, size=n_seeds), rng.integers(n_users, size=n_users)
        means.append(np.mean([[differences[seed, user] for user in users] for seed in seeds]))
    return np.array(means)


@pytest.mark.parametrize("n_seeds", [1, 4])
@pytest.mark.parametrize("shift", [0.0, 0.15])
def test_as_the_literal_bootstrap(n_seeds, shift):
    rng = np.random.default_rng(0)
    differences = rng.normal(shift, 1, size=(n_seeds, 40)) + rng.normal(0, 0.3, size=(n_seeds, 1))
    found = paired_difference(differences, n_resamples=4000)
    means = literal_bootstrap(differences, 1500, rng)
    assert found.mean == pytest.approx(differences.mean())
    spread = means.std()
    assert found.low == pytest.approx(np.quantile(means, 0.025), abs=0.25 * spread)
    assert found.high == pytest.approx(np.quantile(means, 0.975), abs=0.25 * spread)
    assert found.p == pytest.approx(min(1, 2 * min(np.mean(means <= 0), np.mean(means >= 0))), abs=0.04)


def test_users_without_a_value_are_left_out():
    differences = np.array([[1.0, np.nan, 2.0, 4.0], [1.0, 5.0, 2.0, 4.0]])
    assert paired_difference(differences).mean == pytest.approx(7 / 3)
    assert np.isnan(paired_difference(np.full((1, 3), np.nan)).p)


def test_no_difference_and_a_sure_one():
    assert paired_difference(np.zeros((2, 30)), 999).p == 1
    assert paired_difference(np.ones((2, 30)), 999).p == pytest.approx(2 / 1000)


def test_it_is_repeatable():
    differences = np.random.default_rng(1).normal(size=(3, 50))
    assert paired_difference(differences) == paired_difference(differences)


def test_the_share_of_false_alarms():
    """Without a difference, p < 0.05 in about one of twenty."""
    rng = np.random.default_rng(3)
    alarms = np.mean([paired_difference(rng.normal(size=(1, 60)), 299).p < 0.05 for _ in range(300)])
    assert 0.02 < alarms < 0.09


@settings(max_examples=200)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_by_its_definition(p_values):
    """The hypothesis with the k-th smallest p of m has the corrected p max over j <= k of (m - j + 1) p_(j)."""
    ordered = sorted(p_values)
    m = len(ordered)
    for p, corrected in zip(p_values, holm(p_values), strict=True):
        rank = ordered.index(p)
        candidates = [
            max(min(1, (m - j) * ordered[j]) for j in range(k + 1)) for k in range(m) if ordered[k] == ordered[rank]
        ]
        assert any(corrected == pytest.approx(candidate) for candidate in candidates)


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, float("nan")])[:3] == pytest.approx([0.03, 0.06, 0.06])
    assert np.isnan(holm([0.01, float("nan")])[1])
