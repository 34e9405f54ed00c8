"""Tests if a difference is more than chance, over users and seeds, and says what few seeds cannot tell."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import optimize, special, stats

FEWEST_SEEDS = 5
"""With fewer, only large differences can be told from chance, and p may be a little too small."""
FEWEST_USERS = 10
"""With fewer in a group, it is not set against another."""
LEVEL = 0.05
JUST_BELOW = 0.049
"""To so much a p below 0.05 is raised at most by the test that holds at smaller levels; tables print it as < 0.05."""
TAIL = 1e-15
"""Of the chi-squares in a generalised p-value so much is left out at either end; no p is smaller."""
N_CHI_SQUARES = 400
"""At so many of them, in equal ratios, it is computed."""
FALSE_ALARMS = {2: 12, 3: 7, 4: 6}
"""How many of 100 differences of chance have p < 0.05, about, at most, by the number of seeds (significance.md)."""


class Difference(NamedTuple):
    """Holds a mean paired difference with its interval and p-value."""

    mean: float
    low: float
    """The lower end of the 95% interval; with one seed it is over users alone."""
    high: float
    """The upper end."""
    p: float
    """The two-sided p-value; NaN with one seed, which says nothing of training."""
    seed_share: float
    """The seeds' share in the variance of the mean; NaN with one seed."""


def paired_difference(differences: np.ndarray) -> Difference:
    """Test the mean of paired differences: its 95% interval, and the two-sided p-value against 0, over users and seeds.

    In D[s, u] = mu + a_u + b_s + e_su users and seeds are drawn at random. From the mean squares MS_A of users, MS_B of
    seeds and MS_E of the rest, the mean has the variance (A + B) / (S U): A = MS_A for the users, and for the seeds
    B = max(MS_B - MS_E / 2, 0). Where t is the mean over its standard error, p is the mean of the p-values of t with
    U - 1 and with S - 1 degrees of freedom, weighted by A and B, as Cochran (1964, Biometrics 20:191) averages critical
    values where variances add up; the interval holds the values against which p would be 0.05 or more.

    That is made for 0.05. At the small levels that a correction over many tests asks for it rejects too often: of true
    hypotheses up to 0.23% at 0.042%, with five seeds. So a p below 0.05 is raised to that of :func:`p_at_any_level`, to
    :data:`JUST_BELOW` at most, which changes nothing at 0.05.

    The textbook's B = MS_B - MS_E with the degrees of freedom of Satterthwaite (1946, Biometrics Bulletin 2:110),
    (A + B)^2 / (A^2 / (U - 1) + B^2 / (S - 1)), rejects up to 12% of true hypotheses at 5% with three seeds, the above
    7.2%; ``benchmarks/significance.py`` compares them.

    Args:
        differences: shape [n_seeds, n_users]; users with a NaN are left out. With one seed, the interval is that of t
            over users, and there is no p-value.
    """
    differences = differences[:, ~np.isnan(differences).any(axis=0)]
    n_seeds, n_users = differences.shape
    mean, unknown = float(differences.mean()) if n_users else float("nan"), float("nan")
    if n_users < 2:
        return Difference(mean, unknown, unknown, unknown, unknown)
    parts = [square / differences.size for square in mean_squares(differences)]
    return _judged(mean, *parts, n_users - 1, n_seeds)


