"""Makes the loader of full sort by arrays: which items of a user are hits, and which are masked."""

from __future__ import annotations

from logging import getLogger

import numpy as np
import torch
from recbole.data.dataloader import FullSortEvalDataLoader
from recbole.data.interaction import Interaction
from recbole.utils import ModelType

from recbole_decrs.data.used_items import UsedItems


class DecRSFullSortEvalDataLoader(FullSortEvalDataLoader):
    """Gives RecBole's FullSortEvalDataLoader the items of each user by arrays; its batches are the same.

    It goes over ``__init__``, which is Python for each click. Items to mask are known of every user, also of one
    without a click in this part, whom RecBole's case study may ask for.
    """

    def __init__(self, config, dataset, sampler, shuffle: bool = False) -> None:
        used = getattr(sampler, "used_ids", None)
        if config["MODEL_TYPE"] == ModelType.SEQUENTIAL or not isinstance(used, UsedItems):
            super().__init__(config, dataset, sampler, shuffle)
            return
        self.logger, self.is_sequential = getLogger(), False
        self.uid_field, self.iid_field = dataset.uid_field, dataset.iid_field
        dataset.sort(by=self.uid_field, ascending=True)
        clicks = (dataset.inter_feat[field].numpy() for field in (self.uid_field, self.iid_field))
        positive = UsedItems.of(*clicks, dataset.user_num, dataset.item_num)
        self.uid2items_num = positive.counts
        self.uid2positive_item = positive.tensors()
        self.uid2positive_item[positive.counts == 0] = None
        self.uid2history_item = used.without(positive).tensors()
        self.uid_list = torch.from_numpy(np.flatnonzero(positive.counts))
        self.user_df = dataset.join(Interaction({self.uid_field: self.uid_list}))
        self.sample_size = len(self.user_df)
        if shuffle:
            self.logger.warning("FullSortEvalDataLoader can't shuffle")
        super(FullSortEvalDataLoader, self).__init__(config, dataset, sampler, shuffle=False)


def mask_training_items_only(train_data, test_data: FullSortEvalDataLoader) -> None:
    """Let users be ranked by all items that they have not clicked in training, those of validation among them."""
    part = train_data._dataset
    clicked = part.inter_matrix(form="coo")
    trained = UsedItems.of(clicked.row, clicked.col, part.user_num, part.item_num)
    hits = [torch.empty(0, dtype=torch.int64) if items is None else items for items in test_data.uid2positive_item]
    users = np.repeat(np.arange(len(hits)), list(map(len, hits)))
    tested = UsedItems.of(users, torch.cat(hits).numpy(), part.user_num, part.item_num)
    test_data.uid2history_item[1:] = trained.without(tested).tensors()[1:]


def mask_items_of_all_users(loader: FullSortEvalDataLoader) -> None:
    """Mask the items of users who have no click in this part as well, where the loader is RecBole's own.

    Of the others the loader knows them: what their sampler calls used, less the clicks of the part.
    """
    history = loader.uid2history_item
    for user in range(1, len(history)):
        if history[user] is None:
            history[user] = torch.tensor(list(loader._sampler.used_ids[user]), dtype=torch.int64)
