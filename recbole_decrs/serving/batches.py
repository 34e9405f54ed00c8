"""Names the users who are ranked for, known or new, some at a time, with the items that are masked for each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from recbole.data.dataloader import FullSortEvalDataLoader
from recbole.data.interaction import Interaction
from recbole.utils import ModelType

from recbole_decrs.data.clicks import Clicks
from recbole_decrs.data.used_items import UsedItems
from recbole_decrs.errors import DecRSError
from recbole_decrs.serving.new_clicks import NewClicks
from recbole_decrs.serving.new_users import interaction_of

EXCLUDE = ("history", "clicked", "none")
"""The items that may be left out of a user's lists: those that the test masks, all that the user clicked, or none."""


class Batch(NamedTuple):
    """Holds some users who are ranked for at once."""

    users: torch.Tensor
    """Ids, shape [B]."""
    interaction: Interaction
    """As a model takes them, B rows."""
    masked: tuple[torch.Tensor, torch.Tensor] | None
    """Rows and items that are left out; None for none."""


def step_of(config, loader) -> int:
    """Tell how many users the test ranks for at once, so that sums are rounded as there."""
    if isinstance(loader, FullSortEvalDataLoader):
        return loader.step
    return max(1, config["eval_batch_size"] // loader._dataset.item_num)


class KnownUsers:
    """Names users that the model was trained on.

    Args:
        train, valid, test: the loaders of the model's data.
    """

    def __init__(self, train, valid, test) -> None:
        self.parts = [loader._dataset for loader in (train, valid, test)]
        self.test = test
        self.part = test._dataset
        self.uid_field = self.part.uid_field
        self.is_sequential = self.part.config["MODEL_TYPE"] == ModelType.SEQUENTIAL

    def ids(self, tokens: Iterable[object] | None) -> np.ndarray:
        """Look up the ids of some users, each once, or of all who can be ranked for.

        Raises:
            DecRSError: there is no such user, or none is named.
        """
        rows = self.part.inter_feat[self.uid_field].numpy()
        if tokens is None:
            return np.unique(rows) if self.is_sequential else np.arange(1, self.part.user_num)
        ids = list(dict.fromkeys(self.part.token2id(self.uid_field, str(token)) for token in tokens))
        if not ids:
            raise DecRSError("users: there is none in the list; name one, or leave it out for all")
        if self.is_sequential and len(missing := np.setdiff1d(ids, rows)):
            raise DecRSError(
                f"users: {self.part.id2token(self.uid_field, int(missing[0]))} has no sequence in the test part of "
                f"{self.part.dataset_name}; leave the user out, or give the user's clicks under another id"
            )
        return np.array(ids, dtype=np.int64)

    def batches(self, ids: np.ndarray, exclude: str, step: int) -> Iterator[Batch]:
        """Describe users to the model as its test does.

        Args:
            ids: shape [n_users]; of a sequential model all sequences of the test part are taken, in order.
            exclude: one of :data:`EXCLUDE`.
            step: the most sequences or users at once.
        """
        masked = self._masked(exclude)
        if self.is_sequential:
            rows = self.part.inter_feat[self.uid_field].numpy()
            order = np.argsort(rows, kind="stable")
            starts, ends = (np.searchsorted(rows[order], ids, side) for side in ("left", "right"))
            of_ids = [order[start:end] for start, end in zip(starts, ends, strict=True)]
            places = np.concatenate(of_ids)
            for some in torch.from_numpy(places).split(step):
                interaction = self.test.transform(self.part, self.part[some.numpy()])
                yield Batch(interaction[self.uid_field], interaction, _mask(masked, interaction[self.uid_field]))
            return
        for users in torch.from_numpy(ids).split(step):
            yield Batch(users, self.part.join(Interaction({self.uid_field: users})), _mask(masked, users))

    def _masked(self, exclude: str) -> np.ndarray | None:
        """Give the items to mask by user id, tensors in an object array; None for none."""
        if exclude == "none" or (exclude == "history" and self.is_sequential):
            return None
        if exclude == "history" and isinstance(self.test, FullSortEvalDataLoader):
            return self.test.uid2history_item
        train, valid, test = map(self._used, self.parts)
        if exclude == "history":
            return train.joined(valid).without(test).tensors()
        first = UsedItems.of(*_clicks_of_training(self.parts[0]), self.part.user_num, self.part.item_num)
        return train.joined(valid).joined(test).joined(first).tensors()

    def _used(self, part) -> UsedItems:
        clicks = (part.inter_feat[field].numpy() for field in (part.uid_field, part.iid_field))
        return UsedItems.of(*clicks, part.user_num, part.item_num)


def batches_of_new_users(config, clicks: NewClicks, exclude: str, step: int, by_id: bool) -> Iterator[Batch]:
    """Describe new users to the model; whatever ``exclude`` is, if not none, their clicks are left out."""
    matrix = clicks.matrix(1 + int(clicks.items.max()))
    masked = None
    if exclude != "none":
        masked = np.full(clicks.n_users, None)
        for user in range(clicks.n_users):
            masked[user] = torch.from_numpy(matrix[user].indices.astype(np.int64))
    for users in torch.arange(1, clicks.n_users).split(step):
        yield Batch(users, interaction_of(config, clicks, users, by_id), _mask(masked, users))


def _clicks_of_training(part) -> Clicks:
    """Give the training clicks, those of a sequential model that stand in lists alone among them."""
    users, items = part.clicks
    return users[users > 0], items[users > 0]


def _mask(masked: Sequence[torch.Tensor] | None, users: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor] | None:
    if masked is None:
        return None
    of_users = masked[users.numpy()]
    lengths = torch.tensor([len(items) for items in of_users])
    return torch.repeat_interleave(torch.arange(len(users)), lengths), torch.cat(list(of_users))
