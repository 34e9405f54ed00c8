"""Enters the plugin's metrics and one's own into RecBole's registry, by what their class says."""

from __future__ import annotations

import numpy as np
from recbole.evaluator.base_metric import AbstractMetric, TopkMetric
from recbole.evaluator.collector import DataStruct
from recbole.evaluator.register import metric_information, metric_types, metrics_dict, smaller_metrics

from recbole_decrs.errors import DecRSError
from recbole_decrs.names import check_name_is_free
from recbole_decrs.signatures import call, check_method_takes

NEEDS = {
    "rec.items": "the items of each user's list, [n_users, K] with K the largest of `topk`",
    "rec.ranked": "True where the list has an item; False where the user's candidates have run out, [n_users, K]",
    "rec.topk": "1 where that item is a hit, else 0, and in the last column the number of positives, [n_users, K + 1]",
    "rec.users": "the user ids, [n_users]",
    "rec.meanrank": "the sum of the ranks of the positives, the length of the list of all items and the number of "
    "positives, [n_users, 3]",
    "rec.score": "the predicted scores of labelled pairs",
    "data.label": "the labels of these pairs",
    "data.confounder": "the Confounder, which hands out q^i of some items and d_u of some users",
    "data.membership": "q^i, [n_items, N]",
    "data.user_distribution": "d_u, [n_users of the dataset, N]",
    "data.user_drift": "eta_u, [n_users of the dataset]; None where clicks have no time",
    "data.num_items": "the number of items",
    "data.num_users": "the number of users",
    "data.count_items": "how often each item is clicked in training, a Counter by item id",
    "data.count_users": "how often each user clicks in training, a Counter by user id",
    "data.item_popularity": "how many users click each item in training, [n_items]",
    "data.profile_popularity": "the mean of that over the items that each user clicks in training, [n_users of the "
    "dataset]; NaN where there is none",
}
"""The data that a metric may name in ``metric_need``, with what they are: RecBole's, and those of the plugin."""
OF_GROUPS = {"data.confounder", "data.membership", "data.user_distribution", "data.user_drift"}
"""The data that there are only with item groups."""
OF_POPULARITY = {"data.item_popularity", "data.profile_popularity"}
"""The data of popularity that RecBole does not collect."""
OF_A_METRIC = "a method of a metric"
"""What the functions of a metric are, in a sentence about one that cannot be called."""

METRICS: dict[str, type[AbstractMetric]] = {}
"""The metrics that RecBole lacks, by lower-case name."""


def metric(kind: type[AbstractMetric]) -> type[AbstractMetric]:
    """Enter the decorated class among RecBole's metrics, so that ``metrics`` finds it by the name of the class.

    The class says what the metric is: ``metric_need`` names the data that it is computed from, ``smaller`` is True if a
    smaller value is better, ``metric_type`` is inherited from RecBole's base class, and the first line of the docstring
    explains it.

    Args:
        kind: a subclass of :class:`UserMetric`, or of RecBole's ``TopkMetric`` or ``LossMetric``.

    Returns:
        The class as it is.

    Raises:
        DecRSError: it is no such class, needs what nobody collects, has a method that does not take what it is called
            with, or another metric has the name, in whatever case.
    """
    is_metric = isinstance(kind, type) and issubclass(kind, AbstractMetric)
    if not is_metric or not hasattr(kind, "metric_need") or not hasattr(kind, "metric_type"):
        raise DecRSError(
            f"metric takes a subclass of UserMetric, or of RecBole's TopkMetric or LossMetric, not {kind}; write "
            "@metric above such a class"
        )
    name = kind.__name__.lower()
    check_name_is_free(name, "metric", kind, metrics_dict.get(name))
    for need in kind.metric_need:
        if need not in NEEDS:
            raise DecRSError(
                f"the metric {kind.__name__} needs {need}, which nobody collects; metric_need takes {', '.join(NEEDS)}"
            )
    check_method_takes(OF_A_METRIC, kind, "__init__", "config")
    check_method_takes(OF_A_METRIC, kind, "calculate_metric", "dataobject")
    if issubclass(kind, UserMetric):
        check_method_takes(OF_A_METRIC, kind, "by_user", "collected")
    METRICS[name] = metrics_dict[name] = kind
    metric_information[name], metric_types[name] = kind.metric_need, kind.metric_type
    if name in smaller_metrics:
        smaller_metrics.remove(name)
    if kind.smaller:
        smaller_metrics.append(name)
    return kind


