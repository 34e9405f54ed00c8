"""What cannot be imported with certainty is refused in one sentence, and nothing is written."""

import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

from imports import CLICKS, ITEMS, USERS, imported, refusal, with_column, write_text
from recbole_decrs import run_recbole_decrs
from recbole_decrs.errors import DecRSError
from recbole_decrs.importing.files import read_table


@pytest.fixture(autouse=True)
def _nothing_is_written():
    yield
    assert not Path("dataset").exists()


TEXTS = {
    "an empty file": ("", "is empty"),
    "no separator": ("userId\n1\n", "no tab, comma, semicolon, ::, pipe between cells; give what there is"),
    "two separators": ("user;a,item\n1;2,3\n", "may be separated by comma and semicolon; give the one"),
    "more cells than names": ("user,item\n1,2\n3,4,5\n", "line 3: 3 cells under 2 columns"),
    "an empty first line": ("\nuser,item\n1,2\n", "the first line is empty, and should name the columns; take it out"),
    "an open quotation mark": ('user,item\n1,"2\n3,4\n', "line 2: a cell begins with a quotation mark"),
    "two columns of one name": ("user,user,item\n1,2,3\n", "names the column user twice"),
    "a column without a name": ("user,,item\n1,2,3\n", "empty cell, which names no column"),
    "rows that are not numbered": (",user,item\n7,1,2\n", "empty cell, which names no column"),
    "no rows": ("user,item\n", "has no rows with a user and an item"),
    "rows without ids": ("user,item\n1,\n,2\n", "has no rows with a user and an item"),
    "a byte of zero": ("user,item\n1,\0\n", "line 2: there is a byte of zero in the text"),
    "no column of users": ("a,b\n1,2\n", "user: no column of clicks.csv is named as one of users usually is"),
    "no column of items": ("user,b\n1,2\n", "item: no column of clicks.csv is named as one of items usually is"),
    "two columns of users": ("user,uid,item\n1,2,3\n", "user: user and uid of clicks.csv may both be meant"),
    "a rating that is none": (
        "user,item,rating\n1,2,good\n",
        "column rating of clicks.csv, line 2: 'good' is no number",
    ),
    "a decimal comma": ("user;item;rating\n1;2;4,5\n", "'4,5' is no number"),
    "a label between": (
        "user,item,label\n1,2,1\n1,3,0.5\n",
        "column label of clicks.csv, line 3: a label must be 0 or 1",
    ),
    "a letter nobody sees": (
        "user,item\nu1,2\nu1\u200b,2\n",
        "line 3: the id 'u1\\u200b' has a tab, a line end or another",
    ),
    "an infinite rating": ("user,item,rating\n1,2,3\n1,3,inf\n", "line 3: a number is infinite"),
    "RecBole's word for nobody": ("user,item\n1,2\n[PAD],2\n", "line 3: the id [PAD] is RecBole's word for nobody"),
    "a missing time": (
        "user,item,time\n1,2,\n1,3,1445714835\n",
        "clicks.csv has 1 row without time, the first in line 2",
    ),
    "no times": ("user,item,time\n1,2,\n", "column time of clicks.csv holds no time"),
    "small numbers as times": ("user,item,time\n1,2,1\n1,3,2\n", "times from 1 to 2, which are no seconds"),
    "years as times": ("user,item,time\n1,2,1999\n", "give --time_format=seconds to take the numbers as they are"),
    "seconds and milliseconds": ("user,item,time\n1,2,1445714835\n1,3,1445714835000\n", "which are no seconds"),
    "days and months": ("user,item,date\n1,2,01/02/2024\n", "it is not certain how to read them; give their form"),
    "a day that there is not": ("user,item,date\n1,2,2024-02-30\n", "line 2: '2024-02-30' is no time that there is"),
    "dates and text": ("user,item,date\n1,2,2024-02-20\n1,3,soon\n", "line 3: 'soon' is no date in ISO 8601"),
    "time zones now and then": (
        "user,item,date\n1,2,2024-02-20 10:00Z\n1,3,2024-02-20 11:00\n",
        "write all in one way",
    ),
}


@pytest.mark.parametrize("case", TEXTS)
def test_a_file_of_clicks_is_refused(case):
    text, sentence = TEXTS[case]
    found = refusal(write_text("clicks.csv", text))
    assert sentence in found
    assert "\n" not in found


def groups(*cells):
    return with_column(ITEMS, "genres", cells)


