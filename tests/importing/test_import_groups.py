"""Groups of every form are read as the names that they are, and what is written is read back as it was."""

import json

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imports import CLICKS, ITEMS, USERS, imported, read_back, refusal, with_column
from recbole_decrs import DecRSError
from recbole_decrs.data.group_cells import split_cells
from recbole_decrs.importing.item_groups import read_groups, written
from recbole_decrs.importing.table import Table

NAMES = [["Comedy", "Science Fiction"], ["Drama"], ["Comedy", "Drama"], []]

FORMS = {
    "pipe": ("|".join, "auto"),
    "commas": (", ".join, ","),
    "semicolons": (";".join, ";"),
    "by its name": (";".join, "semicolon"),
    "signs of several letters": (" + ".join, "+"),
    "lists": (lambda some: some, "auto"),
    "sets of one": (tuple, "auto"),
    "JSON": (json.dumps, "auto"),
    "Python's lists": (repr, "auto"),
    "given as JSON": (json.dumps, "json"),
}


def read(cells, separator="auto"):
    return read_groups(Table(pd.DataFrame({"genres": pd.Series(cells, dtype=object)}), "items"), "genres", separator)


@pytest.mark.parametrize("form", FORMS)
def test_a_form_is_read(form):
    write, separator = FORMS[form]
    assert read([write(some) for some in NAMES], separator).names == NAMES


def test_a_cell_may_be_one_name():
    assert read(["Home, Garden & Pets", "Books"], "single").names == [["Home, Garden & Pets"], ["Books"]]
    assert read(["Science Fiction", "Drama"]).names == [["Science Fiction"], ["Drama"]]


def test_words_for_nothing_are_nothing():
    assert read(["(no genres listed)", "Comedy|Drama", "Comedy"]).names == [[], ["Comedy", "Drama"], ["Comedy"]]


def test_a_separator_that_is_nowhere_is_doubted():
    assert "no cell of column genres of items holds ';'" in read(["a", "b"], ";").doubt
    items = pd.DataFrame({"movieId": ["10", "20", "30"], "genres": ["a", "b", "a"]})
    assert "  no cell of column genres of items holds ';'" in "\n".join(imported(items=items, group_separator=";").told)


@pytest.mark.parametrize("library", [pd.DataFrame, pl.DataFrame])
def test_groups_in_several_rows_are_those_of_one_item(library):
    pairs = [("10", "Comedy"), ("20", "Drama"), ("10", "Science Fiction"), ("10", "Comedy"), ("30", None)]
    items = library({"movieId": [item for item, _ in pairs], "genres": [name for _, name in pairs]})
    imported(items=items)
    table = read_back("item")[0]
    assert table["item_id"].tolist() == ["10", "20", "30"]
    found = split_cells(table["genres"].fillna("").tolist(), "token_seq").names
    assert found == [["Comedy", "Science Fiction"], ["Drama"], []]


def test_lists_of_a_frame():
    items = pl.DataFrame({"movieId": ["10", "20", "30"], "genres": [["a", "b c"], [], None]})
    assert imported(items=items).group_field == "genres"
    assert read_back("item")[0]["genres"].fillna("").tolist() == ["a|b c", "", ""]


@given(
    st.lists(
        st.lists(st.text("ab &|,'\"[", min_size=1, max_size=4).map(str.strip).filter(bool), max_size=3, unique=True),
        min_size=1,
        max_size=6,
    ).filter(any)
)
def test_what_is_written_is_read_back(names):
    kind, cells = written(names, "column genres of items")
    assert split_cells(cells, kind).names == names


def test_a_column_is_called_as_it_was_where_it_can_be():
    items = pd.DataFrame(
        {"movieId": ["10", "20", "30"], "title": list("abc"), "a b:c": [1, 2, 3], "a_b_c": [0.5, 1, 2]}
    )
    imported(CLICKS, items)
    assert read_back("item")[1] == {"item_id": "token", "title": "token", "a_b_c": "token", "a_b_c_2": "float"}


