import bz2
from datetime import datetime

import numpy as np
import pytest
import torch
from recbole.evaluator.collector import DataStruct

from recbole_decrs import DecRSError
from recbole_decrs.compare import Outcome
from recbole_decrs.compare.lists import read_lists, without_exposure


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("user_id,item_id\n1,2\n", "has no column rank"),
        ("user_id,item_id,rank\n1,2,0\n", "line 2"),
        ("user_id,item_id,rank\n1,2,1\n1,3,x\n", "line 3"),
        ("user_id,item_id,rank\n1,2,1\n1,,2\n", "line 3"),
        ("user_id,item_id,rank\n1,2,1\n1,2,2\n", "the item_id 2 twice"),
        ("user_id,item_id,rank\n1,2,1\n1,3,1\n", "the rank 1 twice"),
        ("user_id,item_id,rank\n1,2,1\n1,3,3\n", "rank 3, but not those before it"),
        ("user_id,item_id,rank\n1,2,1e300\n", "line 2"),
        ("", "lists: .*lists.csv is empty"),
        ("user_id,item_id,user_id,rank\n1,2,1,1\n", "names the column user_id twice"),
        ("user_id,item_id,rank\n1,2,1,4\n", "line 2: 4 cells under 3 columns"),
        ("user_id,item_id,rank\n", "has no rows"),
        ("user_id,item_id,rank\n1,2,True\n", "line 2"),
        ("user_id,item_id,rank\n1,2,1\n\n1,3,x", "row 2"),
        ("user_id,item_id,rank\n1,[PAD],1\n", "column item_id of .*/lists.csv, line 2: the id"),
        (
            "user_id item_id rank\n1 2 1\n",
            "lists: the first line of .*lists.csv has no tab, .*; give the path of a CSV file in UTF-8",
        ),
    ],
)
def test_files_that_cannot_be_used(tmp_path, text, message):
    path = tmp_path / "lists.csv"
    path.write_text(text)
    with pytest.raises(DecRSError, match=message):
        read_lists(str(path))


def test_only_lengths_with_an_empty_place_are_left_out():
    """And metrics of one's own, whose results have other names than their classes, are left as they are."""
    collected = DataStruct()
    collected.set("rec.items", torch.tensor([[2, 3, 0], [3, 1, 4]]))
    found = {"itemcoverage@2": 0.4, "itemcoverage@3": 0.5, "my_metric@3": 1.0, "auc": 0.5}
    left = without_exposure(Outcome({"test": found, "by_drift": []}, {"users": np.array([4, 5])}), collected, "mine")
    assert {name for name, value in left.info["test"].items() if np.isnan(value)} == {"itemcoverage@3"}


@pytest.mark.parametrize("first", [0, 7])
def test_metrics_of_what_is_in_each_place_are_left_out_where_a_place_is_empty(first, caplog):
    """RecBole's would take the zero for one more item; those that know which places are ranked do not."""
    collected = DataStruct()
    collected.set("rec.items", torch.tensor([[first, 3], [3, 1]]))
    found = {"recall@2": 0.5, "itemcoverage@2": 0.4, "averagepopularity@2": 2.0, "ckl@2": 1.0}
    by_user = {"users": np.array([4, 5]), "recall@2": np.array([0.0, 1.0]), "averagepopularity@2": np.array([1.0, 3.0])}
    outcome = Outcome({"test": found, "by_drift": [[0.0, 2, found], [9.0, 0, {}]]}, by_user)
    left = without_exposure(outcome, collected, "mine")
    if first:
        assert left is outcome
        return
    gone = {"itemcoverage@2", "averagepopularity@2"}
    for metrics in (left.info["test"], left.info["by_drift"][0][2]):
        assert {name for name, value in metrics.items() if np.isnan(value)} == gone
        assert {name: metrics[name] for name in found if name not in gone} == {"recall@2": 0.5, "ckl@2": 1.0}
    assert left.info["by_drift"][1] == [9.0, 0, {}]
    assert np.isnan(left.by_user["averagepopularity@2"]).all()
    assert left.by_user["recall@2"].tolist() == [0.0, 1.0]
    assert "lists mine: averagepopularity@2, itemcoverage@2 are left out" in caplog.text


def test_a_missing_file():
    with pytest.raises(DecRSError, match="nowhere.csv cannot be read"):
        read_lists("nowhere.csv")


def test_tokens_stay_text_and_ranks_are_sorted(tmp_path):
    path = tmp_path / "lists.csv"
    path.write_text("user_id,item_id,rank\n007,NA,2\n007,a,1\n")
    assert read_lists(str(path)).to_numpy().tolist() == [["007", "a", 1], ["007", "NA", 2]]


def test_what_is_told_of_a_file_in_another_encoding_and_of_one_that_is_packed(tmp_path):
    path = tmp_path / "lists.csv"
    path.write_bytes("user_id,item_id,rank\n1,ä,1\n".encode("latin-1"))
    with pytest.raises(DecRSError, match="line 2, is not text in utf-8; give the path of a CSV file in UTF-8"):
        read_lists(str(path))
    path.write_bytes(bz2.compress(b"user_id,item_id,rank\n1,2,1\n"))
    with pytest.raises(DecRSError, match="packed by bzip2; give the path"):
        read_lists(str(path))


def test_ids_are_those_of_the_dataset_with_their_blanks(tmp_path):
    path = tmp_path / "lists.csv"
    path.write_text("user_id,item_id,rank,a;b\nu , i,1,3\nu ,i,2,3\n")
    assert read_lists(str(path)).to_numpy().tolist() == [["u ", " i", 1], ["u ", "i", 2]]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_files_are_read_as_import_reads_them(tmp_path, separator, encoding):
    path = tmp_path / "lists.csv"
    path.write_text("rank,user_id,item_id\n1,7,ä\n".replace(",", separator), encoding=encoding)
    assert read_lists(str(path)).to_numpy().tolist() == [["7", "ä", 1]]


@pytest.mark.parametrize("kind", ["Int128", "UInt8", "Utf8", "Float32"])
def test_parquet_of_any_numbers(tmp_path, kind):
    pl = pytest.importorskip("polars")
    for name, user in (("run1", "9"), ("run[1]", "7")):  # the second is no pattern that the first matches
        frame = pl.DataFrame({"user_id": [user, user], "item_id": ["3", "4"], "rank": ["2", "1"]})
        frame.with_columns(pl.col("user_id", "rank").cast(getattr(pl, kind))).write_parquet(
            tmp_path / f"{name}.parquet"
        )
    assert read_lists(str(tmp_path / "run[1].parquet")).to_numpy().tolist() == [["7", "4", 1], ["7", "3", 2]]


def test_ranks_that_are_truths_or_times_are_no_ranks(tmp_path):
    pl = pytest.importorskip("polars")
    for rank in (True, datetime(1970, 1, 1, 0, 0, 0, 1)):
        pl.DataFrame({"user_id": [1], "item_id": [2], "rank": [rank]}).write_parquet(tmp_path / "lists.parquet")
        with pytest.raises(DecRSError, match="row 1 of .* must hold a user, an item and a rank"):
            read_lists(str(tmp_path / "lists.parquet"))
