import importlib.util
import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import integrate, stats

from recbole_decrs.compare.significance import (
    few_seeds,
    group_difference,
    holm,
    mean_squares,
    p_at_any_level,
    p_in_words,
    paired_difference,
)


def literal_p_at_any_level(mean, of_users, of_seeds, of_rest, users_freedom, n_seeds):
    """The mean of the p-values over W, by adaptive integration from quantile to quantile."""

    def weighted(w):
        variance = of_users + max((n_seeds - 1) * of_seeds / w - of_rest, 0)
        t = abs(mean) / variance**0.5 if variance else float("inf")
        return 2 * stats.t.sf(t, users_freedom) * stats.chi2.pdf(w, n_seeds - 1)

    ends = stats.chi2.ppf([1e-14, 1e-9, 1e-6, 1e-4, 0.01, 0.1, 0.3, 0.6, 0.9, 0.99, 1 - 1e-4, 1 - 1e-9], n_seeds - 1)
    return sum(integrate.quad(weighted, *pair, limit=100)[0] for pair in itertools.pairwise(ends))


def raised(p, p_at_small_levels):
    """What is below 0.05 is raised, to 0.049 at most."""
    return max(p, min(0.049, p_at_small_levels)) if p < 0.05 else p


def literal_test(differences):
    """The analysis of variance by its sums, one cell at a time; the interval by bisection on p."""
    n_seeds, n_users = len(differences), len(differences[0])
    mean = sum(map(sum, differences)) / (n_seeds * n_users)
    of_user = [sum(differences[s][u] for s in range(n_seeds)) / n_seeds for u in range(n_users)]
    of_seed = [sum(differences[s]) / n_users for s in range(n_seeds)]
    ms_a = n_seeds * sum((value - mean) ** 2 for value in of_user) / (n_users - 1)
    ms_b = n_users * sum((value - mean) ** 2 for value in of_seed) / (n_seeds - 1)
    ms_e = sum(
        (differences[s][u] - of_user[u] - of_seed[s] + mean) ** 2 for s in range(n_seeds) for u in range(n_users)
    ) / ((n_users - 1) * (n_seeds - 1))
    part = max(ms_b - ms_e / 2, 0)
    error = ((ms_a + part) / (n_seeds * n_users)) ** 0.5

    def p_against(value):
        t = abs(mean - value) / error
        of_users, of_seeds = (2 * stats.t.sf(t, number - 1) for number in (n_users, n_seeds))
        return (ms_a * of_users + part * of_seeds) / (ms_a + part)

    inside, outside = mean, mean + 1000 * error
    for _ in range(45):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if p_against(middle) > 0.05 else (inside, middle)
    of_mean = [square / (n_seeds * n_users) for square in (ms_a, ms_b, ms_e)]
    p = p_against(0)
    if p < 0.05:
        p = raised(p, literal_p_at_any_level(mean, *of_mean, n_users - 1, n_seeds))
    return mean, 2 * mean - inside, inside, p, part / (ms_a + part)


tenths = st.integers(-10, 10).map(lambda number: number / 10)
shapes = st.tuples(st.integers(2, 6), st.integers(2, 12))


@settings(max_examples=80, deadline=None)
@given(arrays(float, shapes, elements=tenths))
def test_as_the_literal_analysis_of_variance(differences):
    # Where neither users nor seeds differ in their means, the variance is rounding.
    assume(max(np.ptp(differences.mean(axis=0)), np.ptp(differences.mean(axis=1))) > 1e-9)
    found = paired_difference(differences)
    literal = literal_test(differences.tolist())
    np.testing.assert_allclose([*found[:3], found.seed_share], [*literal[:3], literal[4]], rtol=1e-6, atol=1e-9)
    assert found.p == pytest.approx(literal[3], rel=1e-3, abs=1e-9)


def literal_groups(differences, groups):
    """The same for two groups of users, by sums over cells: mean, standard error, degrees of freedom of the users."""
    n_seeds = len(differences)
    means = [sum(differences[s][u] for s in range(n_seeds) for u in group) / n_seeds / len(group) for group in groups]
    of_seed = [[sum(differences[s][u] for u in group) / len(group) for s in range(n_seeds)] for group in groups]
    mean, parts, rest = means[0] - means[1], [], 0
    for group, group_mean, seed_means in zip(groups, means, of_seed, strict=True):
        of_user = {u: sum(differences[s][u] for s in range(n_seeds)) / n_seeds for u in group}
        parts.append(sum((value - group_mean) ** 2 for value in of_user.values()) / (len(group) - 1) / len(group))
        squares = sum(
            (differences[s][u] - of_user[u] - seed_means[s] + group_mean) ** 2 for s in range(n_seeds) for u in group
        )
        rest += squares / ((len(group) - 1) * (n_seeds - 1)) / len(group)
    contrasts = [one - other for one, other in zip(*of_seed, strict=True)]
    over_seeds, rest = sum((one - mean) ** 2 for one in contrasts) / (n_seeds - 1) / n_seeds, rest / n_seeds
    freedom = sum(parts) ** 2 / sum(part**2 / (len(group) - 1) for part, group in zip(parts, groups, strict=True))
    return mean, sum(parts), over_seeds, rest, freedom


