import numpy as np
import pytest
import torch
from recbole.data.dataloader import FullSortEvalDataLoader
from recbole.sampler import Sampler

from recbole_decrs.data.full_sort_loader import DecRSFullSortEvalDataLoader, mask_items_of_all_users
from recbole_decrs.data.used_items import UsedItems
from tiny_data import tiny_tables

LS = {"split": {"LS": "valid_and_test"}, "order": "TO", "group_by": "user", "mode": "full"}


def in_order(batch):
    """A batch, its items in ascending order where RecBole's come in that of a set."""
    users, (masked_rows, masked), hit_rows, hits = batch
    pairs = [
        sorted(zip(rows.tolist(), items.tolist(), strict=True))
        for rows, items in ((masked_rows, masked), (hit_rows, hits))
    ]
    return users["user_id"].tolist(), *pairs


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("eval_args", [None, LS])
def test_batches_are_recboles(load, seed, eval_args):
    tables = tiny_tables()
    tables["inter"] = tables["inter"].sample(120, replace=True, random_state=seed)
    ours = load(tables, **({"eval_args": eval_args} if eval_args else {}))
    parts = [loader._dataset for loader in ours]
    sampler = Sampler(["train", "valid", "test"], parts)
    for phase, mine in zip(("valid", "test"), ours[1:], strict=True):
        assert type(mine) is DecRSFullSortEvalDataLoader
        assert isinstance(mine._sampler.used_ids, UsedItems)
        part = mine._dataset
        theirs = FullSortEvalDataLoader(mine.config, part.copy(part.inter_feat), sampler.set_phase(phase))
        np.testing.assert_array_equal(mine.uid2items_num, theirs.uid2items_num)
        assert mine.uid_list.dtype == theirs.uid_list.dtype
        assert torch.equal(mine.uid_list, theirs.uid_list)
        assert len(mine) == len(theirs)
        assert list(map(in_order, mine)) == list(map(in_order, theirs))
        mask_items_of_all_users(theirs)
        for user in range(1, part.user_num):
            assert set(mine.uid2history_item[user].tolist()) == set(theirs.uid2history_item[user].tolist())
            assert mine.uid2history_item[user].dtype == theirs.uid2history_item[user].dtype == torch.int64


def test_a_sampler_of_recboles_own(load):
    """As of loaders that were saved by an earlier release."""
    loader = load(tiny_tables())[2]
    sampler = Sampler(["train"], [loader._dataset]).set_phase("train")
    again = DecRSFullSortEvalDataLoader(loader.config, loader._dataset, sampler)
    assert again.uid_list.tolist() == loader.uid_list.tolist()