def group_difference(differences: np.ndarray, first: np.ndarray, second: np.ndarray) -> Difference:
    """Test if paired differences are larger among some users than among others: the mean of those less that of these.

    Users are drawn at random within each group, and seeds for both together. Over users the variance is that of two
    samples, s_1^2 / n_1 + s_2^2 / n_2 of the users' means over the seeds, with the degrees of freedom of Welch (1947,
    Biometrika 34:28); over seeds it is that of the groups' difference in each seed, less half of what the rest of the
    variance brings into it. The two are put together as in :func:`paired_difference`.

    Args:
        differences: shape [n_seeds, n_users]; users with a NaN are left out.
        first, second: which users are in the groups, which have none in common, shape [n_users] each, bool.

    Returns:
        The difference of the groups; all NaN where one has fewer than :data:`FEWEST_USERS`, as the test then finds
        differences of chance too often.
    """
    known = ~np.isnan(differences).any(axis=0)
    groups = [differences[:, known & group] for group in (first, second)]
    counts = np.array([group.shape[1] for group in groups])
    if min(counts) < FEWEST_USERS:
        return Difference(*[float("nan")] * 5)
    n_seeds = len(differences)
    of_users = np.array([group.mean(axis=0).var(ddof=1) for group in groups]) / counts
    of_seeds = of_rest = 0.0
    if n_seeds > 1:
        by_seed = groups[0].mean(axis=1) - groups[1].mean(axis=1)
        rests = [group - group.mean(axis=0) - group.mean(axis=1, keepdims=True) + group.mean() for group in groups]
        squares = np.array([np.sum(rest**2) for rest in rests]) / ((counts - 1) * (n_seeds - 1))
        of_seeds, of_rest = by_seed.var(ddof=1) / n_seeds, float(np.sum(squares / counts)) / n_seeds
    shares = of_users / of_users.sum() if of_users.sum() else np.array([0.5, 0.5])
    welch = float(1 / np.sum(shares**2 / (counts - 1)))
    between = float(groups[0].mean() - groups[1].mean())
    return _judged(between, float(of_users.sum()), of_seeds, of_rest, welch, n_seeds)


def _judged(
    mean: float, of_users: float, of_seeds: float, of_rest: float, users_freedom: float, n_seeds: int
) -> Difference:
    """Give the interval and p-value of a mean from the variances that the mean squares give it.

    Args:
        mean: of the differences.
        of_users: MS_A / (S U), that of users and of the rest.
        of_seeds: MS_B / (S U), that of seeds and of the rest.
        of_rest: MS_E / (S U).
        users_freedom: the degrees of freedom of ``of_users``.
        n_seeds: S.
    """
    variances, unknown = np.array([of_users, max(of_seeds - of_rest / 2, 0.0)]), float("nan")
    variance = float(variances.sum())
    if variance == 0:
        return Difference(mean, mean, mean, unknown if n_seeds == 1 else float(mean == 0), unknown)
    weights, freedom = variances / variance, np.array([users_freedom, max(n_seeds - 1, 1)])
    margin = variance**0.5 * _critical_value(weights, freedom)
    if n_seeds == 1:
        return Difference(mean, mean - margin, mean + margin, unknown, unknown)
    p = min(_p_value(abs(mean) / variance**0.5, weights, freedom), 1.0)
    if p < LEVEL:
        p = max(p, min(JUST_BELOW, p_at_any_level(mean, of_users, of_seeds, of_rest, users_freedom, n_seeds)))
    return Difference(mean, mean - margin, mean + margin, p, float(weights[1]))


def p_at_any_level(
    mean: float, of_users: float, of_seeds: float, of_rest: float, users_freedom: float, n_seeds: int
) -> float:
    """Compute a p-value that is below a small alpha for no more than alpha of the true hypotheses.

    So ``benchmarks/significance.py`` finds it for all that is tried there; it is no theorem. It is a generalised
    p-value (Tsui and Weerahandi 1989, Journal of the American Statistical Association 84:602): (S - 1) MS_B over its
    expectation is a chi-square W with S - 1 degrees of freedom, so that what seeds add to the variance of the mean is
    max((S - 1) MS_B / W - MS_E, 0) / (S U), where MS_E is taken as known, and p is the mean over W of the p-values with
    these variances. With users alike, MS_A being MS_E, it is not below that of t over the means of the seeds.

    Args:
        mean: of the differences, not 0.
        of_users, of_seeds, of_rest: the variances of the mean by MS_A, MS_B and MS_E, as in :func:`_judged`.
        users_freedom: the degrees of freedom of ``of_users``.
        n_seeds: S, 2 or more.
    """
    half = (n_seeds - 1) / 2
    ends = 2 * special.gammaincinv(half, TAIL), 2 * special.gammainccinv(half, TAIL)
    chi_squares = np.geomspace(*ends, N_CHI_SQUARES)
    density = chi_squares**half * np.exp(-chi_squares / 2)  # of the logarithm, in equal steps of which they lie
    variances = of_users + np.maximum(2 * half * of_seeds / chi_squares - of_rest, 0)
    with np.errstate(divide="ignore"):
        p_values = 2 * special.stdtr(users_freedom, -abs(mean) / np.sqrt(variances))
    return float(density @ p_values / density.sum()) + TAIL