@settings(max_examples=50, deadline=None)
@given(st.integers(2, 5), st.integers(10, 14), st.integers(10, 14), st.integers(0, 9999))
def test_some_users_against_others_cell_by_cell(n_seeds, n_first, n_second, seed):
    rng = np.random.default_rng(seed)
    n_users = n_first + n_second + 2
    differences = rng.normal(size=(n_seeds, n_users)) + rng.normal(size=(n_seeds, 1))
    order = rng.permutation(n_users)
    groups = order[:n_first], order[n_first : n_first + n_second]
    found = group_difference(differences, *(np.isin(np.arange(n_users), group) for group in groups))
    mean, *squares, freedom = literal_groups(differences.tolist(), [group.tolist() for group in groups])
    over_users, over_seeds = squares[0], max(squares[1] - squares[2] / 2, 0)
    variance = over_users + over_seeds

    def p_against(value):
        t = abs(mean - value) / variance**0.5
        of_both = over_users * 2 * stats.t.sf(t, freedom) + over_seeds * 2 * stats.t.sf(t, n_seeds - 1)
        return of_both / variance

    assert found.mean == pytest.approx(mean)
    assert found.p == pytest.approx(
        raised(p_against(0), literal_p_at_any_level(mean, *squares, freedom, n_seeds)), rel=1e-3
    )
    assert found.seed_share == pytest.approx(over_seeds / variance, abs=1e-9)
    assert (p_against(found.low), p_against(found.high)) == pytest.approx((0.05, 0.05), rel=1e-6)


def test_some_users_against_others_have_the_variance_of_two_samples():
    """With one seed it is s_1^2 / n_1 + s_2^2 / n_2, as of two independent samples; of each seed it is the means."""
    rng = np.random.default_rng(5)
    differences = np.concatenate([rng.normal(1, 3, size=(1, 400)), rng.normal(0, 1, size=(1, 900))], axis=1)
    first = np.arange(1300) < 400
    found = group_difference(differences, first, ~first)
    of_two = stats.ttest_ind(differences[0, first], differences[0, ~first], equal_var=False).confidence_interval()
    assert (found.low, found.high) == pytest.approx(of_two)
    several = differences + rng.normal(size=(4, 1))  # an effect of the seed on all users is none on their difference
    assert group_difference(several, first, ~first).seed_share < 0.01
    assert np.isnan(group_difference(several, first, np.arange(1300) >= 1291)).all()  # nine users
    same = np.ones((3, 40))
    assert group_difference(same, np.arange(40) < 20, np.arange(40) >= 20)[:4] == (0, 0, 0, 1)


@pytest.mark.parametrize(("user", "group_seed", "cell"), [(1, 0, 1), (0, 0.3, 1)])
def test_ten_users_against_others_are_found_to_differ_by_chance_as_seldom_as_said(user, group_seed, cell):
    rng, first, found = np.random.default_rng(3), np.arange(200) < 10, 0
    for _ in range(500):
        of_users = user * rng.normal(size=200) * np.where(first, 2, 1)
        of_seeds = rng.normal(size=(5, 1)) + group_seed * rng.normal(size=(5, 1)) * first
        found += group_difference(of_users + of_seeds + cell * rng.normal(size=(5, 200)), first, ~first).p < 0.05
    assert 0.01 < found / 500 < 0.08


def test_users_without_a_value_are_in_neither_group():
    differences = np.random.default_rng(0).normal(size=(3, 30))
    first = np.arange(30) < 14
    with_gaps = differences.copy()
    with_gaps[0, [2, 15]] = np.nan
    kept = np.setdiff1d(np.arange(30), [2, 15])
    assert group_difference(with_gaps, first, ~first) == group_difference(
        differences[:, kept], first[kept], ~first[kept]
    )


