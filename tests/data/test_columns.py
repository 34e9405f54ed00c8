"""Columns that keys name are there and of the type that the key asks for, or refused."""

import pandas as pd
import pytest

from recbole_decrs import DecRSError
from tiny_data import tiny_tables


@pytest.mark.parametrize(
    ("others", "message"),
    [
        (
            {"load_col": {"inter": ["user_id", "item_id", "timestamp"], "item": ["item_id", "genres"]}},
            "load_col: .* no column genres; .* did you mean genre",
        ),
        (
            {"load_col": {"inter": ["user_id", "item_id", "timestamp"], "item": ["genre"]}},
            "load_col: item must have item_id",
        ),
        ({"load_col": None, "unload_col": {"item": ["prize"]}}, "unload_col: .* no column prize"),
        ({"unused_col": {"item": ["genres"]}}, "unused_col: tiny has no loaded column genres; .*; did you mean genre"),
        (
            {"numerical_features": ["prize"]},
            "numerical_features: .* loaded column prize; .*; did you mean price",
        ),
        (
            {"val_interval": {"ratings": "[4,inf)"}},
            "val_interval: tiny has no loaded column ratings; .*; did you mean rating",
        ),
        ({"val_interval": {"rating": [4, 5]}}, "val_interval: rating of tiny is float and takes an interval"),
        ({"val_interval": {"gender": "[1,2]"}}, "val_interval: gender of tiny is token and takes a list of values"),
        ({"val_interval": {"genre": ["Drama"]}}, "val_interval: genre of tiny is token_seq and takes no values"),
    ],
)
def test_columns_that_are_not_there(load, others, message):
    with pytest.raises(DecRSError, match=message):
        load(tiny_tables(), **others)


def test_a_file_of_load_col_that_is_not_there(load):
    tables = tiny_tables()
    del tables["user"]
    with pytest.raises(DecRSError, match=r"load_col: there is no file .*tiny\.user; leave user out"):
        load(tables, numerical_features=["price"])


def test_inter_needs_ids(load):
    with pytest.raises(DecRSError, match="load_col: inter must have item_id among its columns"):
        load(tiny_tables(), load_col={"inter": ["user_id", "timestamp"], "item": ["item_id", "genre"]})
    with pytest.raises(DecRSError, match="numerical_features: gender of tiny is token, and must be float"):
        load(tiny_tables(), numerical_features=["gender"])


@pytest.mark.parametrize(("ending", "kind"), [("inter", "float"), ("item", "token_seq"), ("user", "float")])
def test_ids_are_tokens(load, ending, kind):
    tables, field = tiny_tables(), "item_id" if ending == "item" else "user_id"
    tables[ending].columns = [column.replace(f"{field}:token", f"{field}:{kind}") for column in tables[ending]]
    message = rf"{field.upper()}_FIELD: column {field} of .*tiny\.{ending} is {kind}, and must be token"
    with pytest.raises(DecRSError, match=message):
        load(tables)


@pytest.mark.parametrize("suffix", ["emb", ["emb"]])
def test_columns_of_additional_files_are_loaded_by_themselves(load, suffix):
    tables = tiny_tables()
    tables["emb"] = pd.DataFrame({"known_item:token": tables["item"]["item_id:token"], "vector:float_seq": "1 2"})
    others = {"alias_of_item_id": ["known_item"], "preload_weight": {"known_item": "vector"}}
    part = load(tables, additional_feat_suffix=suffix, load_col="usual", **others)[0]._dataset
    assert part.get_preload_weight("known_item").shape == (31, 2)
    with pytest.raises(DecRSError, match="preload_weight: tiny has no loaded column vektor; .*; did you mean vector"):
        load(
            tables,
            additional_feat_suffix=["emb"],
            load_col="usual",
            **others | {"preload_weight": {"known_item": "vektor"}},
        )


@pytest.mark.parametrize(
    ("ending", "column", "message"),
    [
        ("item", "label:token", r"tiny\.item: the column label is called as LABEL_FIELD, in"),
        ("item", "user_id:token", r"the column user_id is called as USER_ID_FIELD, in"),
        ("item", "rating:token", r"the column rating is called as one of the \.inter file"),
        ("item", "gender:token", r"the column gender is called as one of the \.user file"),
        ("user", "label:float", r"tiny\.user: the column label is called as LABEL_FIELD"),
        ("user", "item_id:token", r"the column item_id is called as ITEM_ID_FIELD"),
    ],
)
def test_no_feature_stands_in_the_place_of_another_column(load, ending, column, message):
    """RecBole joins features into each batch by name, so that a model would learn from its own labels."""
    tables = tiny_tables()
    tables[ending][column] = ["0", "1"] * (len(tables[ending]) // 2)
    columns = {"inter": ["user_id", "item_id", "rating", "timestamp"], "user": ["user_id", "gender"]}
    columns["item"] = ["item_id", "genre"]
    load(tables, load_col=columns, numerical_features=[])
    columns[ending] = [*columns[ending], column.partition(":")[0]]
    with pytest.raises(DecRSError, match=message):
        load(tables, load_col=columns, numerical_features=[])


def test_columns_have_one_type_in_all_parts(load):
    tables = tiny_tables()
    inter = tables.pop("inter")
    as_tokens = inter[250:].rename(columns={"rating:float": "rating:token"})
    tables |= {"train.inter": inter[:200], "valid.inter": inter[200:250], "test.inter": as_tokens}
    with pytest.raises(
        DecRSError, match=r"tiny\.test\.inter: the column rating is token, and float in the files of benchmark_filename"
    ):
        load(tables, load_col=None, benchmark_filename=["train", "valid", "test"])


def test_a_key_of_buckets_names_numerical_features(load):
    tables = tiny_tables()
    tables["item"]["price:float"] = 1.0
    columns = {"inter": ["user_id", "item_id", "timestamp"], "item": ["item_id", "genre", "price"]}
    buckets = {"price": {"method": "ED", "bucket": 3}}
    with pytest.raises(DecRSError, match="discretization: price is not among numerical_features"):
        load(tables, load_col=columns, numerical_features=[], discretization=buckets)
    with pytest.raises(DecRSError, match="discretization: tiny has no loaded column prise; .* did you mean price"):
        load(tables, load_col=columns, numerical_features=["price"], discretization={"prise": buckets["price"]})


def test_clicks_of_one_moment_are_told(load, caplog):
    tables = tiny_tables()
    tables["inter"]["timestamp:float"] = 7.0
    load(tables)
    assert "all clicks of tiny have the same timestamp, so their order" in caplog.text


def test_a_value_that_no_row_has_is_told(load, caplog):
    load(tiny_tables(), val_interval={"user_id": ["u1", "u2", "u3", "zzz"]})
    assert "val_interval: no row of tiny has the user_id zzz; check the list" in caplog.text


def test_labels_that_unload_col_names_are_told(load, caplog):
    tables = tiny_tables()
    tables["inter"]["label:float"] = 1.0
    load(tables, load_col=None, unload_col={"inter": ["label"]})
    assert "has the column label, which unload_col names, so every row counts as a click; take it out" in caplog.text