def needs_groups(kind: type[AbstractMetric]) -> bool:
    """Tell if a metric cannot do without item groups."""
    return not OF_GROUPS.isdisjoint(kind.metric_need)


def check_is_collected(kind: type[AbstractMetric], collected: DataStruct) -> None:
    """See that there are the data that a metric needs and that RecBole's own collector does not know.

    Raises:
        DecRSError: there are not.
    """
    lacks = None
    if needs_groups(kind) and "data.confounder" not in collected:
        lacks = "the item groups"
    elif any(need in kind.metric_need and need not in collected for need in OF_POPULARITY):
        lacks = "the popularity of items and profiles"
    if lacks:
        raise DecRSError(
            f"the metric {kind.__name__} needs {lacks}, which RecBole's own Trainer does not collect; run it by "
            "recbole-decrs or run_recbole_decrs"
        )


def counts_places(name: str) -> bool:
    """Tell a metric that counts items of lists and does not ask which places have one, as RecBole's ItemCoverage."""
    return set(metric_information.get(name, ())) & {"rec.items", "rec.ranked"} == {"rec.items"}


def title_of(metric: str) -> str:
    """Name a metric in a table as its class is named: ``itemcoverage@10`` becomes ``ItemCoverage@10``."""
    name, at, k = metric.partition("@")
    return (metrics_dict[name].__name__ if name in metrics_dict else name) + at + k


class UserMetric(TopkMetric):
    """Measures each user's list at each length of ``topk``, of which RecBole reports the mean.

    A subclass has ``metric_need``, :meth:`by_user`, and ``smaller = True`` if a smaller value is better.
    """

    def by_user(self, collected: DataStruct) -> dict[int, np.ndarray]:
        """Measure each user's list.

        Args:
            collected: the data of :data:`NEEDS`, by ``collected.get(name)``; those of ``rec.`` are tensors.

        Returns:
            The values by length, for each of ``self.topk``, shape [n_users] each; NaN where a user has none.

        Raises:
            DecRSError: the subclass does not define it.
        """
        raise DecRSError(f"the metric {type(self).__name__} has no by_user, which measures each user's list; write it")

    def calculate_metric(self, dataobject: DataStruct) -> dict[str, float]:
        """Average the values of the users who have one, for ``name@k`` at each length k of ``topk``.

        Raises:
            DecRSError: see :meth:`checked_by_user`.
        """
        return self.average(self.checked_by_user(dataobject))

    def checked_by_user(self, collected: DataStruct) -> dict[int, np.ndarray]:
        """Measure each user's list by :meth:`by_user`, which a subclass has written.

        Raises:
            DecRSError: item groups are needed, and have not been collected; or :meth:`by_user` gives something else
                than it says.
        """
        check_is_collected(type(self), collected)
        found = call(OF_A_METRIC, self.by_user, ["collected"], [collected])
        shape = (len(collected.get("rec.users")),) if "rec.users" in collected else None
        by_length = isinstance(found, dict) and set(found) == set(self.topk)
        if not by_length or any(shape not in (None, np.shape(values)) for values in found.values()):
            raise DecRSError(
                f"by_user of the metric {type(self).__name__} must give, for each length in {list(self.topk)}, a value "
                f"for each list{f' ({shape[0]})' if shape else ''}; mend it"
            )
        return {k: np.asarray(values) for k, values in found.items()}

    def average(self, by_user: dict[int, np.ndarray]) -> dict[str, float]:
        """Average values of users by length, as :meth:`by_user` gives them; NaN where no user has one."""
        name = type(self).__name__.lower()
        return {
            f"{name}@{k}": float("nan")
            if np.isnan(values).all()
            else round(float(np.nanmean(values)), self.decimal_place)
            for k, values in by_user.items()
        }
