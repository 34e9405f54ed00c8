"""Do the tests of ``compare`` hold their level, and what is their power? Beside the bootstrap that they replace.

Four tables: by numerical integration, for many users, at 5% and at smaller levels; by simulation, for normal and for
recall-like values of few users; and of real models that differ in the seed alone, trained on ml-100k, which RecBole
ships. The models are kept in a folder, so a run that was killed goes on where it was.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import logging
import os
import shlex
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from scipy import optimize, sparse, stats
from tabulate import tabulate

from recbole_decrs.compare import run_comparison
from recbole_decrs.compare.significance import JUST_BELOW, p_at_any_level, paired_difference

LEVEL = 0.05
THETAS = (0, 0.3, 1, 2, 3, 5, 10, 30, 100, 1000)
"""Of b_s and e_su: U var(b) / var(e). 0 is no seed effect; at 1 seeds double the variance; at 100 they are most."""
SETTINGS = {"embedding_size": 16, "epochs": 16, "learning_rate": 0.1, "train_batch_size": 2048, "show_progress": False}
"""Of the real models, so that one takes ten seconds."""
SMALL_LEVELS = (0.05, 0.01, 0.05 / 18, 0.05 / 120)
"""The last two are what Holm's correction asks of the first of 18 and of 120 tests."""
POOL = 8192
METRICS = ("recall@20", "ndcg@20", "ckl@20")


def main() -> None:
    """Make the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", default="significance", help="folder for the real models")
    parser.add_argument("--models", type=int, default=40, help="how many")
    parser.add_argument("--draws", type=int, default=2000, help="of each simulation and of each choice of models")
    parser.add_argument("--users", type=int, default=200, help="of the simulation")
    parser.add_argument("--resamples", type=int, default=599, help="of the bootstrap")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", default="results/significance.md")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    shown = [argument for argument in sys.argv[1:] if not argument.startswith("--cache")]
    parts = [
        "# The tests of `compare`: false positives and power",
        INTRODUCTION,
        in_the_limit(),
        at_small_levels(),
        simulated(chosen.users, chosen.draws, chosen.resamples, chosen.seed),
        of_real_models(chosen.cache, chosen.models, chosen.draws, chosen.resamples, chosen.seed),
        f"command: `{shlex.join(['python', 'benchmarks/significance.py', *shown])}` (random numbers by seed "
        f"{chosen.seed})",
    ]
    text = "\n\n".join(parts) + "\n"
    print(text)
    Path(chosen.output).write_text(text, encoding="utf-8")


INTRODUCTION = """\
D[s, u] = mu + a_u + b_s + e_su is the difference of two methods for user u with seed s; theta = U var(b) / var(e) says
how much the seeds matter: 0 not at all, at 100 hardly anything else does. *False positives* are the share of p < 0.05
where mu = 0, to be 0.05; *power* is that share where mu is so many standard errors (those of theta = 0) from 0.

