"""Cells that are missing are counted, or refused, and a rating or a time is never made up."""

import logging

import numpy as np
import pytest

from recbole_decrs import DecRSError
from tiny_data import clicks_in, rows_of, tiny_tables, write_tables


@pytest.mark.parametrize("empty", ["", "NA", "nan"])
def test_clicks_without_a_rating_are_counted_and_never_given_the_mean(load, caplog, empty):
    tables = tiny_tables()
    ratings = tables["inter"]["rating:float"].astype(object)
    ratings[[3, 9, 11]] = empty
    tables["inter"]["rating:float"] = ratings
    with caplog.at_level(logging.WARNING):
        found = load(tables)
    assert "3 of 288 clicks have no rating; they count as clicks" in caplog.text
    assert clicks_in(found) == rows_of(tables["inter"])
    kept = np.concatenate([loader._dataset.inter_feat["rating"].numpy() for loader in found])
    assert np.isnan(kept).sum() == 3
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        found = load(tables, val_interval={"rating": "[4,inf)"})
    assert "3 rows of tiny have no rating, so val_interval leaves them out" in caplog.text
    assert clicks_in(found) == rows_of(tables["inter"].drop(index=[3, 9, 11]))
    with pytest.raises(DecRSError, match="3 rows .* have no rating, which normalize_field asks for"):
        load(tables, normalize_field=["rating"])


def test_missing_features_are_counted(load, caplog):
    tables = tiny_tables()
    tables["item"].loc[:3, "price:float"] = np.nan
    tables["user"].loc[0, "gender:token"] = None
    with caplog.at_level(logging.WARNING):
        load(tables)
    assert "missing values in tiny: gender in 1 row, price in 4 rows, for which RecBole takes the mean" in caplog.text


def test_rows_without_a_time(tmp_path, prepared):
    tables = tiny_tables()
    tables["inter"].loc[3:5, "timestamp:float"] = None
    write_tables(tmp_path / "data", tables)
    with pytest.raises(DecRSError, match="3 rows of the .inter file of tiny have no timestamp"):
        prepared()
