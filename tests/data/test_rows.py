"""Rows that are lost are counted, or refused: the tiny dataset with one thing wrong at a time."""

import logging

import numpy as np
import pandas as pd
import pytest

from recbole_decrs import DecRSError
from tiny_data import LOAD_COL, clicks_in, rows_of, tiny_tables


def test_nothing_is_said_of_whole_data(load, caplog):
    with caplog.at_level(logging.WARNING):
        load(tiny_tables())
    assert caplog.text == ""


@pytest.mark.parametrize(("ending", "field"), [("item", "item_id"), ("user", "user_id")])
def test_clicks_without_a_row_are_counted(load, caplog, ending, field):
    tables = tiny_tables()
    gone = tables[ending][f"{field}:token"].iloc[0]
    tables[ending] = tables[ending].iloc[1:]
    lost = tables["inter"][f"{field}:token"] == gone
    with caplog.at_level(logging.WARNING):
        found = load(tables)
    assert (
        f"{lost.sum()} of 288 clicks are {'on items' if ending == 'item' else 'by users'} without a row" in caplog.text
    )
    assert f"tiny.{ending}, such as {gone}: they are left out" in caplog.text
    assert clicks_in(found) == rows_of(tables["inter"][~lost])
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        found = load(tables, filter_inter_by_user_or_item=False)
    assert "they have no features and groups" in caplog.text
    assert clicks_in(found) == rows_of(tables["inter"])


def test_ids_that_never_match_are_refused(load):
    tables = tiny_tables()
    tables["item"]["item_id:token"] = tables["item"]["item_id:token"].str.upper()
    with pytest.raises(DecRSError, match=r"no item_id of tiny.inter, such as 'i\d+', has a row in tiny.item, .* 'I0'"):
        load(tables)


def test_rows_without_a_user_are_counted(load, caplog):
    tables = tiny_tables()
    tables["inter"].loc[[3, 9], "user_id:token"] = None
    with caplog.at_level(logging.WARNING):
        found = load(tables)
    assert "2 rows of tiny.inter have no user_id and are left out, the first in line 5" in caplog.text
    assert clicks_in(found) == rows_of(tables["inter"].drop(index=[3, 9]))


def test_values_of_a_token_are_text(load):
    tables = tiny_tables()
    tables["user"]["gender:token"] = (np.arange(24) % 2).astype(str)
    users = set(tables["user"]["user_id:token"][::2])
    found = load(tables, val_interval={"gender": [0]})
    assert {user for user, _ in clicks_in(found)} == users


@pytest.mark.parametrize("model", ["BPR", "FM"])
def test_items_without_pre_trained_embeddings_are_counted(load, caplog, model):
    tables = tiny_tables()
    tables["emb"] = pd.DataFrame({"known_item:token": tables["item"]["item_id:token"], "vector:float_seq": "1 2"})
    others = {
        "additional_feat_suffix": ["emb"],
        "alias_of_item_id": ["known_item"],
        "preload_weight": {"known_item": "vector"},
        "load_col": LOAD_COL | {"emb": ["known_item", "vector"]},
    }
    with caplog.at_level(logging.WARNING):
        load(tables, model, **others)
    assert caplog.text == ""
    tables["emb"] = tables["emb"].iloc[2:]
    with caplog.at_level(logging.WARNING):
        found = load(tables, model, **others)[0]._dataset
    assert "2 of 30 item_id of tiny.inter, such as i" in caplog.text
    assert "have no row in tiny.emb, and are 0 in what is preloaded" in caplog.text
    assert (found.get_preload_weight("known_item")[1:].sum(axis=1) == 0).sum() == 2
    tables["emb"]["known_item:token"] = tables["emb"]["known_item:token"].str.upper()
    with pytest.raises(DecRSError, match=r"alias_of_item_id: no item_id of tiny.inter, such as 'i.* has such as 'I2'"):
        load(tables, model, **others)


@pytest.mark.parametrize("model", ["BPR", "DecFM"])
def test_clicks_by_users_without_a_training_click_are_counted(load, caplog, model):
    tables = tiny_tables()
    inter = tables.pop("inter")
    tables |= {"train.inter": inter[:200], "valid.inter": inter[200:250], "test.inter": inter[250:]}
    known = set(inter["user_id:token"][:200])
    with caplog.at_level(logging.WARNING):
        load(tables, model, benchmark_filename=["train", "valid", "test"])
    for name, part in (("validation", inter[200:250]), ("test", inter[250:])):
        n_unknown = (~part["user_id:token"].isin(known)).sum()
        assert n_unknown > 0
        assert f"{n_unknown} of {len(part)} {name} clicks of tiny are by users without a training click" in caplog.text
