"""Interactions of label 0 are no clicks, wherever a label is found."""

import logging

import numpy as np
import pytest

from recbole_decrs import DecRSError
from tiny_data import LABELLED, clicks_in, labelled_tables, rows_of, tiny_tables, write_tables


@pytest.mark.parametrize("model", ["BPR", "DecFM", "SASRec"])
def test_label_0_is_no_click(load, caplog, model):
    tables = labelled_tables()
    sizes = {"hidden_size": 8, "n_heads": 1, "loss_type": "CE"} if model == "SASRec" else {}
    with caplog.at_level(logging.WARNING):
        found = load(tables, model, load_col=LABELLED, numerical_features=[], **sizes)
    assert "72 of 288 interactions have label 0: they are no clicks and are left out" in caplog.text
    kept = tables["inter"][tables["inter"]["label:float"] > 0]
    if model != "SASRec":  # of which each user's first click has no row
        assert clicks_in(found) == rows_of(kept)
    assert found[0]._dataset.confounder.n_clicks.sum() + sum(len(one._dataset) for one in found[1:]) == len(kept)


def test_a_model_that_is_trained_by_labels_is_tested_on_clicks(load, caplog):
    tables = labelled_tables()
    with caplog.at_level(logging.WARNING):
        found = load(tables, "FM", load_col=LABELLED, numerical_features=[], train_neg_sample_args=None)
    labels = [loader._dataset.inter_feat["label"].numpy() for loader in found]
    assert (labels[0] == 0).any()
    assert all(labels[1])
    assert all(labels[2])
    assert "interactions of part 3 of tiny have label 0: they are no clicks and are left out" in caplog.text


@pytest.mark.parametrize("model", ["FM", "DecFM", "BPR"])
def test_training_with_drawn_negatives_has_no_row_of_label_0(load, caplog, model):
    """Metrics of labelled pairs keep both labels in validation and test, where they are what is asked for."""
    settings = {"metrics": ["AUC"], "valid_metric": "AUC", "eval_args": {"order": "RO", "mode": "labeled"}}
    with caplog.at_level(logging.WARNING):
        found = load(labelled_tables(), model, load_col=LABELLED, numerical_features=[], **settings)
    labels = [loader._dataset.inter_feat["label"].numpy() for loader in found]
    assert all(labels[0])
    assert not all(labels[1])
    assert not all(labels[2])
    assert "interactions of part 1 of tiny have label 0: they are no clicks and are left out" in caplog.text


def test_a_label_is_found_without_load_col(load, caplog):
    tables = labelled_tables()
    kept = rows_of(tables["inter"][tables["inter"]["label:float"] > 0])
    with caplog.at_level(logging.WARNING):
        assert clicks_in(load(tables, load_col="usual")) == kept
    assert "72 of 288 interactions have label 0" in caplog.text
    tables["inter"] = tables["inter"].rename(columns={"label:float": "click:float"})
    assert clicks_in(load(tables, load_col="usual", LABEL_FIELD="click")) == kept
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        assert len(clicks_in(load(tables, LABEL_FIELD="click"))) == 288
    assert "has the column click, which load_col does not name, so every row counts as a click" in caplog.text


def test_a_label_that_is_none(load):
    tables = labelled_tables()
    tables["inter"].loc[5, "label:float"] = 3
    with pytest.raises(DecRSError, match="label of tiny.inter must be 0 or 1, and is 3"):
        load(tables, load_col=LABELLED, numerical_features=[])


def test_a_label_field_that_is_not_there_is_told(load, caplog):
    tables = labelled_tables()
    tables["inter"] = tables["inter"].rename(columns={"label:float": "clicked:float"})
    load(tables, LABEL_FIELD="clickd", load_col="usual")
    assert "LABEL_FIELD:" in caplog.text
    assert "no column clickd, so every row counts as a click; did you mean clicked?" in caplog.text
    tables["inter"] = tables["inter"].rename(columns={"clicked:float": "label:token"})
    load(tables, load_col="usual")
    assert "has the column label, which load_col does not name" in caplog.text
    assert "(its type is token, and must be float)" in caplog.text


def test_labels_below_the_threshold_are_no_clicks(tmp_path, prepared):
    tables = tiny_tables()
    tables["inter"]["rating:float"] = np.arange(len(tables["inter"])) % 2
    write_tables(tmp_path / "data", tables)
    eval_args = {"order": "RO", "mode": "labeled"}
    labelled = {"threshold": {"rating": 1}, "metrics": ["AUC"], "valid_metric": "AUC", "eval_args": eval_args}
    dataset = prepared("FM", train_neg_sample_args=None, **labelled)[1].dataset
    assert dataset.confounder.n_clicks.sum() == dataset.inter_feat["label"].sum()
