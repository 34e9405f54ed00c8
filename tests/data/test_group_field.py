import logging
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recbole_decrs import DecRSError
from recbole_decrs.data.atomic_files import AtomicFile
from recbole_decrs.data.group_field import read_membership

IDS = {"[PAD]": 0, "a": 1, "b": 2, "c": 3}


def write(tmp_path, kind, values, items=("b", "a", "c")):
    path = tmp_path / "x.item"
    pd.DataFrame({"item_id:token": items, f"group:{kind}": values}).to_csv(path, sep="\t", index=False)
    return AtomicFile(str(path))


def test_token(tmp_path):
    names, membership = read_membership(
        write(tmp_path, "token", ["drama film", "comedy", None]), "item_id", "group", IDS
    )
    assert names == ("drama film", "comedy")
    np.testing.assert_array_equal(membership.toarray(), [[0, 0], [0, 1], [1, 0], [0, 0]])


def test_token_seq(tmp_path):
    path = write(tmp_path, "token_seq", ["drama comedy", "comedy  comedy", ""])
    names, membership = read_membership(path, "item_id", "group", IDS)
    assert names == ("drama", "comedy")
    np.testing.assert_array_equal(membership.toarray(), [[0, 0], [0, 1], [0.5, 0.5], [0, 0]])


def test_float_seq(tmp_path):
    names, membership = read_membership(write(tmp_path, "float_seq", ["1 3", "2", "0 0"]), "item_id", "group", IDS)
    assert names == ("0", "1")
    np.testing.assert_array_equal(membership.toarray(), [[0, 0], [1, 0], [0.25, 0.75], [0, 0]])


def test_items_of_other_files_and_repeated_items_are_passed_over(tmp_path):
    path = write(tmp_path, "token", ["x", "x", "z"], items=("a", "a", "unknown"))
    names, membership = read_membership(path, "item_id", "group", IDS)
    assert names == ("x",)
    np.testing.assert_array_equal(membership.toarray()[:, 0], [0, 1, 0, 0])


def test_items_that_differ_or_never_match_are_refused(tmp_path):
    path = write(tmp_path, "token", ["x", "y", "z"], items=("a", "a", "b"))
    with pytest.raises(DecRSError, match=r"line 3: item_id a has another row with other values"):
        read_membership(path, "item_id", "group", IDS)
    Path(path.path).write_text("item_id:token\tgroup:token\n\na\tx\n\n\na\ty\n")
    with pytest.raises(DecRSError, match=r"line 6: item_id a has another row with other values"):
        read_membership(path, "item_id", "group", IDS)
    path = write(tmp_path, "token", ["x", "y", "z"], items=("A", "B", "C"))
    with pytest.raises(DecRSError, match=r"no item_id of the clicks, such as 'a', has a row in .* such as 'A'; write"):
        read_membership(path, "item_id", "group", IDS)


def test_cells_with_fewer_weights_are_told(tmp_path, caplog):
    path = write(tmp_path, "float_seq", ["1 2", "1", "3 4"])
    read_membership(path, "item_id", "group", IDS)
    assert "has 1 to 2 weights in a cell; those that are missing at its end are 0" in caplog.text


def test_a_weight_after_an_empty_place_is_nobodys(tmp_path):
    path = write(tmp_path, "float_seq", ["1,2,", "0.5,,0.5", ",1"])
    with pytest.raises(
        DecRSError, match="has a cell '0.5,,0.5', with nothing before a weight, so that it is not certain"
    ):
        read_membership(path, "item_id", "group", IDS, seq_separator=",")
    path = write(tmp_path, "float_seq", ["1,2,", "0.5,0,0.5", "0,1"])
    membership = read_membership(path, "item_id", "group", IDS, seq_separator=",")[1].toarray()
    assert sorted(membership[1:].tolist()) == sorted([[1 / 3, 2 / 3, 0], [0.5, 0, 0.5], [0, 1, 0]])


@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        ("token", [None, None, None], "no item .* has a value in column group"),
        ("float", [1.0, 2.0, 3.0], "is float, not token, token_seq or float_seq"),
        ("float_seq", ["1 x", "1", "1"], "must hold finite numbers >= 0"),
        ("float_seq", ["-1 2", "1", "1"], "must hold finite numbers >= 0"),
        ("float_seq", ["nan 2", "1", "1"], "must hold finite numbers >= 0"),
        ("float_seq", ["0", "0", "0"], "no item has a weight above 0"),
        ("number", ["1", "2", "3"], "first line must name columns as name:type"),
    ],
)
def test_what_cannot_define_groups(tmp_path, kind, values, message):
    with pytest.raises(DecRSError, match=message):
        read_membership(write(tmp_path, kind, values), "item_id", "group", IDS)


def test_missing_column_lists_the_columns(tmp_path):
    with pytest.raises(DecRSError, match=r"group_field: .* has no column genre; its columns are item_id, group"):
        read_membership(write(tmp_path, "token", ["x", "y", "z"]), "item_id", "genre", IDS)


def test_one_line_tells_what_was_read(tmp_path, caplog):
    with caplog.at_level(logging.INFO):
        read_membership(write(tmp_path, "token_seq", ["a b c", "d e f", "b"]), "item_id", "group", IDS)
    assert (
        "6 groups read (group of x.item, space): a, b, c, d, e, ...; an item has 1 to 3, 2.33 on average" in caplog.text
    )
