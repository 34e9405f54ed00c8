"""Gives results by group of users: by drift (Table 4 of the paper), or as the key ``user_groups`` parts them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from recbole.evaluator.collector import DataStruct

from recbole_decrs.data.user_groups import UserGroups
from recbole_decrs.evaluator.evaluator import DecRSEvaluator

BY_DRIFT = "drift eta_u"


def named(threshold: float) -> str:
    """Name the group of the users with eta_u above a threshold."""
    return f"> {threshold:g}"


class ByGroup(NamedTuple):
    """Holds the results by group of users."""

    title: str
    """What users are parted by."""
    groups: dict[str, dict[str, Any]]
    """The results by the name of the group, as of :func:`results_by_group`; empty where there are none."""


NO_GROUPS = ByGroup("", {})


def results_by_drift(
    evaluator: DecRSEvaluator, collected: dict[str, DataStruct], thresholds: list[float]
) -> OrderedDict[float, dict[str, Any]]:
    """Evaluate the users with eta_u above each threshold, as Table 4 of the paper.

    Args:
        evaluator: evaluates the metrics.
        collected: the data that were collected of each recommender, by its name.
        thresholds: values of eta_u, each of which makes a group.

    Returns:
        threshold -> ``{"users": how many, recommender: {metric: value}, ...}``; empty where the drift is unknown;
        a group without users has no metrics.
    """
    drift = next(iter(collected.values())).get("data.user_drift")
    if drift is None:
        return OrderedDict()
    return results_by_group(evaluator, collected, {threshold: drift > threshold for threshold in thresholds})


def results_by_group(
    evaluator: DecRSEvaluator, collected: dict[str, DataStruct], groups: Mapping[Any, np.ndarray]
) -> OrderedDict[Any, dict[str, Any]]:
    """Evaluate the users of each group.

    Args:
        evaluator: evaluates the metrics.
        collected: the data that were collected of each recommender, by its name.
        groups: name -> who is in the group, shape [n_users of the dataset].

    Returns:
        name -> ``{"users": how many, recommender: {metric: value}, ...}``; a group without users has no metrics.
    """
    found: OrderedDict[Any, dict[str, Any]] = OrderedDict((group, {"users": 0}) for group in groups)
    for name, struct in collected.items():
        users = struct.get("rec.users").numpy()
        of_groups = {group: members[users] for group, members in groups.items()}
        there = {group: of_group for group, of_group in of_groups.items() if of_group.any()}
        results = dict(zip(there, evaluator.evaluate_groups(struct, list(there.values())), strict=True))
        for group, values in found.items():
            values["users"] = len(np.unique(users[of_groups[group]]))
            values[name] = results.get(group, {})
    return found


def groups_shown(
    drift: np.ndarray | None, thresholds: list[float], user_groups: UserGroups | None
) -> tuple[str, dict[str, np.ndarray]]:
    """Give the groups of the second table of a run.

    Args:
        drift: eta_u, shape [n_users]; None where it is not known.
        thresholds: of eta_u.
        user_groups: the groups in the place of those by drift; None where the table is by drift.

    Returns:
        What users are parted by, and name -> who is in the group, shape [n_users]; no group where nothing is known.
    """
    if user_groups is not None:
        return user_groups.title, dict(user_groups)
    known = () if drift is None else thresholds
    return BY_DRIFT, {named(threshold): drift > threshold for threshold in known}


def by_drift_or_group(
    evaluator: DecRSEvaluator,
    collected: dict[str, DataStruct],
    by_drift: dict[float, dict[str, Any]],
    user_groups: UserGroups | None,
) -> ByGroup:
    """Give the results of the second table of a run.

    Args:
        evaluator, collected: as for :func:`results_by_group`.
        by_drift: the results by drift, as of :func:`results_by_drift`.
        user_groups: the groups in the place of these; None where the table is by drift.
    """
    if user_groups is None:
        return ByGroup(BY_DRIFT, {named(threshold): group for threshold, group in by_drift.items()})
    return ByGroup(user_groups.title, results_by_group(evaluator, collected, dict(user_groups)))