FRAMES = {
    "a number for a frame": (3, {}, "clicks must be a data frame of pandas, polars or another"),
    "a lazy frame": (pl.DataFrame(CLICKS.to_dict("list")).lazy(), {}, "call its collect() first"),
    "names that are no text": (pd.DataFrame([[1, 2]]), {}, "is named 0, which is no text"),
    "one name twice": (pd.DataFrame([[1, 2]], columns=["user", "user"]), {}, "two columns of the data frame have"),
    "no such file": ("none.csv", {}, "none.csv cannot be read (No such file or directory"),
    "a folder": (".", {}, "cannot be read (Is a directory"),
    "ids with a fraction": (CLICKS.assign(userId=1.5), {}, "column userId of clicks, row 1: 1.5 is no id"),
    "ids that are lists": (with_column(CLICKS, "movieId", [["1"]] * 5), {}, "['1'] is no id"),
    "ratings that are lists": (
        with_column(CLICKS, "rating", [[4]] * 5),
        {},
        "rating: column rating of clicks holds lists",
    ),
    "times that are lists": (with_column(CLICKS, "timestamp", [[4]] * 5), {}, "column timestamp of clicks holds lists"),
    "an id with a tab": (CLICKS.assign(userId="a\tb"), {}, "has a tab, a line end or another letter"),
    "a column that is not there": (CLICKS, {"time": "timestemp"}, "; did you mean timestamp?"),
    "one column for two": (CLICKS, {"rating": "timestamp"}, "rating: column timestamp of clicks is given as time"),
    "no columns": (pd.DataFrame(index=[1, 2]), {}, "the data frame has no columns"),
    "no clicks": (None, {}, "clicks must be a data frame or the path of a file"),
    "a form of no times": (CLICKS[["userId", "movieId"]], {"time_format": "iso"}, "no column of clicks is found that"),
    "a separator of no groups": (
        CLICKS,
        {"items": ITEMS[["movieId"]], "group_separator": ","},
        "is found that holds gr",
    ),
    "an unknown option": (CLICKS, {"genre": "genres"}, "there is no option genre of data that are imported"),
    "an unknown form of times": (CLICKS, {"time_format": "days"}, "time_format must be auto, seconds"),
    "a form of times that does not fit": (CLICKS, {"time_format": "%Y"}, "'964982703' is no time as %Y writes it"),
    "times that need no form": (
        CLICKS.assign(timestamp=datetime.datetime(2024, 1, 1)),
        {"time_format": "iso"},
        "holds times already; leave it out",
    ),
    "lone surrogates": (CLICKS.assign(userId="a\ud800"), {}, "holds what is no letter of Unicode"),
    "no items of the clicks": (
        CLICKS,
        {"items": ITEMS.assign(movieId=["010", "020", "030"])},
        "such as '10', has a row",
    ),
    "no users of the clicks": (CLICKS, {"users": USERS.assign(userId=["a", "b", "c"])}, "no user of clicks"),
    "an item with two titles": (
        CLICKS,
        {"items": pd.concat([ITEMS, ITEMS.assign(title="x")], ignore_index=True)},
        "item_id 10 has another row with other values",
    ),
    "items without ids": (CLICKS, {"items": ITEMS.assign(movieId="")}, "items has no rows with an id"),
    "groups with commas": (CLICKS, {"items": groups("a,b", "b", "c")}, "it is not certain how groups are separated"),
    "groups with slashes": (CLICKS, {"items": groups("a/b", "c", "d")}, "it is not certain how groups are separated"),
    "groups with blanks": (CLICKS, {"items": groups("a b", "b", "a")}, "cells such as 'a b', and it is not certain"),
    "lists and text": (CLICKS, {"items": groups(["a"], "b", ["c"])}, "has lists, and in row 2 'b'"),
    "lists written and not": (CLICKS, {"items": groups("['a']", "b", "c")}, "it is not certain how groups are separ"),
    "other lists than said": (
        CLICKS,
        {"items": groups("a", "b", "c"), "group_separator": "json"},
        "which is not written as json",
    ),
    "no groups": (CLICKS, {"items": groups("", "", np.nan)}, "column genres of items is empty"),
    "groups of nothing": (CLICKS, {"items": groups([], [], [])}, "names no group of an item"),
    "two columns of groups": (CLICKS, {"items": ITEMS.assign(tags="x")}, "genres and tags of items may both be meant"),
}


@pytest.mark.parametrize("case", FRAMES)
def test_data_are_refused(case):
    clicks, options, sentence = FRAMES[case]
    found = refusal(clicks, **options)
    assert sentence in found
    assert "\n" not in found


FILES = {
    "cut Parquet": (b"PAR1 and no more", "cannot be read as Parquet"),
    "cut gzip": (b"\x1f\x8b\x08\x00 and no more", "gzip cannot unpack it"),
    "a zip archive": (b"PK\x03\x04", "unzip it, or save it as CSV"),
    "another encoding": ("user,item\né,1\n".encode("latin-1"), "line 2, is not text in utf-8; set encoding"),
}


@pytest.mark.parametrize("case", FILES)
def test_a_file_of_bytes_is_refused(case):
    content, sentence = FILES[case]
    Path("clicks.bin").write_bytes(content)
    assert sentence in refusal("clicks.bin")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"encoding": "utf-99"}, "there is no encoding named utf-99"),
        ({"separator": ";"}, "separator: there is no ';' in the first line"),
        ({"separator": ";;"}, "separator: there is no ';;' in the first line"),
        ({"user": "1", "item": "9"}, "item: clicks.csv has no column 9; its columns are 1, 2, 3, 4"),
    ],
)
def test_an_option_that_does_not_fit_the_file(options, sentence):
    assert sentence in refusal(write_text("clicks.csv", CLICKS.to_csv(index=False)), **options)


