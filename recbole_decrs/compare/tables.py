"""The paper's tables from the outcomes of a comparison, as data frames and as Markdown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from recbole.evaluator import smaller_metrics
from scipy import stats
from tabulate import tabulate

from recbole_decrs.compare.experiment import Outcome
from recbole_decrs.compare.methods import METHODS
from recbole_decrs.compare.statistics import FEWEST_SEEDS, LEVEL, holm, paired_difference
from recbole_decrs.errors import DecRSError
from recbole_decrs.evaluator.report import improvement, title_of

FALSE_ALARMS = {2: 12, 3: 7, 4: 6}
"""Differences of chance with p < 0.05, of 100, at most, by the number of seeds; see ``benchmarks/significance.py``."""


@dataclass(frozen=True)
class Results:
    """Everything that the tables and figures are made from."""

    methods: dict[str, list[str]]
    """Methods by backbone, ``backbone`` among them."""
    seeds: list[int]
    outcomes: dict[tuple[str, str, int], Outcome]
    """By backbone, method and seed."""
    lists: dict[str, Outcome]
    """Of the ranking lists made elsewhere, by name."""
    chosen_by: dict[str, tuple[str, bool]]
    """By backbone: the metric of the choices on validation, and whether bigger is better."""

    @property
    def metrics(self) -> list[str]:
        """``recall@10``, ... in the order of the configuration."""
        return list(next(iter(self.outcomes.values())).info["test"])

    @property
    def thresholds(self) -> list[float]:
        """Of the drift groups."""
        return [threshold for threshold, *_ in next(iter(self.outcomes.values())).info["by_drift"]]

    def all_seeds(self, backbone: str, name: str) -> list[Outcome]:
        """The outcomes of a method, one a seed."""
        return [self.outcomes[backbone, name, seed] for seed in self.seeds]

    def values(self, backbone: str, name: str, metric: str) -> list[float]:
        """A metric on test, one a seed."""
        return [outcome.info["test"][metric] for outcome in self.all_seeds(backbone, name)]

    def mean(self, backbone: str, name: str, metric: str) -> float:
        """A metric on test, over the seeds."""
        return float(np.mean(self.values(backbone, name, metric)))

    def valid_mean(self, backbone: str, name: str) -> float:
        """The score on validation of what was chosen there, over the seeds."""
        chosen = [outcome.info for outcome in self.all_seeds(backbone, name)]
        return float(np.mean([dict(map(tuple, info["valid_scores"]))[info["chosen"]] for info in chosen]))

    def in_group(self, backbone: str, name: str, metric: str, threshold: float) -> tuple[int, float]:
        """Users of a drift group, and the mean of a metric over the seeds; NaN in a group without users."""
        groups = [
            next(group for group in outcome.info["by_drift"] if group[0] == threshold)
            for outcome in self.all_seeds(backbone, name)
        ]
        return groups[0][1], float(np.mean([group[2].get(metric, np.nan) for group in groups]))


def title(backbone: str, name: str) -> str:
    """How tables and figures call a method, or a ranking list made elsewhere."""
    return METHODS[name].title.format(backbone=backbone) if name in METHODS else name


def is_better(metric: str, one: float, other: float) -> bool:
    """Whether one value of a metric is better than another."""
    return one < other if metric.partition("@")[0] in smaller_metrics else one > other


def best_competitor(results: Results, backbone: str) -> str | None:
    """The competitor with the best mean over the seeds on validation; None without competitors.

    Chosen on test it would be the luckiest one, and another one for each metric.
    """
    bigger = results.chosen_by[backbone][1]
    scores = {
        name: results.valid_mean(backbone, name)
        for name in results.methods[backbone]
        if METHODS[name].role == "competitor"
    }
    return (max if bigger else min)(scores, key=scores.get, default=None)


# Table 3


def overall_frame(results: Results) -> pd.DataFrame:
    """Mean and standard deviation over seeds of each method, list and metric; the best of a backbone are marked."""
    rows = []
    for backbone, names in results.methods.items():
        roles = {name: METHODS[name].role for name in names} | dict.fromkeys(results.lists, "list")
        for metric in results.metrics:
            values = {name: results.values(backbone, name, metric) for name in names}
            values |= {name: [outcome.info["test"][metric]] for name, outcome in results.lists.items()}
            means = {name: float(np.mean(found)) for name, found in values.items()}
            best = names[0]
            for name in means:
                best = name if is_better(metric, means[name], means[best]) else best
            for name, found in values.items():
                deviation = float(np.std(found, ddof=1)) if len(found) > 1 else np.nan
                is_best = means[name] == means[best]  # with what ties
                rows.append([backbone, name, roles[name], metric, means[name], deviation, len(found), is_best])
    return pd.DataFrame(rows, columns=["backbone", "method", "role", "metric", "mean", "std", "seeds", "best"])


def tests_frame(results: Results) -> pd.DataFrame:
    """DecRS against backbone, best competitor, ``ensemble`` and each list; p corrected over all rows that have one."""
    rows = []
    for backbone, names in results.methods.items():
        if "decrs" not in names:
            continue
        opponents = [("backbone", "backbone"), ("best competitor", best_competitor(results, backbone))]
        opponents += [("ensemble", "ensemble" if "ensemble" in names else None)]
        opponents += [("list", name) for name in results.lists]
        for metric in results.metrics:
            for kind, opponent in opponents:
                pairs = [] if opponent is None else _by_user(results, backbone, opponent, metric)
                if len(pairs):
                    rows.append([backbone, metric, kind, opponent, *paired_difference(pairs)])
    columns = ["backbone", "metric", "against", "method", "difference", "low", "high", "p", "seed_share"]
    frame = pd.DataFrame(rows, columns=columns)
    frame.insert(columns.index("p") + 1, "p_holm", holm(frame["p"].tolist()))
    return frame


def _by_user(results: Results, backbone: str, opponent: str, metric: str) -> np.ndarray:
    """DecRS minus the opponent: shape [n_seeds, n_users]; empty where the metric has no value per user."""
    rows = []
    for seed in results.seeds:
        other = results.lists.get(opponent) or results.outcomes[backbone, opponent, seed]
        ours, theirs = results.outcomes[backbone, "decrs", seed].by_user, other.by_user
        if metric not in ours:
            return np.empty((0, 0))
        # Lists have the order of the first backbone, and the users of a sequential one may be in another.
        our_order, their_order = np.argsort(ours["users"]), np.argsort(theirs["users"])
        if not np.array_equal(ours["users"][our_order], theirs["users"][their_order]):
            raise DecRSError(f"decrs and {opponent} over {backbone} were measured on other users; delete pieces/")
        rows.append(ours[metric][our_order] - theirs[metric][their_order])
    return np.array(rows)


def overall_text(results: Results, overall: pd.DataFrame, tests: pd.DataFrame) -> str:
    """Table 3 of the paper: methods by metrics, best in bold, and the tests below."""
    parts = []
    for backbone, names in results.methods.items():
        cells = overall[overall["backbone"] == backbone].set_index(["method", "metric"])
        rows, controls = [], []
        for name in names:
            row = [title(backbone, name), *(_cell(cells.loc[(name, metric)]) for metric in results.metrics)]
            row.append(_chosen(results, backbone, name))
            (controls if METHODS[name].role == "control" else rows).append(row)
            if name == "decrs":
                changes = (
                    improvement(
                        metric, results.mean(backbone, "backbone", metric), results.mean(backbone, name, metric)
                    )
                    for metric in results.metrics
                )
                controls.insert(0, ["%improv.", *(_percent(change) for change in changes), ""])
        for name in results.lists:
            controls.append([name, *(_cell(cells.loc[(name, metric)]) for metric in results.metrics), "list"])
        headers = [backbone, *map(title_of, results.metrics), "chosen on validation"]
        parts.append(tabulate(rows + controls, headers=headers, tablefmt="github", disable_numparse=True))
    seeds = f"Mean{' ± standard deviation' if len(results.seeds) > 1 else ''} over seeds {_listed(results.seeds)}; "
    if any("decrs" in names for names in results.methods.values()):
        seeds += "%improv. of DecRS over the backbone, positive where better, with controls below it; "
    parts.append(f"{seeds}best of all rows in bold (CKL: smaller is better).")
    if len(tests):
        parts += [_tests_table(results, tests), _tests_line(results, tests)]
        if warning := few_seeds(results):
            parts.append(warning)
    return "\n\n".join(parts) + "\n"


def _tests_table(results: Results, tests: pd.DataFrame) -> str:
    several = len(results.seeds) > 1
    remarks = {"best competitor": " (best competitor)", "list": " (list)"}
    rows = [
        [
            row.backbone,
            title_of(row.metric),
            title(row.backbone, row.method) + remarks.get(row.against, ""),
            f"{row.difference:+.4f}",
            f"[{row.low:+.4f}, {row.high:+.4f}]",
            *([f"{row.p:.4f}", f"{row.p_holm:.4f}", f"{row.seed_share:.0%}"] if several else []),
        ]
        for row in tests.itertuples()
    ]
    headers = ["", "metric", "DecRS against", "difference", "95% interval" if several else "95% interval over users"]
    headers += ["p", "p (Holm)", "seeds' share"] if several else []
    return tabulate(rows, headers=headers, tablefmt="github", disable_numparse=True)


def _tests_line(results: Results, tests: pd.DataFrame) -> str:
    """What was tested, and against whom."""
    sentences = []
    if len(results.seeds) > 1:
        sentences.append(
            "Two-sided paired tests over users and seeds, both drawn at random, corrected by Holm over the "
            f"{tests['p'].notna().sum()} p-values of this table; seeds' share: how much of the variance of the "
            "difference is that of training."
        )
    if "list" in tests["against"].tolist():
        sentences.append("A list has no seeds: those of DecRS alone vary.")
    competitors = tests[tests["against"] == "best competitor"].drop_duplicates("backbone")
    if len(competitors):
        chosen = [
            f"{title(row.backbone, row.method)} over {row.backbone} (by {title_of(results.chosen_by[row.backbone][0])})"
            for row in competitors.itertuples()
        ]
        sentences.append(f"The best competitor is the one with the best mean on validation: {', '.join(chosen)}.")
    return " ".join(sentences)


def few_seeds(results: Results) -> str | None:
    """One or two sentences on what cannot be had where there are few seeds."""
    n_seeds = len(results.seeds)
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


def _cell(row: pd.Series) -> str:
    text = f"{row['mean']:.4f}" + ("" if np.isnan(row["std"]) else f" ± {row['std']:.4f}")
    return f"**{text}**" if row["best"] else text


def _percent(change: float) -> str:
    return "-" if np.isnan(change) else f"{change:+.2f}%"


def _listed(values: list) -> str:
    return ", ".join(f"{value:g}" for value in values)


def _chosen(results: Results, backbone: str, name: str) -> str:
    chosen = [outcome.info["chosen"] for outcome in results.all_seeds(backbone, name)]
    if not METHODS[name].parameter or None in chosen:
        return ""
    text = f"{METHODS[name].parameter} {_listed(chosen)}"
    capped = [
        outcome.info["capped_users"] for outcome in results.all_seeds(backbone, name) if "capped_users" in outcome.info
    ]
    return text + (f" (cap hit by {_listed([c for c, _ in capped])} of {capped[0][1]} users)" if capped else "")


# Table 4 and Table 5


def by_drift_frame(results: Results) -> pd.DataFrame:
    """Means over the seeds by drift group, of every method and metric; lists made elsewhere have no backbone."""
    rows = [
        [backbone, threshold, users, name, metric, value]
        for backbone, names in results.methods.items()
        for threshold in results.thresholds
        for name in names
        for metric in results.metrics
        for users, value in [results.in_group(backbone, name, metric, threshold)]
    ]
    rows += [
        ["", threshold, users, name, metric, values.get(metric, np.nan)]
        for name, outcome in results.lists.items()
        for threshold, users, values in outcome.info["by_drift"]
        for metric in results.metrics
    ]
    return pd.DataFrame(rows, columns=["backbone", "threshold", "users", "method", "metric", "mean"])


def by_drift_text(results: Results) -> str:
    """Table 4 of the paper: the backbone, DecRS and ``ensemble`` over the users with eta_u above each threshold."""
    longest = longest_list(results)
    metrics = [metric for metric in results.metrics if metric.endswith(f"@{longest}")]
    parts = []
    for backbone, names in results.methods.items():
        if "decrs" not in names:
            continue
        shown = [name for name in ("backbone", "decrs", "ensemble") if name in names]
        rows = []
        for threshold in results.thresholds:
            row = [f"> {threshold:g}", ""]
            for metric in metrics:
                values = {}
                for name in shown:
                    row[1], values[name] = results.in_group(backbone, name, metric, threshold)
                row += [f"{values['backbone']:.4f}", f"{values['decrs']:.4f}"]
                row.append(_percent(improvement(metric, values["backbone"], values["decrs"])))
                row += [f"{values['ensemble']:.4f}"] if "ensemble" in values else []
            rows.append(row)
        headers = ["eta_u", "users"]
        for metric in metrics:
            short = title_of(metric)
            headers += [f"{short} {backbone}", f"{short} DecRS", "%improv."]
            headers += [f"{short} Ensemble"] if "ensemble" in shown else []
        parts.append(tabulate(rows, headers=headers, tablefmt="github", disable_numparse=True))
    return "\n\n".join(parts) + "\n"


def operator_frame(results: Results) -> pd.DataFrame:
    """Table 5 of the paper: the backbone, and DecRS with the operator of Eq. 7 and of Eq. 8."""
    rows = [
        [backbone, operator, *(results.mean(backbone, name, metric) for metric in results.metrics)]
        for backbone, names in results.methods.items()
        for name, operator in (("backbone", backbone), ("decrs_product", "DecRS, product"), ("decrs", "DecRS, fm"))
        if {"decrs", "decrs_product"} <= set(names)
    ]
    return pd.DataFrame(rows, columns=["backbone", "method", *results.metrics])


def operator_text(frame: pd.DataFrame) -> str:
    """Table 5 as Markdown."""
    headers = [title_of(column) if "@" in column else column for column in frame]
    rows = [[value if isinstance(value, str) else f"{value:.4f}" for value in row] for row in frame.to_numpy().tolist()]
    return tabulate(rows, headers=headers, tablefmt="github", disable_numparse=True) + "\n"


def longest_list(results: Results) -> int:
    """The longest K of the metrics."""
    return max(int(metric.partition("@")[2]) for metric in results.metrics if "@" in metric)
