"""Chooses the items that lists are made from, by their ids or by their groups."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch

from recbole_decrs.errors import DecRSError, did_you_mean


def chosen_items(part, items: Iterable[object] | None, groups: Iterable[str] | None) -> torch.Tensor | None:
    """Tell which items may be listed.

    Args:
        part: a part of the model's dataset.
        items: ids of the dataset's own; None for all.
        groups: names of groups, of which an item must have one; None for all.

    Returns:
        True for the items that are among both, shape [n_items]; None where all may be.

    Raises:
        DecRSError: there is no such item or group, or no item is among both.
    """
    if items is None and groups is None:
        return None
    chosen = np.ones(part.item_num, dtype=bool)
    if items is not None:
        chosen[:] = False
        chosen[[part.token2id(part.iid_field, str(token)) for token in items]] = True
    if groups is not None:
        chosen &= _of_groups(part, list(groups))
    chosen[0] = False
    if not chosen.any():
        raise DecRSError("items and groups leave no item to choose from; name more of them")
    return torch.from_numpy(chosen)


def _of_groups(part, groups: list[str]) -> np.ndarray:
    confounder = part.confounder
    if confounder is None:
        raise DecRSError(
            f"groups: the model was trained without groups of items; choose items by their ids, or train it with "
            f"group_field set to a column of {part.dataset_name}.item"
        )
    names = confounder.group_names
    for group in groups:
        if group not in names:
            hint = did_you_mean(group, names) or f"; the groups are {', '.join(names[:20])}"
            raise DecRSError(f"groups: {part.dataset_name} has no group {group!r}{hint}")
    places = [names.index(group) for group in groups]
    return np.asarray(confounder.sparse_membership[:, places].sum(axis=1)).ravel() > 0


def check_length(k: int, part) -> None:
    """See that a list can be as long as it is asked to be, unless somebody leaves fewer items to choose from.

    Raises:
        DecRSError: there are fewer items.
    """
    if k > part.item_num - 1:
        raise DecRSError(f"k asks for {k} items, and there are {part.item_num - 1} to choose from; lower it")
