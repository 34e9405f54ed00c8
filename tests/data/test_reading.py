"""What a user's files hold is read right, counted, or refused: on the tiny dataset with one thing wrong at a time."""

import logging

import numpy as np
import pandas as pd
import pytest
import torch
from recbole.utils import case_study

from recbole_decrs import DecRSError, run_recbole_decrs
from recbole_decrs.config import DecRSConfig
from recbole_decrs.data.preparation import create_dataset, data_preparation
from recbole_decrs.making import make_model
from tiny_data import LOAD_COL, tiny_settings, tiny_tables, write_tables


@pytest.fixture
def load(tmp_path):
    """Makes the loaders of tables: ``load(tables, model, **settings)`` -> training, validation, test."""

    def load(tables, model="BPR", **others):
        write_tables(tmp_path / "data", tables)
        settings = tiny_settings(tmp_path / "data", **others)
        if settings["load_col"] == "usual":  # as of a user who gives none
            del settings["load_col"], settings["numerical_features"]
        config = DecRSConfig(model, "tiny", config_dict=settings)
        return data_preparation(config, create_dataset(config))

    return load


def clicks(loaders):
    """(user, item) of all parts, as tokens."""
    found = []
    for loader in loaders:
        part = loader._dataset
        tokens = [part.id2token(field, part.inter_feat[field].numpy()) for field in ("user_id", "item_id")]
        found += zip(*map(list, tokens), strict=True)
    return sorted(found)


def rows(table):
    return sorted(zip(table["user_id:token"], table["item_id:token"], strict=True))


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
    assert clicks(found) == rows(tables["inter"][~lost])
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        found = load(tables, filter_inter_by_user_or_item=False)
    assert "they have no features and groups" in caplog.text
    assert clicks(found) == rows(tables["inter"])


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
    assert clicks(found) == rows(tables["inter"].drop(index=[3, 9]))


@pytest.mark.parametrize("empty", ["", "NA", "nan"])
def test_clicks_without_a_rating_are_counted_and_never_given_the_mean(load, caplog, empty):
    tables = tiny_tables()
    ratings = tables["inter"]["rating:float"].astype(object)
    ratings[[3, 9, 11]] = empty
    tables["inter"]["rating:float"] = ratings
    with caplog.at_level(logging.WARNING):
        found = load(tables)
    assert "3 of 288 clicks have no rating; they count as clicks" in caplog.text
    assert clicks(found) == rows(tables["inter"])
    kept = np.concatenate([loader._dataset.inter_feat["rating"].numpy() for loader in found])
    assert np.isnan(kept).sum() == 3
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        found = load(tables, val_interval={"rating": "[4,inf)"})
    assert "3 rows of tiny have no rating, so val_interval leaves them out" in caplog.text
    assert clicks(found) == rows(tables["inter"].drop(index=[3, 9, 11]))
    with pytest.raises(DecRSError, match="3 rows .* have no rating, which normalize_field asks for"):
        load(tables, normalize_field=["rating"])


def test_missing_features_are_counted(load, caplog):
    tables = tiny_tables()
    tables["item"].loc[:3, "price:float"] = np.nan
    tables["user"].loc[0, "gender:token"] = None
    with caplog.at_level(logging.WARNING):
        load(tables)
    assert "missing values in tiny: gender in 1 rows, price in 4 rows, for which RecBole takes the mean" in caplog.text


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


LABELLED = {"inter": ["user_id", "item_id", "timestamp", "label"], "item": ["item_id", "genre"]}


def labelled():
    tables = tiny_tables()
    tables["inter"]["label:float"] = (np.random.default_rng(0).permutation(288) >= 72).astype(int)
    return tables


@pytest.mark.parametrize("model", ["BPR", "DecFM", "SASRec"])
def test_label_0_is_no_click(load, caplog, model):
    tables = labelled()
    sizes = {"hidden_size": 8, "n_heads": 1, "loss_type": "CE"} if model == "SASRec" else {}
    with caplog.at_level(logging.WARNING):
        found = load(tables, model, load_col=LABELLED, numerical_features=[], **sizes)
    assert "72 of 288 interactions have label 0: they are no clicks and are left out" in caplog.text
    kept = tables["inter"][tables["inter"]["label:float"] > 0]
    if model != "SASRec":  # of which each user's first click has no row
        assert clicks(found) == rows(kept)
    assert found[0]._dataset.confounder.n_clicks.sum() + sum(len(one._dataset) for one in found[1:]) == len(kept)


def test_a_model_that_is_trained_by_labels_is_tested_on_clicks(load, caplog):
    tables = labelled()
    with caplog.at_level(logging.WARNING):
        found = load(tables, "FM", load_col=LABELLED, numerical_features=[], train_neg_sample_args=None)
    labels = [loader._dataset.inter_feat["label"].numpy() for loader in found]
    assert (labels[0] == 0).any()
    assert all(labels[1])
    assert all(labels[2])
    assert "interactions of part 3 of tiny have label 0: they are no clicks and are left out" in caplog.text


