"""What a user's files hold is read right, or refused: groups as they are measured, names as they stand there."""

import logging

import numpy as np
import pandas as pd
import pytest

from recbole_decrs import DecRSError
from tiny_data import LOAD_COL, tiny_tables


def test_rows_that_are_there_twice(load, caplog):
    tables = tiny_tables()
    tables["item"] = pd.concat([tables["item"], tables["item"].iloc[:2]])
    with caplog.at_level(logging.WARNING):
        assert load(tables)[0]._dataset.item_num == 31
    assert "2 rows of" in caplog.text
    assert "have the item_id of another row, and the same in all columns that are loaded" in caplog.text
    tables["item"].iloc[-1, 1] = "Western"
    with pytest.raises(DecRSError, match=r"tiny\.item, line 33: item_id i1 has another row with other values"):
        load(tables)


def test_an_id_that_recbole_takes_for_nobody(load):
    tables = tiny_tables()
    tables["item"].loc[4, "item_id:token"] = "[PAD]"
    with pytest.raises(DecRSError, match=r"tiny\.item, line 6: item_id is \[PAD\], which RecBole takes for nobody"):
        load(tables)


@pytest.mark.parametrize("name", ["NA", "None", "null", "nan", "N/A"])
def test_names_that_pandas_takes_for_missing(load, name):
    """A group, and an item, of that name."""
    tables = tiny_tables()
    tables["item"]["first_genre:token"] = tables["item"]["first_genre:token"].replace("Drama", name)
    for ending in ("inter", "item"):
        tables[ending]["item_id:token"] = tables[ending]["item_id:token"].replace("i7", name)
    part = load(tables, group_field="first_genre", load_col=None)[0]._dataset
    assert name in part.confounder.group_names
    assert (part.confounder.membership[1:].sum(axis=1) == 1).all()
    assert part.token2id("item_id", name) > 0
    assert part.token2id("first_genre", name) > 0


@pytest.mark.parametrize("form", ["pipe", "list", "quoted"])
def test_the_model_sees_the_groups_that_are_measured(load, form):
    tables = tiny_tables()
    listed = tables["item"]["genre:token_seq"].str.split()
    write = {"pipe": "|".join, "list": repr, "quoted": lambda some: repr(some)[1:-1]}[form]
    expected = load(tables)[0]._dataset
    tables["item"]["genre:token_seq"] = listed.map(write)
    found = load(tables)[0]._dataset
    assert found.confounder.group_names == expected.confounder.group_names
    np.testing.assert_array_equal(found.confounder.membership, expected.confounder.membership)
    np.testing.assert_array_equal(found.item_feat["genre"], expected.item_feat["genre"])


def test_groups_are_read_in_one_way_whatever_is_filtered_away(load):
    tables = tiny_tables()
    tables["item"]["genre:token_seq"] = ["Science Fiction|Western", *["Science Fiction"] * 29]
    tables["item"].loc[0, "price:float"] = 99
    part = load(tables, val_interval={"price": "[0,10]"})[0]._dataset
    assert part.confounder.group_names == ("Science Fiction",)
    assert "Science Fiction" in part.field2token_id["genre"]


def test_a_group_format_may_be_given(load):
    tables = tiny_tables()
    tables["item"]["genre:token_seq"] = tables["item"]["genre:token_seq"].str.replace(" ", ", ")
    with pytest.raises(DecRSError, match=r"group_format: column genre of .*tiny\.item has cells such as"):
        load(tables)
    assert len(load(tables, group_format="comma")[0]._dataset.confounder.group_names) == 4


def test_blanks_beside_a_separator_of_recbole_make_no_groups(load):
    tables = tiny_tables()
    tables["item"]["genre:token_seq"] = tables["item"]["genre:token_seq"].str.replace(" ", " | ")
    tables["item"]["genre:token_seq"] = tables["item"]["genre:token_seq"].str.replace("Drama", "Film Noir")
    part = load(
        tables,
        "FM",
        seq_separator="|",
        group_features="pooled",
        numerical_features=["price"],
        load_col=LOAD_COL | {"user": ["user_id"]},
    )
    dataset = part[0]._dataset
    assert sorted(dataset.confounder.group_names) == ["Action", "Comedy", "Film Noir", "Horror"]
    assert sorted(dataset.field2token_id["genre"]) == ["Action", "Comedy", "Film Noir", "Horror", "[PAD]"]


def test_groups_of_an_item_file_that_is_not_loaded_are_checked(load):
    tables = tiny_tables()
    ids = {"inter": ["user_id", "item_id", "timestamp"]}
    names = tables["item"]["genre:token_seq"].str.split().explode()
    tables["item"] = tables["item"].loc[names.index, ["item_id:token"]].assign(**{"genre:token": names.to_numpy()})
    with pytest.raises(DecRSError, match="has another row with other values"):
        load(tables, "DecBPR", load_col=ids, numerical_features=[])
