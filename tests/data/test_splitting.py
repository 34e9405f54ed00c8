import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from recbole.data.dataset import Dataset
from recbole.data.interaction import Interaction

from recbole_decrs.data.splitting import SplitMixin


class Log:
    """Takes what RecBole says."""

    def debug(self, *_):
        pass


class OfRecBole(Dataset):
    """A Dataset of nothing but interactions."""

    logger, config = Log(), {"unused_col": None}
    uid_field, iid_field, time_field = "user", "item", "time"

    def __init__(self, users):
        users = torch.tensor(users, dtype=torch.int64)
        rows = torch.arange(len(users))
        columns = {"user": users, "row": rows, "time": (rows * 7919 % 31).float(), "list": rows[:, None].repeat(1, 3)}
        self.inter_feat = Interaction(columns)


class Ours(SplitMixin, OfRecBole):
    """The same with the plugin's split."""


def assert_same(found, wanted):
    assert len(found) == len(wanted)
    for mine, theirs in zip(found, wanted, strict=True):
        assert list(mine.inter_feat) == list(theirs.inter_feat)
        assert len(mine.inter_feat) == len(theirs.inter_feat)
        for name in theirs.inter_feat:
            assert torch.equal(mine.inter_feat[name], theirs.inter_feat[name])
            assert mine.inter_feat[name].dtype == theirs.inter_feat[name].dtype


users_of_rows = st.lists(st.integers(0, 6), min_size=1, max_size=60)
shares = st.floats(0, 1) | st.sampled_from([0, 0.1, 0.8, 1, 3])
ratios = st.lists(shares, min_size=1, max_size=4).filter(lambda some: some[0] > 0)


@given(users_of_rows, ratios, st.sampled_from([None, "user"]))
def test_ratios(users, ratios, group_by):
    assert_same(Ours(users).split_by_ratio(ratios, group_by), OfRecBole(users).split_by_ratio(ratios, group_by))


@given(users_of_rows, st.sampled_from(["valid_and_test", "valid_only", "test_only"]))
def test_leave_one_out(users, mode):
    assert_same(Ours(users).leave_one_out("user", mode), OfRecBole(users).leave_one_out("user", mode))


@given(users_of_rows, ratios.filter(lambda some: len(some) == 3 and some[2] < sum(some[:2])))
def test_a_split_by_time(users, ratios):
    ours, theirs = Ours(users), OfRecBole(users)
    for data in (ours, theirs):
        data.inter_feat = data.inter_feat[data.inter_feat["time"].argsort(stable=True)]
    assert_same(ours.time_based_split(ratios, "user"), theirs.time_based_split(ratios, "user"))


@given(users_of_rows)
def test_groups(users):
    found = [places.tolist() for places in Ours(users)._grouped_index(np.array(users))]
    assert found == list(OfRecBole(users)._grouped_index(users))


@pytest.mark.parametrize(
    ("group_by", "mode", "error"), [(None, "test_only", ValueError), ("user", "x", NotImplementedError)]
)
def test_what_recbole_refuses(group_by, mode, error):
    with pytest.raises(error):
        Ours([1, 1]).leave_one_out(group_by, mode)