@settings(max_examples=50, deadline=None)
@given(arrays(float, shapes, elements=st.floats(-1, 1)), st.floats(0.1, 100))
def test_symmetry_and_scale(differences, scale):
    """Of the other sign, p is the same and the interval mirrored; the unit does not matter."""
    differences = differences + np.random.default_rng(0).normal(size=differences.shape)
    one, other = paired_difference(differences), paired_difference(-scale * differences)
    assert other.p == pytest.approx(one.p)
    assert (other.low, other.high) == pytest.approx((-scale * one.high, -scale * one.low))
    assert (one.p < 0.05) == (one.low > 0 or one.high < 0)


def test_with_one_seed_it_is_t_over_users_and_no_p():
    differences = np.random.default_rng(0).normal(0.2, 1, size=40)
    interval = stats.ttest_1samp(differences, 0).confidence_interval()
    found = paired_difference(differences[None])
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    assert np.isnan([found.p, found.seed_share]).all()


def test_seeds_alone_are_t_over_the_means_of_seeds():
    of_seeds = np.array([0.3, 0.5, 0.2])
    found = paired_difference(np.repeat(of_seeds[:, None], 20, axis=1))
    assert found.p == pytest.approx(stats.ttest_1samp(of_seeds, 0).pvalue)
    assert found.seed_share == pytest.approx(1)


def test_users_alone_are_t_over_users():
    of_users = np.random.default_rng(0).normal(0.2, 1, size=40)
    found = paired_difference(np.repeat(of_users[None], 4, axis=0))
    assert found.p == pytest.approx(stats.ttest_1samp(of_users, 0).pvalue)
    assert found.seed_share == pytest.approx(0)


def test_users_without_a_value_are_left_out():
    differences = np.array([[1.0, np.nan, 2.0, 4.0], [1.0, 5.0, 2.0, 4.0]])
    assert paired_difference(differences) == paired_difference(differences[:, [0, 2, 3]])
    assert np.isnan(paired_difference(np.full((2, 3), np.nan))).all()
    one = paired_difference(np.array([[1.0, np.nan], [2.0, 1.0]]))
    assert one.mean == 1.5
    assert np.isnan(one[1:]).all()


@pytest.mark.parametrize("n_seeds", [2, 5])
def test_no_difference_and_a_sure_one(n_seeds):
    assert paired_difference(np.zeros((n_seeds, 30)))[:4] == (0, 0, 0, 1)
    for value in (1.0, 0.1, -1e-3):
        sure = paired_difference(np.full((n_seeds, 30), value))
        assert sure.p < 1e-10
        assert sure[:3] == pytest.approx((value,) * 3)
    assert paired_difference(np.tile([1.0, -1.0], (n_seeds, 15))).p == 1


def test_no_difference_with_one_seed():
    assert paired_difference(np.zeros((1, 30)))[:3] == (0, 0, 0)
    assert np.isnan(paired_difference(np.zeros((1, 30))).p)


@pytest.mark.parametrize(("n_seeds", "most"), [(3, 0.085), (5, 0.07)])
@pytest.mark.parametrize("theta", [0, 4, 100])
def test_the_share_of_false_alarms(n_seeds, most, theta):
    """Without a difference, p < 0.05 in one of twenty or fewer, however much the seeds differ."""
    rng, n_users = np.random.default_rng(3), 60
    alarms = 0
    for _ in range(1500):
        of_seeds = rng.normal(0, np.sqrt(theta / n_users), (n_seeds, 1))
        alarms += paired_difference(rng.normal(size=(n_seeds, n_users)) + of_seeds).p < 0.05
    assert 0.01 < alarms / 1500 < most


@pytest.mark.parametrize("n_seeds", [2, 3, 5])
@pytest.mark.parametrize("theta", [0, 3, 100])
@pytest.mark.parametrize("ratio", [1, 4])
def test_small_levels_hold(n_seeds, theta, ratio):
    """Of 5000 means of no difference no more than 1%, and 0.28%, have a p below these, however much seeds differ."""
    rng = np.random.default_rng(4)
    seeds = (1 + theta) * rng.chisquare(n_seeds - 1, 5000) / (n_seeds - 1)
    means = rng.normal(0, np.sqrt(ratio + theta), 5000)
    found = [p_at_any_level(mean, ratio, square, 1, 6000, n_seeds) for mean, square in zip(means, seeds, strict=True)]
    for level in (0.01, 0.05 / 18):
        alarms = np.mean(np.array(found) < level)
        assert alarms < level + 3 * np.sqrt(level / 5000)
        if theta == 100:
            assert alarms > level - 3 * np.sqrt(level / 5000)


def test_with_users_alike_p_is_never_below_that_of_t_over_seeds():
    rng = np.random.default_rng(5)
    for shift in (0, 0.3, 3):
        differences = rng.normal(shift, 1, size=(5, 60))
        by_seed = differences.mean(axis=1)
        variances = [1 / differences.size, by_seed.var(ddof=1) / 5, 1 / differences.size]
        t = stats.ttest_1samp(by_seed, 0).pvalue
        assert p_at_any_level(by_seed.mean(), *variances, 1e6, 5) >= 0.999 * t


