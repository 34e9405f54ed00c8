"""Gives the values that a metric has for each user, and averages them over any of the users."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from recbole.evaluator.base_metric import AbstractMetric
from recbole.evaluator.collector import DataStruct

from recbole_decrs.evaluator.registry import UserMetric


class UserValues(NamedTuple):
    """Holds the values of a metric for each evaluated user."""

    columns: dict[str, np.ndarray]
    """``name@k`` -> shape [n_evaluated_users]; empty where the metric is one of all lists together."""
    average: Callable[[np.ndarray], dict[str, float]] | None
    """Gives the metric of the users where its argument, shape [n_evaluated_users], is true, by ``name@k``; None where
    that does not follow from the values."""


def values_by_user(metric: AbstractMetric, collected: DataStruct) -> UserValues:
    """Compute the values of a metric for each user, once."""
    if not isinstance(metric, UserMetric):
        return _intercepted(metric, collected)
    values = metric.checked_by_user(collected)
    return UserValues(
        {f"{type(metric).__name__.lower()}@{k}": of_users for k, of_users in values.items()},
        lambda rows: metric.average({k: of_users[rows] for k, of_users in values.items()}),
    )


def _intercepted(metric: AbstractMetric, collected: DataStruct) -> UserValues:
    """Catch the values per user that a top-k metric of RecBole's hands to ``topk_result`` to have them averaged."""
    average = getattr(metric, "topk_result", None)
    if average is None:
        return UserValues({}, None)
    caught: list[tuple[str, np.ndarray]] = []
    averages: dict[str, float] = {}

    def intercept(name: str, values: np.ndarray) -> dict[str, float]:
        found = average(name, values)
        averages.update(found)
        if getattr(values, "ndim", 0) == 2 and len(values) == len(collected.get("rec.users")):
            caught.append((name, values))
        return found

    metric.topk_result = intercept
    try:
        result = metric.calculate_metric(collected)
    finally:
        del metric.topk_result
    columns = {f"{name}@{k}": values[:, k - 1] for name, values in caught for k in metric.topk}
    # Whatever else the metric makes of all users has to be made of the users of a group anew.
    is_average = columns.keys() == averages.keys() == result.keys() and result == averages

    def average_of(rows: np.ndarray) -> dict[str, float]:
        return {key: value for name, values in caught for key, value in average(name, values[rows]).items()}

    return UserValues(columns, average_of if is_average else None)
