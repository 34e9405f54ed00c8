"""Gives results per user, and as text."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from recbole.evaluator import smaller_metrics
from recbole.evaluator.collector import DataStruct

from recbole_decrs.data.user_groups import UserGroups
from recbole_decrs.evaluator.by_group import NO_GROUPS, ByGroup
from recbole_decrs.evaluator.evaluator import DecRSEvaluator
from recbole_decrs.evaluator.registry import title_of
from recbole_decrs.tables import WIDTH, in_width, percent


def results_by_user(
    evaluator: DecRSEvaluator,
    collected: dict[str, DataStruct],
    user_tokens: np.ndarray,
    user_groups: UserGroups | None = None,
) -> pd.DataFrame:
    """Tabulate every metric that has a value per user, with the columns user_id, drift, recommender, and one a metric.

    Where a sequential model makes a user several lists, one before each evaluated click, ``list`` counts them. With
    groups of users, ``user_group`` names that of the user.
    """
    tables = []
    for name, struct in collected.items():
        users = struct.get("rec.users").numpy()
        drift = struct.get("data.user_drift")
        table = pd.DataFrame({"user_id": user_tokens[users], "recommender": name})
        table.insert(1, "drift", np.nan if drift is None else drift[users])
        if user_groups is not None:
            table.insert(2, "user_group", np.array(user_groups.names)[user_groups.place[users]])
        count_lists(table, users)
        tables.append(table.assign(**evaluator.evaluate_users(struct)))
    return pd.concat(tables, ignore_index=True)


def top_lists(struct: DataStruct, user_tokens: np.ndarray, item_tokens: np.ndarray) -> pd.DataFrame:
    """Tabulate the lists that ``save_topk`` collected, with the columns user_id, item_id, rank (from 1) and score.

    Where a sequential model makes a user several lists, one before each evaluated click, ``list`` counts them.
    """
    items, scores = struct.get("rec.list_items").numpy(), struct.get("rec.list_scores").numpy()
    of_list = struct.get("rec.users").numpy()
    users = np.repeat(of_list, items.shape[1])
    ranks = np.tile(np.arange(1, items.shape[1] + 1), len(items))
    table = pd.DataFrame(
        {
            "user_id": user_tokens[users],
            "item_id": item_tokens[items.ravel()],
            "rank": ranks,
            "score": scores.ravel(),
        }
    )
    count_lists(table, of_list)
    return table[np.isfinite(table["score"])]


def count_lists(table: pd.DataFrame, users: np.ndarray) -> None:
    """Add the column ``list``, 1, 2, ... for each user, if a user has several.

    Args:
        table: has the same number of rows for each list.
        users: the users of the lists, shape [n_lists].
    """
    number = pd.Series(users).groupby(users).cumcount().to_numpy() + 1
    if number.max(initial=1) > 1:
        table.insert(1, "list", np.repeat(number, len(table) // len(users)))


def is_smaller_better(metric: str) -> bool:
    """Tell if less of a metric is better, as of ``ckl@20``."""
    return metric.partition("@")[0] in smaller_metrics


def is_better(metric: str, difference: float) -> bool:
    """Tell if a difference of a metric is one for the better."""
    return difference < 0 if is_smaller_better(metric) else difference > 0


def improvement(metric: str, before: float, after: float) -> float:
    """Give the relative change in percent, positive where ``after`` is better; NaN where ``before`` is 0."""
    if before == 0:
        return float("nan")
    change = 100 * (after - before) / abs(before)
    return -change if is_smaller_better(metric) else change


def labels_of(config, alpha: float | None = None) -> dict[str, str]:
    """Name the recommenders of a run as the table has them.

    Args:
        config: the configuration.
        alpha: of Eq. 12; None where the weights of fusion do not depend on drift.
    """
    model, reranker = config["model"], config["reranker"]
    labels = {model: model}
    if config.deconfounded:
        weight = f"weight {config['fusion_weight']}" if alpha is None else f"alpha {alpha:g}"
        labels = {
            "conventional": f"{config.backbone_class.__name__} (conventional)",
            "deconfounded": f"{model} (w/o inference strategy)",
            "fused": f"{model} (fused, {weight})",
        }
    return {name: f"{label}, {reranker}" if reranker else label for name, label in labels.items()}


def compared_of(names: Iterable[str], ranked: str) -> tuple[str, str]:
    """Choose the recommenders of a deconfounded run of which the improvement is told, before and after.

    Args:
        names: of the recommenders, the conventional one first.
        ranked: the one that counts as the result.
    """
    return ("conventional", ranked if ranked != "conventional" else list(names)[-1])


def without_history(struct: DataStruct) -> int:
    """Count the evaluated users who have no d_u, and so no value of C_KL and its kin."""
    if "data.confounder" not in struct:
        return 0
    users = np.unique(struct.get("rec.users").numpy())
    return int((struct.get("data.confounder").n_clicks[users] == 0).sum())


def table_of(
    results: dict[str, dict[str, float]],
    by_group: ByGroup,
    labels: dict[str, str],
    compared: tuple[str, str] | None,
    width: int = WIDTH,
) -> str:
    """Write the result table, and the same by user group, in Markdown.

    Args:
        results: recommender -> metric -> value.
        by_group: the groups of users.
        labels: recommender -> its name in the table.
        compared: the recommenders before and after, for the line of the relative improvement.
        width: how wide the tables may be before they are broken into parts.
    """
    metrics = list(next(iter(results.values())))
    titles = list(map(title_of, metrics))
    text = in_width(_rows(results, metrics, labels, compared), ["", *titles], 1, width)
    if not by_group.groups:
        return text
    rows = []
    for name_of_group, group in by_group.groups.items():
        there = group["users"] > 0
        lines = _rows({name: group[name] for name in results}, metrics, labels, compared) if there else []
        for number, line in enumerate(lines or [[""] * (1 + len(metrics))]):
            rows.append([name_of_group, str(group["users"]), *line] if number == 0 else ["", "", *line])
    return text + "\n\n" + in_width(rows, [by_group.title, "users", "", *titles], 3, width)


def short_table_of(
    results: dict[str, dict[str, float]],
    by_group: ByGroup,
    labels: dict[str, str],
    compared: tuple[str, str] | None,
) -> str:
    """Write the result table, and one line for each user group: the longest lists, before, after and the improvement.

    Args:
        results, by_group, labels, compared: as for :func:`table_of`; of a single recommender there is no before.
    """
    text = table_of(results, NO_GROUPS, labels, compared)
    if not by_group.groups:
        return text
    metrics = list(next(iter(results.values())))
    longest = max((_length(metric) for metric in metrics), default=0)
    metrics = [metric for metric in metrics if _length(metric) == longest]
    before, after = compared or (None, next(iter(results)))
    rows = [
        [name_of_group, str(group["users"])]
        + [_change(metric, group.get(before, {}).get(metric), group[after].get(metric)) for metric in metrics]
        for name_of_group, group in by_group.groups.items()
    ]
    of_whom = f"By users' {by_group.title}: {labels[before]} -> {labels[after]}\n\n" if before else ""
    return f"{text}\n\n{of_whom}{in_width(rows, [by_group.title, 'users', *map(title_of, metrics)], 2)}"


def _length(metric: str) -> int:
    """Give the K of ``name@K``; 0 of a metric that is of no lists."""
    return int(metric.partition("@")[2] or 0)


def _change(metric: str, before: float | None, after: float | None) -> str:
    """Write a value and what has become of it; nothing where a group has no users."""
    if after is None:
        return ""
    if before is None:
        return f"{after:.4f}"
    return f"{before:.4f} -> {after:.4f} ({percent(improvement(metric, before, after))})"


def _rows(
    results: dict[str, dict[str, float]], metrics: list[str], labels: dict[str, str], compared: tuple[str, str] | None
) -> list[list[str]]:
    rows = [[labels[name], *(f"{result[metric]:.4f}" for metric in metrics)] for name, result in results.items()]
    if compared:
        before, after = (results[name] for name in compared)
        changes = (improvement(metric, before[metric], after[metric]) for metric in metrics)
        rows.append(["improvement", *map(percent, changes)])
    return rows
