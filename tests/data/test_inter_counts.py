import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recbole.data.dataset import Dataset

from recbole_decrs.data.processing import CountedLossesMixin

BRACKETS = st.tuples(
    st.sampled_from("[("), st.integers(0, 4), st.sampled_from(["inf", 0, 1, 2, 3, 5]), st.sampled_from("])")
)
INTERVALS = st.none() | st.lists(
    BRACKETS.filter(lambda parts: float(parts[2]) >= parts[1]).map("{0[0]}{0[1]},{0[2]}{0[3]}".format),
    min_size=1,
    max_size=2,
).map(";".join)
IDS = st.sampled_from("abcdef")


class Logger:
    """Takes what RecBole says."""

    def debug(self, *_):
        pass

    warning = debug


class Tables:
    """What the filter sees of a Dataset."""

    logger = Logger()
    uid_field, iid_field = "user", "item"
    _parse_intervals_str = Dataset._parse_intervals_str
    _within_intervals = Dataset._within_intervals
    _get_illegal_ids_by_inter_num = Dataset._get_illegal_ids_by_inter_num

    def __init__(self, clicks, users, items, intervals):
        self.config = dict(zip(("user_inter_num_interval", "item_inter_num_interval"), intervals, strict=True))
        self.inter_feat = pd.DataFrame(clicks, columns=["user", "item"], dtype=str)
        self.inter_feat.index = self.inter_feat.index * 2  # rows have been left out before
        self.user_feat = None if users is None else pd.DataFrame({"user": users, "age": range(len(users))})
        self.item_feat = None if items is None else pd.DataFrame({"item": items, "price": range(len(items))})


def as_text(table):
    """The table with its ids as text, whatever the type they had."""
    return table.astype({field: str for field in ("user", "item") if field in table})


def numbered(table, field):
    """The table with categories, some of which no row has, as a large file is read."""
    known = pd.CategoricalDtype(pd.Index(list("fedcbaz"), dtype=str))
    return None if table is None else table.assign(**{field: table[field].astype(str).astype(known)})


FILES = st.none() | st.lists(IDS, unique=True)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(IDS, IDS), max_size=30), FILES, FILES, st.tuples(INTERVALS, INTERVALS), st.booleans())
def test_the_same_rows_are_left_as_by_recbole(clicks, users, items, intervals, are_numbered):
    ours, recboles = Tables(clicks, users, items, intervals), Tables(clicks, users, items, intervals)
    if are_numbered:
        ours.inter_feat = numbered(numbered(ours.inter_feat, "user"), "item")
        ours.user_feat, ours.item_feat = numbered(ours.user_feat, "user"), numbered(ours.item_feat, "item")
    CountedLossesMixin._filter_by_inter_num(ours)
    Dataset._filter_by_inter_num(recboles)
    pd.testing.assert_frame_equal(as_text(ours.inter_feat), as_text(recboles.inter_feat))
    for name in ("user_feat", "item_feat"):
        mine, theirs = getattr(ours, name), getattr(recboles, name)
        assert (mine is None) == (theirs is None)
        if mine is not None:
            pd.testing.assert_frame_equal(as_text(mine), as_text(theirs))


def test_several_intervals_are_told(monkeypatch):
    told = []
    monkeypatch.setattr(Logger, "warning", lambda _, text: told.append(text))
    CountedLossesMixin._filter_by_inter_num(Tables([("a", "b")], None, None, ("[1,2];[5,inf)", None)))
    assert told == ["More than one interval of interaction number are given!"]


@pytest.mark.parametrize("interval", [None, "[0,inf)"])
def test_without_intervals_nothing_is_looked_at(interval):
    tables = Tables([("a", "b")], ["a", "z"], None, (interval, interval))
    before = tables.inter_feat
    CountedLossesMixin._filter_by_inter_num(tables)
    assert tables.inter_feat is before
    assert tables.user_feat["user"].tolist() == ["a", "z"]
