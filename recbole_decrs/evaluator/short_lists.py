"""Tells of users whose candidates run out before their list ends, where a metric counts what stands after them."""

from __future__ import annotations

from collections.abc import Iterable
from logging import getLogger

from recbole.evaluator.collector import DataStruct

from recbole_decrs.evaluator.registry import counts_places, title_of


def count_short_lists(collected: DataStruct) -> int:
    """Count the users of whom not all places of the longest list have a candidate; 0 where no lists are collected."""
    return int((~collected.get("rec.ranked").all(dim=1)).sum()) if "rec.ranked" in collected else 0


def tell_of_short_lists(n_short: int, metrics: Iterable[str]) -> None:
    """Warn of RecBole's metrics such as ItemCoverage, which count whatever stands in a place.

    Args:
        n_short: see :func:`count_short_lists`.
        metrics: their names, with or without a length.
    """
    names = {metric.partition("@")[0].lower() for metric in metrics}
    by_place = sorted(title_of(name) for name in names if counts_places(name))
    if n_short and by_place:
        getLogger().warning(
            f"topk: at test, users with fewer candidates than the longest list has places: {n_short}; what stands in "
            f"the places after them counts in {', '.join(by_place)}; make topk smaller"
        )