def test_p_values_in_words():
    """What was raised to just below 0.05 is known to be below it alone."""
    assert [p_in_words(p, 3) for p in (0.0004, 0.0491, 0.049)] == ["0.000", "0.049", "< 0.05"]


def test_tiny_differences_are_as_others():
    differences = np.random.default_rng(0).normal(0.1, 1, size=(3, 40))
    first = np.arange(40) < 15
    for test in (paired_difference, lambda found: group_difference(found, first, ~first)):
        assert test(differences * 1e-85).p == pytest.approx(test(differences).p)


def test_tiny_p_values_are_computed_as_they_are():
    for t in (5, 50, 5000):  # the rest is nothing, so it is t over seeds
        assert p_at_any_level(t, 0, 1, 0, 1e12, 5) == pytest.approx(2 * stats.t.sf(t, 4), rel=1e-3, abs=1e-14)


@pytest.fixture(scope="module")
def benchmark():
    path = Path(__file__).parents[2] / "benchmarks" / "significance.py"
    spec = importlib.util.spec_from_file_location("significance", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("n_seeds", [1, 4])
@pytest.mark.parametrize("shift", [0.1, 0.3])
def test_the_bootstrap_of_the_benchmark_is_the_literal_one(benchmark, n_seeds, shift):
    rng = np.random.default_rng(0)
    differences = rng.normal(shift, 1, size=(n_seeds, 30)) + rng.normal(0, 0.3, size=(n_seeds, 1))
    quick = benchmark.crossed_bootstrap(differences, 4000, rng)
    assert quick == pytest.approx(benchmark.literal_bootstrap(differences, 1500, rng), abs=0.05)


@pytest.mark.parametrize("share", [0, 0.3, 1])
def test_the_integration_of_the_benchmark_is_the_test(benchmark, share):
    """With many users and given mean squares, the critical value is that of the interval."""
    n_seeds, n_users = 3, 4000
    rng = np.random.default_rng(0)
    differences = rng.normal(size=(n_seeds, n_users))
    differences -= differences.mean(axis=1, keepdims=True)
    differences += np.array([[-1.0], [0.0], [1.0]]) * np.sqrt(share * 6 / n_users)
    found = paired_difference(differences)
    by_user = differences.mean(axis=0)
    rest = np.sum((differences - by_user - differences.mean(axis=1, keepdims=True)) ** 2) / (2 * (n_users - 1))
    users = n_seeds * by_user.var(ddof=1) / rest
    rule = benchmark.new_rule(n_seeds, np.array([share * 6 / rest]), users)[0]
    assert (found.high - found.low) / 2 == pytest.approx(np.sqrt(rule * rest / (n_seeds * n_users)), rel=2e-3)


@pytest.mark.parametrize("level", [0.01, 0.05 / 18])
@pytest.mark.parametrize("share", [0.1, 2])
def test_the_integration_of_the_benchmark_is_the_test_at_small_levels(benchmark, share, level):
    """With many users and given mean squares, a mean at the critical value has the level as its p."""
    n_seeds, n_users = 3, 4000
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(n_seeds, n_users))
    noise -= noise.mean(axis=1, keepdims=True)
    noise += np.array([[-1.0], [0.0], [1.0]]) * np.sqrt(share / n_users)
    users, seeds, rest = mean_squares(noise)
    square = benchmark.new_rule(n_seeds, np.array([seeds / rest]), users / rest, level)[0]
    found = paired_difference(noise + np.sqrt(square * rest / noise.size))
    assert found.p == pytest.approx(level, rel=0.03)


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


@pytest.mark.parametrize(("n_seeds", "alarms"), [(2, 12), (3, 7), (4, 6)])
def test_what_few_seeds_cannot_tell(n_seeds, alarms):
    """By t over the seeds: p < 0.05 where the mean is above t / sqrt(S) standard deviations."""
    text = few_seeds(n_seeds)
    values = np.random.default_rng(0).normal(size=n_seeds)
    values += stats.t.isf(0.025, n_seeds - 1) / np.sqrt(n_seeds) * values.std(ddof=1) - values.mean()
    assert stats.ttest_1samp(values, 0).pvalue == pytest.approx(0.05)
    assert f"a difference below {values.mean() / values.std(ddof=1):.1f} of its standard deviations" in text
    assert f"up to {alarms} of 100 differences of chance" in text


def test_enough_seeds_need_no_warning():
    assert few_seeds(5) is None
