"""Loads training batches as ids: no per-sample Python, no joining of features."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from recbole.data.dataloader import TrainDataLoader
from recbole.data.interaction import Interaction

from recbole_decrs.data.negatives import UnclickedItems
from recbole_decrs.errors import DecRSError

CLICK_ROW = "click_row"
"""The field of a batch with the rows that its positives name, where a model gives them rows."""


class IdLoader:
    """Hands out batches of positives, each with its negatives: ids alone, from shuffled index tensors.

    It draws what RecBole's TrainDataLoader draws, from the same distribution: every positive once an epoch, with
    ``sample_num`` items drawn uniformly from those the user has not clicked in training. A batch holds the ids of P
    users, of T * P items (T = 1 + ``sample_num``; first the positives), and as many labels.

    Args:
        loader: RecBole's, with uniform negatives; see :func:`why_not_by_ids`.
        device: where the batches are made. The clicks are moved there once, and once an epoch the random numbers,
            which are the same for every device; no batch is moved.
        click_rows: a number for each click of the training part, shape [n_clicks], which a batch brings along for its
            positives, shape [P].

    Raises:
        ValueError: a user has clicked every item.
    """

    def __init__(
        self, loader: TrainDataLoader, device: torch.device | str = "cpu", click_rows: torch.Tensor | None = None
    ) -> None:
        self._dataset = part = loader._dataset
        self.generator = loader.generator
        self.shuffle = loader.shuffle
        self.step = loader.step
        self.n_negatives = loader.neg_sample_num
        self.fields = part.uid_field, part.iid_field, loader.label_field
        self.users, self.items = (part.inter_feat[field].to(device) for field in (part.uid_field, part.iid_field))
        self.click_rows = None if click_rows is None else click_rows.to(device)
        self.unclicked = UnclickedItems(self.users, self.items, part.user_num, part.item_num)

    def __len__(self) -> int:
        return math.ceil(len(self.users) / self.step)

    def __iter__(self) -> Iterator[Interaction]:
        n = len(self.users)
        order = torch.randperm(n, generator=self.generator) if self.shuffle else torch.arange(n)
        order = order.to(self.users.device)
        users = self.users[order]
        drawn = [self.unclicked.draw(users, self.generator) for _ in range(self.n_negatives)]
        items = torch.stack([self.items[order], *drawn])
        rows = None if self.click_rows is None else self.click_rows[order]
        user_field, item_field, label_field = self.fields
        for start in range(0, n, self.step):
            batch = items[:, start : start + self.step]
            labels = torch.zeros(batch.shape, device=batch.device)
            labels[0] = 1.0
            columns = {
                user_field: users[start : start + self.step],
                item_field: batch.flatten(),
                label_field: labels.flatten(),
            }
            if rows is not None:
                columns[CLICK_ROW] = rows[start : start + self.step]
            yield Interaction(columns)


def why_not_by_ids(model, train_data, config) -> str | None:
    """Say why a training must take RecBole's own loader; None if it can take an :class:`IdLoader`."""
    arguments = config["train_neg_sample_args"]
    if config["transform"] is not None:
        return "transform is set"
    if not getattr(model, "trains_by_ids", False):
        return f"{type(model).__name__} takes the features of a batch"
    if type(train_data) is not TrainDataLoader:
        return f"its loader is a {type(train_data).__name__}"
    if arguments["distribution"] != "uniform" or arguments["dynamic"]:
        return "train_neg_sample_args is not static and uniform"
    if config["repeatable"]:
        return "repeatable is set"
    return None


def check_loader(model, slow: str | None, several: bool) -> None:
    """See that a training can do without batches of ids where it takes RecBole's own loader.

    Args:
        model: that is trained.
        slow: why it takes RecBole's loader, as :func:`why_not_by_ids` says.
        several: whether several processes train together.

    Raises:
        DecRSError: it cannot.
    """
    if slow is None:
        return
    if getattr(model, "click_rows", None) is not None:
        raise DecRSError(f"confounder_training: history goes with training by ids, and {slow}; take user or prior")
    if several:
        raise DecRSError(f"nproc: several processes train by ids alone, and {slow}; leave nproc out")