- new: `paired_difference` of `recbole_decrs/compare/significance.py`.
- bootstrap: the one before it; users and seeds drawn with replacement.
- t over seeds: one mean a seed, t with S - 1 degrees of freedom; it speaks of these users alone.
- Satterthwaite: variance (MS_A + max(MS_B - MS_E, 0)) / (S U), his degrees of freedom for the two parts."""

LIMITS = """\
The new test has at most 0.072 false positives with 3 seeds and 0.052 with 5, the bootstrap 0.249 and 0.154. With 5
seeds its power is that of the bootstrap or more, within 0.005, and with 10 it is more. With 3 seeds it is more up to
2 standard errors, up to 3 where users do not differ, and less beyond: by 0.133 at most. That cannot be had together
with the level. Of all tests that reject more readily for a larger mean and for a smaller MS_B, found by a linear
program, the best loses so much power to the bootstrap where seeds have no effect, at the worst of 0.5 to 6 standard
errors (above 0: it gains at all of them):"""


# In the limit of many users


def in_the_limit() -> str:
    """False positives and power by numerical integration: MS_A and MS_E known, MS_B / MS_E a scaled chi-square."""
    blocks = []
    for ratio in (1, 4):
        rows = []
        for n_seeds in (2, 3, 4, 5, 10):
            for name, rule in RULES.items():
                alarms = [limit(rule, n_seeds, theta, ratio, 0) for theta in THETAS]
                power = [limit(rule, n_seeds, 0, ratio, effect) for effect in (1, 2, 3, 4, 5)]
                rows.append([n_seeds, name, *numbers(alarms), f"**{max(alarms):.3f}**", *numbers(power)])
        headers = ["S", "test", *(f"{theta:g}" for theta in THETAS), "most", *(f"power {d}" for d in (1, 2, 3, 4, 5))]
        users = "var(a) = 0, as of models that differ in the seed alone" if ratio == 1 else "var(a) S = 3 var(e)"
        blocks.append(f"### Users: {users}\n\n" + tabulate(rows, headers, tablefmt="github", disable_numparse=True))
    heading = "## With many users, by numerical integration\n\nFalse positives by theta, and power at theta = 0."
    return "\n\n".join([heading, *blocks, LIMITS, bounds()])


def limit(rule: Callable, n_seeds: int, theta: float, ratio: float, effect: float, points: int = 2000) -> float:
    """The share of p < 0.05.

    Args:
        rule: from S, X = MS_B / MS_E and MS_A / MS_E to the squared critical value of mean^2 S U / MS_E.
        n_seeds: S.
        theta: U var(b) / var(e).
        ratio: MS_A / MS_E.
        effect: the mean in standard errors of theta = 0.
        points: of the integration over X, in the middle of as many equally likely parts.
    """
    seeds = (1 + theta) * stats.chi2.ppf((np.arange(points) + 0.5) / points, n_seeds - 1) / (n_seeds - 1)
    critical, deviation = np.sqrt(rule(n_seeds, seeds, ratio)), np.sqrt(ratio + theta)
    shift = effect * np.sqrt(ratio)
    share = stats.norm.sf((critical - shift) / deviation) + stats.norm.cdf((-critical - shift) / deviation)
    return float(share.mean())


def new_rule(n_seeds: int, seeds: np.ndarray, users: float, level: float = LEVEL) -> np.ndarray:
    """That of ``paired_difference``: below 5% a p is raised, so that the larger of two critical values counts."""
    found = cochran_rule(n_seeds, seeds, users, level)
    return found if level > JUST_BELOW else np.maximum(found, any_level_rule(n_seeds, seeds, users, level))


def cochran_rule(n_seeds: int, seeds: np.ndarray, users: float, level: float = LEVEL) -> np.ndarray:
    """That of Cochran's weighted p alone; its critical value depends on the share of the seeds alone."""
    parts = np.maximum(seeds - 0.5, 0)
    grid = np.linspace(0, 1, 101)
    ends = stats.norm.isf(level / 2), stats.t.isf(level / 2, n_seeds - 1)

    def excess(t: float, share: float) -> float:
        return (1 - share) * 2 * stats.norm.sf(t) + share * 2 * stats.t.sf(t, n_seeds - 1) - level

    critical = [optimize.brentq(excess, 0.99 * ends[0], 1.01 * ends[1], args=(share,)) for share in grid]
    return (users + parts) * np.interp(parts / (users + parts), grid, critical) ** 2


def any_level_rule(n_seeds: int, seeds: np.ndarray, users: float, level: float) -> np.ndarray:
    """That of ``p_at_any_level``, interpolated between a few X = MS_B / MS_E."""
    grid = np.geomspace(1e-4, 1e5, 73)

    def excess(log_mean: float, square: float) -> float:
        return p_at_any_level(np.exp(log_mean), users, square, 1, 1e9, n_seeds) - level

    critical = [2 * optimize.brentq(excess, -3, 25, args=(square,), xtol=1e-4) for square in grid]
    return np.exp(np.interp(np.log(seeds), np.log(grid), critical))