def mean_squares(differences: np.ndarray) -> tuple[float, float, float]:
    """Compute the mean squares MS_A of users, MS_B of seeds and MS_E of the rest.

    Args:
        differences: shape [n_seeds, n_users]; see :func:`paired_difference`. With one seed, MS_B and MS_E are 0.
    """
    n_seeds, n_users = differences.shape
    by_user, by_seed, mean = differences.mean(axis=0), differences.mean(axis=1), differences.mean()
    users = n_seeds * np.sum((by_user - mean) ** 2) / (n_users - 1)
    if n_seeds == 1:
        return float(users), 0.0, 0.0
    seeds = n_users * np.sum((by_seed - mean) ** 2) / (n_seeds - 1)
    rest = np.sum((differences - by_user - by_seed[:, None] + mean) ** 2) / ((n_users - 1) * (n_seeds - 1))
    return float(users), float(seeds), float(rest)


def _p_value(t: float, weights: np.ndarray, freedom: np.ndarray) -> float:
    return float(weights @ (2 * special.stdtr(freedom, -t)))


def p_in_words(p: float, digits: int) -> str:
    """Write a p-value for a table; what is known to be below 0.05 alone is written so."""
    return f"< {LEVEL}" if p == JUST_BELOW else f"{p:.{digits}f}"


def _critical_value(weights: np.ndarray, freedom: np.ndarray) -> float:
    """Find the t with the p-value of LEVEL; it lies between those of either degrees of freedom."""
    ends = special.stdtrit(freedom, 1 - LEVEL / 2)
    return optimize.brentq(lambda t: _p_value(t, weights, freedom) - LEVEL, 0.99 * min(ends), 1.01 * max(ends))


def holm(p_values: list[float]) -> list[float]:
    """Correct a family of p-values by Holm's step-down rule; NaN stays, and counts for none."""
    known = [place for place, p in enumerate(p_values) if not np.isnan(p)]
    corrected = [float("nan")] * len(p_values)
    largest = 0.0
    for number, place in enumerate(sorted(known, key=lambda place: p_values[place])):
        largest = max(largest, min(1.0, (len(known) - number) * p_values[place]))
        corrected[place] = largest
    return corrected


def few_seeds(n_seeds: int) -> str | None:
    """Say in one or two sentences what cannot be had with so few seeds; None with enough."""
    if n_seeds >= FEWEST_SEEDS:
        return None
    more = f"run with --seeds={FEWEST_SEEDS} or more before you believe a difference."
    if n_seeds == 1:
        return (
            "Only 1 seed: no p-value of one seed speaks of training; an interval is over users alone, and says "
            f"nothing of other seeds; {more}"
        )

    def least(number: int) -> str:
        return f"{stats.t.isf(LEVEL / 2, number - 1) / number**0.5:.1f}"

    return (
        f"Only {n_seeds} seeds: where training makes most of the variance, a difference below {least(n_seeds)} of its "
        f"standard deviations over the seeds is not told from chance (below {least(5)} with 5 seeds, {least(10)} with "
        f"10), and where it makes a part, up to {FALSE_ALARMS[n_seeds]} of 100 differences of chance have "
        f"p < {LEVEL}; {more}"
    )
