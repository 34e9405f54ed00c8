"""Hooks on to sequential datasets, whose interactions RecBole turns into sequences before it splits them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from recbole.data import dataset as recbole_datasets

from recbole_decrs.data.clicks import Clicks, clicks_of
from recbole_decrs.data.dataset import ConfounderMixin
from recbole_decrs.data.labels import label_0_is_no_click
from recbole_decrs.data.time_order import places_by_time
from recbole_decrs.errors import DecRSError


class SequenceMixin(ConfounderMixin):
    """Gives RecBole's datasets of sequences what :class:`~recbole_decrs.data.dataset.ConfounderMixin` gives others.

    RecBole makes one row of each click but a user's first: the click is the target, and those before it stand in a
    list. So a click stands in many lists, and a user's first click has no row. Here each click counts once: the target
    of each row, and the first click of each user, which is never evaluated and so belongs to training.
    """

    def settle_order(self) -> None:
        """See that clicks are in the order of time, without which there is no sequence.

        Raises:
            DecRSError: they have no time, or another order is asked for.
        """
        if self.benchmark_filename_list is not None:
            return
        if self.time_field not in self.inter_feat:
            raise DecRSError(
                f"{self.config['model']} is sequential, and the .inter file of {self.dataset_name} has no loaded "
                f"column {self.time_field} to put clicks in order; set TIME_FIELD and load_col"
            )
        if self.config["eval_args"]["order"] != "TO":
            raise DecRSError(f"eval_args: {self.config['model']} is sequential, so order must be TO, the order of time")

    def _split(self, has_time: bool) -> tuple[list, list[Clicks], list[np.ndarray]]:
        first = None
        if self.benchmark_filename_list is None:
            self.inter_feat = self.inter_feat.iloc[places_by_time(self)].reset_index(drop=True)
            rows = self.inter_feat.drop_duplicates(subset=[self.uid_field], keep="first")
            first = rows[self.uid_field].to_numpy(np.int64), rows[self.iid_field].to_numpy(np.int64)
        if self.benchmark_filename_list is not None and label_0_is_no_click(self):
            raise DecRSError(
                f"benchmark_filename: the files have the column {self.label_field}, and {self.config['model']} takes "
                "every interaction for a click; leave it out of load_col, and rows of label 0 out of the files"
            )
        parts = super(ConfounderMixin, self).build()
        clicks = [clicks_of(part) for part in parts]
        before = _clicks_in_lists(parts[0]) if first is None else first
        clicks[0] = tuple(np.concatenate(arrays) for arrays in zip(before, clicks[0], strict=True))
        # RecBole sorts the rows of a user by time, and keeps their order in each part.
        bounds = np.cumsum([0, *(len(users) for users, _ in clicks)])
        orders = [np.arange(start, end) for start, end in pairwise(bounds)]
        return parts, clicks, orders


class DecRSSequentialDataset(SequenceMixin, recbole_datasets.SequentialDataset):
    """Gives RecBole's SequentialDataset a Confounder."""


class DecRSKGSeqDataset(SequenceMixin, recbole_datasets.KGSeqDataset):
    """Gives RecBole's KGSeqDataset, of sequences and a knowledge graph, a Confounder."""


class DecRSDIENDataset(SequenceMixin, recbole_datasets.DIENDataset):
    """Gives RecBole's DIENDataset, of sequences of clicks and of items not clicked, a Confounder."""


def _clicks_in_lists(part) -> Clicks:
    """List all clicks in the lists of a part of a benchmark, whose rows its author made; of each user in order."""
    lists = part.inter_feat[part.item_id_list_field].numpy()
    lengths = part.inter_feat[part.item_list_length_field].numpy()
    users = part.inter_feat[part.uid_field].numpy()
    in_list = np.arange(lists.shape[1]) < lengths[:, np.newaxis]
    return np.repeat(users, lengths), lists[in_list]