def at_small_levels() -> str:
    """The most false positives by any theta, as multiples of the level: of the new test, and of Cochran's p alone."""
    rows = []
    for ratio in (1, 4):
        for n_seeds in (2, 3, 5, 10):
            for name, rule in (("new", new_rule), ("Cochran's p alone", cochran_rule)):
                cells = []
                for level in SMALL_LEVELS:
                    of_level = functools.partial(rule, level=level)
                    alarms = [limit(of_level, n_seeds, theta, ratio, 0, 20_000) for theta in THETAS]
                    cells.append(f"{max(alarms) / level:.2f}")
                rows.append(["0" if ratio == 1 else "3 var(e)", n_seeds, name, *cells])
    headers = ["var(a) S", "S", "test", *(f"{level:.2g}" for level in SMALL_LEVELS)]
    table = tabulate(rows, headers, tablefmt="github", disable_numparse=True)
    return (
        "## At small levels, with many users\n\nHolm's correction asks small p-values of many tests: 0.0028 of the "
        "first of 18, 0.00042 of the first of 120. The most false positives by any theta above, by numerical "
        "integration, as multiples of the level. *Cochran's p alone* is the test before a p below 0.05 was raised to "
        f"that of `p_at_any_level`, to {JUST_BELOW} at most.\n\n{table}"
    )


def bootstrap_rule(n_seeds: int, seeds: np.ndarray, users: float) -> np.ndarray:
    """The variance of resampled means counts seeds, users, and their interaction once more."""
    return stats.norm.isf(LEVEL / 2) ** 2 * (users + (n_seeds - 1) / n_seeds * (seeds + 1))


def satterthwaite_rule(n_seeds: int, seeds: np.ndarray, users: float) -> np.ndarray:
    """The textbook's variance, negative parts set to 0."""
    excess = np.maximum(seeds - 1, 0)
    freedom = (n_seeds - 1) * (users + excess) ** 2 / np.maximum(excess, 1e-6) ** 2
    return (users + excess) * stats.t.isf(LEVEL / 2, np.minimum(freedom, 1e6)) ** 2


def seeds_rule(n_seeds: int, seeds: np.ndarray, users: float) -> np.ndarray:
    """Of t over the means of the seeds."""
    return seeds * stats.t.isf(LEVEL / 2, n_seeds - 1) ** 2


RULES = {"new": new_rule, "bootstrap": bootstrap_rule, "Satterthwaite": satterthwaite_rule, "t over seeds": seeds_rule}


def bounds() -> str:
    """What no test can do better, by the number of seeds and the level."""
    levels = (0.05, 0.075)
    rows = [[n_seeds, *(f"{least_loss(n_seeds, level):+.3f}" for level in levels)] for n_seeds in (2, 3, 5)]
    headers = ["S", *(f"at most {level} false positives" for level in levels)]
    return tabulate(rows, headers, tablefmt="github", disable_numparse=True)


def least_loss(n_seeds: int, level: float, effects: tuple[float, ...] = (0.5, 1, 2, 3, 4, 5, 6)) -> float:
    """The greatest possible least difference in power to the bootstrap, where var(a) = 0 and theta = 0.

    A test is a table of the probabilities to reject, by bins of X = MS_B / MS_E and of |Z|, the mean in standard errors
    of theta = 0; false positives, for each theta, and power are linear in them.
    """
    seeds = np.concatenate([[0], np.geomspace(0.03, 3e4, 60), [np.inf]])
    means = np.concatenate([np.linspace(0, 6, 61), np.geomspace(6.2, 2000, 30), [np.inf]])

    def probabilities(theta: float, effect: float) -> np.ndarray:
        deviation = np.sqrt(1 + theta)
        by_seeds = np.diff(stats.chi2.cdf(seeds * (n_seeds - 1) / (1 + theta), n_seeds - 1))
        below = stats.norm.cdf((means - effect) / deviation) - stats.norm.cdf((-means - effect) / deviation)
        return np.outer(by_seeds, np.diff(below))

    cells = np.arange((len(seeds) - 1) * (len(means) - 1)).reshape(len(seeds) - 1, -1)
    thetas = np.concatenate([[0], np.geomspace(0.1, 3000, 40)])
    alarms = [np.append(probabilities(theta, 0).ravel(), 0) for theta in thetas]
    powers = [np.append(-probabilities(0, effect).ravel(), 1) for effect in effects]
    less = np.concatenate([cells[:, :-1].ravel(), cells[1:].ravel()])
    more = np.concatenate([cells[:, 1:].ravel(), cells[:-1].ravel()])
    rows = np.tile(np.arange(len(less)), 2)
    signs = np.repeat([1.0, -1.0], len(less))
    monotone = sparse.csr_matrix((signs, (rows, np.concatenate([less, more]))), (len(less), cells.size + 1))
    found = optimize.linprog(
        np.append(np.zeros(cells.size), -1),
        A_ub=sparse.vstack([sparse.csr_matrix(np.array(alarms + powers)), monotone]),
        b_ub=np.concatenate(
            [
                np.full(len(thetas), level),
                [-limit(bootstrap_rule, n_seeds, 0, 1, effect) for effect in effects],
                np.zeros(len(less)),
            ]
        ),
        bounds=[(0, 1)] * cells.size + [(-1, 1)],
    )
    return float(found.x[-1])


