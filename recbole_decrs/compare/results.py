"""Holds the results of a comparison, from which alone its tables and figures are made, and answers about them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from recbole_decrs.compare.methods import METHODS
from recbole_decrs.data.user_groups import UserGroups


@dataclass
class Outcome:
    """Holds the measurements of a method over one backbone with one seed, or of a ranking list made elsewhere."""

    info: dict[str, Any]
    """Plain data: ``test`` (metrics), ``by_drift`` (threshold, users, metrics), and of a method also ``chosen``,
    ``valid_scores`` (value and score), ``curve`` (weight and metrics, of re-rankers), ``threads``, ``seconds``."""
    by_user: dict[str, np.ndarray]
    """Each metric per test user: ``users``, and ``recall@10``, ..., shape [n_users] each."""

    @classmethod
    def of_piece(cls, found: tuple[dict[str, Any], dict[str, np.ndarray]] | None) -> Outcome | None:
        """Take what a piece holds; None where that is no measurement of a method, so that it is made again."""
        if found is None or not _is_measurement(*found):
            return None
        return cls(*found)


def _is_measurement(info: dict[str, Any], by_user: dict[str, np.ndarray]) -> bool:
    """Tell whether the parts of a measurement are there, each of its kind: a piece may have come from elsewhere."""
    try:
        metrics, by_drift = info["test"], info["by_drift"]
        scores = dict(map(tuple, info["valid_scores"]))
        numbers = [info["seconds"], *info["threads"], *scores.values(), *metrics.values()]
        for threshold, users, of_group in by_drift:
            numbers += [threshold, users, *of_group.values()]
        return (
            all(isinstance(number, int | float) for number in numbers)
            and all(of_group.keys() in (set(), metrics.keys()) for *_, of_group in by_drift)
            and len(metrics) > 0
            and info["chosen"] in scores
            and by_user["users"].ndim == 1
            and all(
                values.shape == by_user["users"].shape and values.dtype.kind in "biuf" for values in by_user.values()
            )
        )
    except (AttributeError, LookupError, TypeError, ValueError):
        return False


@dataclass(frozen=True)
class Results:
    """Holds the outcomes of a comparison, from which its tables and figures are made."""

    methods: dict[str, list[str]]
    """Names of methods by backbone; ``backbone`` comes first."""
    seeds: list[int]
    outcomes: dict[tuple[str, str, int], Outcome]
    """The outcomes by backbone, method and seed."""
    lists: dict[str, Outcome]
    """The outcomes of ranking lists made elsewhere, by name."""
    chosen_by: dict[str, tuple[str, bool]]
    """By backbone: the metric of the choices on validation, and whether bigger is better."""
    rated: dict[str, pd.DataFrame] = field(default_factory=dict)
    """By backbone: mean scores of rated pairs; see :func:`~recbole_decrs.compare.ratings.share_curves`."""
    drifts: pd.DataFrame | None = None
    """The users that have a drift; see :func:`~recbole_decrs.compare.drifts.drifts_of`."""
    operators: dict[str, str] = field(default_factory=dict)
    """By backbone: M of DecRS, the key ``backdoor_operator``."""
    user_groups: UserGroups | None = None
    """The groups of the key ``user_groups``; None where these are by drift."""

    @property
    def metrics(self) -> list[str]:
        """List the metrics ``recall@10``, ... in the order of the configuration."""
        return list(next(iter(self.outcomes.values())).info["test"])

    @property
    def longest_list(self) -> int:
        """Find the longest K of the metrics."""
        return max(int(metric.partition("@")[2]) for metric in self.metrics if "@" in metric)

    @property
    def longest_metrics(self) -> list[str]:
        """List the metrics of the longest list."""
        return [metric for metric in self.metrics if metric.endswith(f"@{self.longest_list}")]

    @property
    def why_no_drifts(self) -> str | None:
        """Say why ``drifts`` are None; None where they are not."""
        if self.drifts is not None:
            return None
        if any(len(names) > 1 for names in self.methods.values()):
            return "there is no drift without groups of items and times of clicks"
        return "there is nothing to compare in one method"

    @property
    def thresholds(self) -> list[float]:
        """List the thresholds of eta_u above which users make a drift group."""
        return [threshold for threshold, *_ in next(iter(self.outcomes.values())).info["by_drift"]]

    def has(self, *names: str) -> bool:
        """Tell whether all of these methods were run over the same backbone, at least one."""
        return any(set(names) <= set(known) for known in self.methods.values())

    def all_seeds(self, backbone: str, name: str) -> list[Outcome]:
        """Give the outcomes of a method, one a seed."""
        return [self.outcomes[backbone, name, seed] for seed in self.seeds]

    def values(self, backbone: str, name: str, metric: str) -> list[float]:
        """Give a method's values of a metric on test, one a seed."""
        return [outcome.info["test"][metric] for outcome in self.all_seeds(backbone, name)]

    def mean(self, backbone: str, name: str, metric: str) -> float:
        """Give a method's mean of a metric on test over the seeds."""
        return float(np.mean(self.values(backbone, name, metric)))

    def valid_mean(self, backbone: str, name: str) -> float:
        """Give the mean over the seeds of a method's score on validation, that of the value that was chosen there."""
        chosen = [outcome.info for outcome in self.all_seeds(backbone, name)]
        return float(np.mean([dict(map(tuple, info["valid_scores"]))[info["chosen"]] for info in chosen]))

    def in_group(self, backbone: str, name: str, metric: str, threshold: float) -> tuple[int, float]:
        """Give the number of users of a drift group, and a method's mean of a metric among them over the seeds.

        The mean is NaN in a group without users.
        """
        users = self._groups(backbone, name, threshold)[0][1]
        return users, float(np.mean(self.values_in_group(backbone, name, metric, threshold)))

    def values_in_group(self, backbone: str, name: str, metric: str, threshold: float) -> list[float]:
        """Give a method's values of a metric in a drift group, one a seed; NaN in a group without users."""
        return [group[2].get(metric, np.nan) for group in self._groups(backbone, name, threshold)]

    def _groups(self, backbone: str, name: str, threshold: float) -> list[tuple[float, int, dict[str, float]]]:
        return [
            next(group for group in outcome.info["by_drift"] if group[0] == threshold)
            for outcome in self.all_seeds(backbone, name)
        ]

    def best_competitor(self, backbone: str) -> str | None:
        """Give the competitor with the best mean over the seeds on validation; None without competitors.

        Chosen on test it would be the luckiest one, and another one for each metric.
        """
        bigger = self.chosen_by[backbone][1]
        scores = {
            name: self.valid_mean(backbone, name)
            for name in self.methods[backbone]
            if METHODS[name].role == "competitor"
        }
        return (max if bigger else min)(scores, key=scores.get, default=None)
