"""Hands the groups of the evaluated lists to metrics, some users at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from recbole.evaluator.collector import DataStruct
from scipy import sparse

from recbole_decrs.causal.lists import list_distributions

USERS_AT_ONCE = 1 << 11
"""Users who are measured at a time, so that memory does not grow with their number."""
NEEDED = ("rec.items", "rec.users", "rec.ranked", "data.confounder")
"""The data that the groups of lists are made from."""


def groups_of_lists(collected: DataStruct, lengths: Iterable[int]) -> Iterator[tuple[slice, int, sparse.csr_matrix]]:
    """Average q^i over the first k items of each evaluated list, for several k.

    Args:
        collected: has :data:`NEEDED`.
        lengths: the lengths k.

    Yields:
        The rows of some lists, k, and the means of these lists, CSR, shape [n rows, N]; for each rows all k, in rising
        order.
    """
    items, ranked = collected.get("rec.items").numpy(), collected.get("rec.ranked").numpy()
    membership = collected.get("data.confounder").sparse_membership
    for start in range(0, len(items), USERS_AT_ONCE):
        rows = slice(start, start + USERS_AT_ONCE)
        # A list is shorter where the candidates run out.
        for k, means in list_distributions(items[rows], ranked[rows], membership, lengths):
            yield rows, k, means