# By simulation


@functools.cache
def times_drawn(number: int) -> np.ndarray:
    """How often each of so many is drawn, in POOL draws with replacement; part of them make a bootstrap."""
    return np.random.default_rng(number).multinomial(number, np.full(number, 1 / number), POOL).astype(np.float32)


def crossed_bootstrap(differences: np.ndarray, resamples: int, rng: np.random.Generator) -> float:
    """The p-value of the bootstrap over users and seeds, as ``compare`` had it; over users with one seed.

    Drawing with replacement is weighing by how often each is drawn; a resampled mean is a product of weights.
    """
    n_seeds, n_users = differences.shape
    users, seeds = (
        times_drawn(number)[start : start + resamples]
        for number, start in zip((n_users, n_seeds), rng.integers(POOL - resamples, size=2), strict=True)
    )
    means = ((users @ differences.T) * seeds).sum(axis=1)
    smaller = min((means <= 0).sum(), (means >= 0).sum())
    return min(1.0, 2 * (smaller + 1) / (resamples + 1))


def literal_bootstrap(differences: np.ndarray, resamples: int, rng: np.random.Generator) -> float:
    """The same, one resample at a time; the tests hold the two against each other."""
    n_seeds, n_users = differences.shape
    means = []
    for _ in range(resamples):
        seeds, users = rng.integers(n_seeds, size=n_seeds), rng.integers(n_users, size=n_users)
        means.append(np.mean([[differences[seed, user] for user in users] for seed in seeds]))
    smaller = min(sum(mean <= 0 for mean in means), sum(mean >= 0 for mean in means))
    return min(1.0, 2 * (smaller + 1) / (resamples + 1))


def rejected(differences: np.ndarray, resamples: int, rng: np.random.Generator) -> tuple[bool, bool]:
    """Whether the new test and the bootstrap find a difference; with one seed, whether the interval leaves out 0."""
    found = paired_difference(differences)
    ours = found.p < LEVEL if len(differences) > 1 else found.low > 0 or found.high < 0
    return ours, crossed_bootstrap(differences, resamples, rng) < LEVEL


def normal(n_seeds: int, n_users: int, rng: np.random.Generator) -> np.ndarray:
    """Noise alone."""
    return rng.normal(size=(n_seeds, n_users))


def recall_like(n_seeds: int, n_users: int, rng: np.random.Generator, own: bool = False) -> np.ndarray:
    """Differences of recalls of few relevant items, most of them 0; with ``own``, users prefer either method."""
    relevant = rng.geometric(0.3, n_users)
    rates = rng.beta(0.5, 3, (2, n_users))
    hits = [rng.binomial(relevant, rates[number if own else 0], (n_seeds, n_users)) for number in range(2)]
    return (hits[0] - hits[1]) / relevant


def recall_like_own(n_seeds: int, n_users: int, rng: np.random.Generator) -> np.ndarray:
    """With effects of users."""
    return recall_like(n_seeds, n_users, rng, own=True)


KINDS = {"normal": normal, "recall-like": recall_like, "recall-like, users differ": recall_like_own}