def test_a_label_is_found_without_load_col(load, caplog):
    tables = labelled()
    kept = rows(tables["inter"][tables["inter"]["label:float"] > 0])
    with caplog.at_level(logging.WARNING):
        assert clicks(load(tables, load_col="usual")) == kept
    assert "72 of 288 interactions have label 0" in caplog.text
    tables["inter"] = tables["inter"].rename(columns={"label:float": "click:float"})
    assert clicks(load(tables, load_col="usual", LABEL_FIELD="click")) == kept
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        assert len(clicks(load(tables, LABEL_FIELD="click"))) == 288
    assert "has the column click, which load_col does not name, so every row counts as a click" in caplog.text


def test_groups_are_read_in_one_way_whatever_is_filtered_away(load):
    tables = tiny_tables()
    tables["item"]["genre:token_seq"] = ["Science Fiction|Western", *["Science Fiction"] * 29]
    tables["item"].loc[0, "price:float"] = 99
    part = load(tables, val_interval={"price": "[0,10]"})[0]._dataset
    assert part.confounder.group_names == ("Science Fiction",)
    assert "Science Fiction" in part.field2token_id["genre"]


def test_a_label_that_is_none(load):
    tables = labelled()
    tables["inter"].loc[5, "label:float"] = 3
    with pytest.raises(DecRSError, match="label of tiny.inter must be 0 or 1, and is 3"):
        load(tables, load_col=LABELLED, numerical_features=[])


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


def test_a_group_format_may_be_given(load):
    tables = tiny_tables()
    tables["item"]["genre:token_seq"] = tables["item"]["genre:token_seq"].str.replace(" ", ", ")
    with pytest.raises(DecRSError, match=r"group_format: column genre of .*tiny\.item has cells such as"):
        load(tables)
    assert len(load(tables, group_format="comma")[0]._dataset.confounder.group_names) == 4


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


@pytest.mark.parametrize("model", ["BPR", "NeuMF", "LightGCN"])
def test_a_model_that_learns_from_negatives_and_gets_none(tmp_path, model):
    write_tables(tmp_path / "data", tiny_tables())
    settings = tiny_settings(tmp_path / "data", train_neg_sample_args=None)
    with pytest.raises(DecRSError, match=f"train_neg_sample_args: {model} learns from negative samples, and gets none"):
        run_recbole_decrs(model, "tiny", config_dict=settings)


def test_values_of_a_token_are_text(load):
    tables = tiny_tables()
    tables["user"]["gender:token"] = (np.arange(24) % 2).astype(str)
    users = set(tables["user"]["user_id:token"][::2])
    found = load(tables, val_interval={"gender": [0]})
    assert {user for user, _ in clicks(found)} == users


def test_an_id_that_recbole_takes_for_nobody(load):
    tables = tiny_tables()
    tables["item"].loc[4, "item_id:token"] = "[PAD]"
    with pytest.raises(DecRSError, match=r"tiny\.item, line 6: item_id is \[PAD\], which RecBole takes for nobody"):
        load(tables)


def test_a_label_field_that_is_not_there_is_told(load, caplog):
    tables = labelled()
    tables["inter"] = tables["inter"].rename(columns={"label:float": "clicked:float"})
    load(tables, LABEL_FIELD="clickd", load_col="usual")
    assert "LABEL_FIELD:" in caplog.text
    assert "no column clickd, so every row counts as a click; did you mean clicked?" in caplog.text
    tables["inter"] = tables["inter"].rename(columns={"clicked:float": "label:token"})
    load(tables, load_col="usual")
    assert "has the column label, which load_col does not name" in caplog.text
    assert "(its type is token, and must be float)" in caplog.text


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


def test_columns_of_additional_files_are_loaded_by_themselves(load):
    tables = tiny_tables()
    tables["emb"] = pd.DataFrame({"known_item:token": tables["item"]["item_id:token"], "vector:float_seq": "1 2"})
    others = {"alias_of_item_id": ["known_item"], "preload_weight": {"known_item": "vector"}}
    part = load(tables, additional_feat_suffix=["emb"], load_col="usual", **others)[0]._dataset
    assert part.get_preload_weight("known_item").shape == (31, 2)
    with pytest.raises(DecRSError, match="preload_weight: tiny has no loaded column vektor; .*; did you mean vector"):
        load(
            tables,
            additional_feat_suffix=["emb"],
            load_col="usual",
            **others | {"preload_weight": {"known_item": "vektor"}},
        )


def test_scores_that_are_not_finite_are_no_ranking(load):
    _, _, test_data = load(tiny_tables(), "FM")
    config = test_data._dataset.config
    model = make_model(config, test_data._dataset)
    with torch.no_grad():
        next(model.parameters()).fill_(float("nan"))
    with pytest.raises(DecRSError, match="FM gives scores that are infinite or not a number"):
        case_study.full_sort_topk([1], model, test_data, k=3)