def test_another_column_may_be_the_title():
    items = pd.DataFrame({"movieId": ["10", "20", "30"], "title": list("abc"), "label": list("def")})
    imported(CLICKS, items, title="label")
    table = read_back("item")[0]
    assert table["title"].tolist() == list("def")
    assert table["title_2"].tolist() == list("abc")


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        (["science history", "history", "art"], "share words; where blanks separate"),
        (["a|b", "a", "b,c"], "'b,c' is one"),
        (["board games", "art"], None),
    ],
)
def test_what_may_have_been_meant_otherwise_is_told(cells, told):
    doubt = read_groups(Table(pd.DataFrame({"groups": cells}), "items"), "groups").doubt
    assert (doubt is None) if told is None else (told in doubt)


def test_objects_of_json_are_refused():
    with pytest.raises(DecRSError, match="hold keys and values; make them lists"):
        read_groups(Table(pd.DataFrame({"groups": ['[{"id": 0, "name": "x"}]']}), "items"), "groups")


def test_a_column_that_is_called_as_one_of_the_clicks_has_another_name():
    """Of a name that two files have, RecBole puts one column in the place of the other."""
    items = ITEMS.assign(label=["Sony", "EMI", "Sony"], rating=["PG-13", "TV-MA", "R"], country=["de", "fr", "de"])
    users = USERS.assign(country=["us", "uk", "us"])
    done = imported(CLICKS, items, users, groups="label")
    assert done.group_field == "label_2"
    assert list(read_back("item")[1]) == ["item_id", "title", "genres", "rating_2", "country", "label_2"]
    assert list(read_back("user")[1]) == ["user_id", "age", "height", "country_2"]
    told = "\n".join(done.told)
    assert "since clicks, items or RecBole itself have a column of theirs: rating as rating_2" in told
    assert "since clicks, items or RecBole itself have a column of theirs: label as label_2" in told
    assert "since clicks, items or RecBole itself have a column of theirs: country as country_2" in told


@pytest.mark.parametrize(
    "cells",
    [
        [{"main": "Drama"}, {"main": "Comedy"}, {"main": "Drama"}],
        [[{"id": 16, "name": "Animation"}], [{"id": 18, "name": "Drama"}], []],
    ],
)
def test_keys_and_values_are_no_names_of_groups(cells):
    message = refusal(CLICKS, with_column(ITEMS, "genres", cells))
    assert "which hold keys and values or lists; make them lists of the names of groups" in message


def test_bytes_are_text():
    """Some programs write the text of Parquet files as bytes."""
    as_bytes = pl.DataFrame({"movieId": [b"10", b"20", b"30"], "genres": [b"Com\xc3\xa9die|Drama", b"Drama", None]})
    as_bytes.write_parquet("items.parquet")
    imported(CLICKS, "items.parquet")
    items = read_back("item")[0]
    assert items["item_id"].tolist() == ["10", "20", "30"]
    assert items["genres"].tolist()[:2] == ["Comédie Drama", "Drama"]
    lists = as_bytes.with_columns(genres=pl.Series([[b"Com\xc3\xa9die", b"Drama"], [b"Drama"], None]))
    imported(CLICKS, lists, data_path="lists")
    assert read_back("item", "lists")[0]["genres"].tolist()[:2] == ["Comédie Drama", "Drama"]
    for number, kind in enumerate((tuple, np.array)):
        some = pd.DataFrame({"movieId": [10, 20, 30], "genres": [kind([b"Drama", b"War"]), kind([b"War"]), None]})
        imported(CLICKS, some, data_path=f"others{number}")
        assert read_back("item", f"others{number}")[0]["genres"].tolist()[:2] == ["Drama War", "War"]
    message = refusal(CLICKS, as_bytes.with_columns(movieId=pl.Series([b"\xff", b"20", b"30"])))
    assert message == (
        "column movieId of items holds bytes that are not text in utf-8; make them text, or leave it out"
    )