@pytest.mark.parametrize("name", ["", "a/b", "..", "a b", "ml-100k", "ml-1m"])
def test_a_name_is_refused(name):
    from recbole_decrs.importing import import_data

    with pytest.raises(DecRSError, match="dataset"):
        import_data(CLICKS, dataset=name)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"items": ITEMS}, "items: it is of data that come as data frames, and there are no clicks"),
        ({"user": "userId"}, "user: it is of data that come as data frames"),
        ({"clicks": CLICKS, "config_dict": {"benchmark_filename": ["a"]}}, "benchmark_filename: clicks that come as"),
        ({"clicks": CLICKS, "genres": "a"}, "there is no option genres of data"),
    ],
)
def test_a_run_refuses_frames(given, sentence):
    with pytest.raises(DecRSError) as error:
        run_recbole_decrs("BPR", **given)
    assert sentence in str(error.value)


class TestOtherDataAreThere:
    """Nothing is written over."""

    @pytest.fixture(autouse=True)
    def _nothing_is_written(self):
        return

    @pytest.mark.parametrize("options", [{"items": ITEMS}, {"clicks": CLICKS.iloc[1:]}])
    def test_they_are_kept(self, options):
        imported(items=ITEMS.iloc[:2])
        before = {path: path.read_bytes() for path in Path("dataset/small").iterdir()}
        assert "is there already, with other data; give another --dataset, or delete it" in refusal(**options)
        assert {path: path.read_bytes() for path in Path("dataset/small").iterdir()} == before

    def test_the_same_data_are_no_other(self):
        assert "written: " in imported(items=ITEMS).told[-1]
        assert "there already, and the same: " in imported(items=ITEMS).told[-1]

    def test_what_a_kill_has_left_is_finished(self):
        imported(items=ITEMS)
        Path("dataset/small/small.inter").unlink()
        assert "written: " in imported(items=ITEMS).told[-1]
        assert Path("dataset/small/small.inter").is_file()

    def test_a_folder_that_cannot_be_written_to(self):
        Path("dataset").write_text("")
        assert "data_path: dataset/small cannot be written to" in refusal()


def test_a_file_is_read_as_what_it_is_whatever_its_name_ends_with(tmp_path):
    (tmp_path / "clicks.csv.gz").write_text("user,item\nu1,i1\nu2,i2\n")
    table = read_table(str(tmp_path / "clicks.csv.gz"))
    assert table.frame["item"].tolist() == ["i1", "i2"]


def test_no_digit_of_an_id_is_lost():
    """pandas reads a column of whole numbers with an empty cell as floats, which hold 15 digits."""
    clicks = pd.DataFrame({"user": [1234567890123456789, None, 1234567890123456787], "item": [1, 2, 3]}, dtype=float)
    assert refusal(clicks) == (
        "column user of clicks, row 1: 1234567890123456768 is too large for a float to hold all digits of an id; read "
        "the column as text, or as whole numbers (Int64), where it is read first"
    )


@pytest.mark.parametrize("dtype", ["float32", "Float32"])
@pytest.mark.parametrize("others", [[1, 2], [1, None]])
def test_no_digit_of_an_id_in_32_bits_is_lost(dtype, others):
    """From 2^24 on they hold every second whole number."""
    users = pd.array([*others, 16777217], dtype=dtype)
    assert "column user of clicks, row 3: 16777216 is too large for a float" in refusal(
        pd.DataFrame({"user": users, "item": [1, 2, 3]})
    )


@pytest.mark.parametrize("dtype", ["float32", "Float32"])
def test_no_second_of_a_time_in_32_bits_is_lost(dtype):
    times = pd.array([1700000000, 1700000030, None][: 2 if dtype == "float32" else 3], dtype=dtype)
    clicks = pd.DataFrame({"user": [1, 2, 3][: len(times)], "item": [1, 2, 3][: len(times)], "time": times})
    assert f"column time of clicks is {dtype.lower()}, which does not hold all digits of its times" in refusal(clicks)


@pytest.mark.parametrize("odd", [object(), memoryview(b"a"), bytearray(b"a"), 1 + 1j])
def test_objects_that_have_no_name_are_no_ids(odd):
    ids = pd.Series(["u1", odd], dtype=object)
    assert "column user of clicks, row 2: " in refusal(pd.DataFrame({"user": ids, "item": [1, 2]}))


def test_options_that_are_no_text():
    write_text("clicks.csv", "user,item\n1,2\n")
    for option in ("separator", "encoding"):
        with pytest.raises(DecRSError, match=f"{option} must be text, not 5"):
            imported("clicks.csv", **{option: 5})