def simulated(n_users: int, draws: int, resamples: int, seed: int) -> str:
    """False positives and power by simulation."""
    cases = [("no seed effect", 0, 0), ("moderate, theta 3", 3, 0), ("dominant, theta 100", 100, 0)]
    cases += [(f"power {effect}", 0, effect) for effect in (2, 3, 4)]
    rows = []
    for kind, draw in KINDS.items():
        one, other = draw(2, 200_000, np.random.default_rng(seed))
        noise, of_users = np.var(one - other) / 2, max(0, np.cov(one, other)[0, 1])
        for n_seeds in (1, 2, 3, 5, 10):
            cells = []
            for number, (_, theta, effect) in enumerate(cases):
                rng = np.random.default_rng([seed, n_seeds, number])
                error = np.sqrt((of_users + noise / n_seeds) / n_users)
                spread, found = np.sqrt(theta * noise / n_users), np.zeros(2)
                for _ in range(draws):
                    of_seeds = rng.normal(0, spread, (n_seeds, 1)) + effect * error
                    found += rejected(draw(n_seeds, n_users, rng) + of_seeds, resamples, rng)
                cells.append(" / ".join(numbers(found / draws)))
            rows.append([kind, n_seeds, *cells])
            print(*rows[-1], sep=" | ", file=sys.stderr, flush=True)
    table = tabulate(rows, ["values", "S", *(name for name, *_ in cases)], tablefmt="github", disable_numparse=True)
    return (
        f"## With {n_users} users, by simulation\n\nNew / bootstrap, of {draws} draws (standard error "
        f"{np.sqrt(0.05 * 0.95 / draws):.3f} at 0.05). With S = 1 there is no p-value any more, and the share is that "
        f"of intervals over users that leave out 0.\n\n{table}"
    )


# Of real models


def of_real_models(cache: str, n_models: int, draws: int, resamples: int, seed: int) -> str:
    """False positives among models that differ in the seed alone, and power where a constant is added."""
    Path(cache).mkdir(parents=True, exist_ok=True)
    with contextlib.chdir(cache), open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        results = run_comparison(["FM"], "ml-100k", ["backbone"], n_models, "compare", config_dict=SETTINGS)
    outcomes = results.all_seeds("FM", "backbone")
    rows = []
    for metric in METRICS:
        values = np.array([outcome.by_user[metric] for outcome in outcomes])
        values = values[:, ~np.isnan(values).any(axis=0)]
        square = values - values.mean(axis=0) - values.mean(axis=1, keepdims=True) + values.mean()
        noise = square.var() * n_models / (n_models - 1)
        theta = values.shape[1] * values.mean(axis=1).var(ddof=1) / noise - 1
        for n_seeds in (1, 2, 3, 5, 10):
            cells = []
            for number, share in enumerate((0, 0.05, 0.1)):
                rng, found = np.random.default_rng([seed, n_seeds, number]), np.zeros(2)
                for _ in range(draws):
                    one, other = rng.permutation(n_models)[: 2 * n_seeds].reshape(2, n_seeds)
                    differences = values[one] - values[other] + share * values.mean()
                    found += rejected(differences, resamples, rng)
                cells.append(" / ".join(numbers(found / draws)))
            rows.append([metric, f"{values.mean():.4f}", f"{max(theta, 0):.1f}", n_seeds, *cells])
            print(*rows[-1], sep=" | ", file=sys.stderr, flush=True)
    headers = ["metric", "mean", "theta", "S", "false positives", "power: 5% of the mean", "power: 10%"]
    table = tabulate(rows, headers, tablefmt="github", disable_numparse=True)
    return (
        f"## Real models that differ in the seed alone\n\n{n_models} FMs on ml-100k ({settings()}), seeds 2020 to "
        f"{2019 + n_models}; {draws} times S of them against S others, chosen at random. New / bootstrap; the groups "
        f"share models, so the shares are less sure than as many independent ones. theta is estimated. Where the "
        f"bootstrap has more than 0.05 false positives, its power is bought by them.\n\n{table}"
    )


def settings() -> str:
    """Of the real models, for the record."""
    return ", ".join(f"{key} {value}" for key, value in SETTINGS.items() if key != "show_progress")


def numbers(values: list[float] | np.ndarray) -> list[str]:
    """As the tables print them."""
    return [f"{value:.3f}" for value in values]


if __name__ == "__main__":
    main()
