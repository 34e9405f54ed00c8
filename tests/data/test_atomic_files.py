import codecs
import csv

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_decrs import DecRSError
from recbole_decrs.data.atomic_files import AtomicFile

HEADER = "item_id:token\ttitle:token_seq\tprice:float\n"
ROWS = HEADER + "a\tone two\t1.5\nb\t\t\nNA\tnull\t2\n"


def written(tmp_path, text, encoding="utf-8", mark=b""):
    path = tmp_path / "x.item"
    path.write_bytes(mark + text.encode(encoding))
    return str(path)


def read(path, **options):
    file = AtomicFile(path, **options)
    return file.read(file.columns)


def test_columns_and_cells(tmp_path):
    table = read(written(tmp_path, ROWS))
    assert table["item_id"].tolist() == ["a", "b", "NA"]
    assert table["title"].fillna("-").tolist() == ["one two", "-", "null"]
    np.testing.assert_array_equal(table["price"], [1.5, np.nan, 2])
    assert AtomicFile(written(tmp_path, ROWS)).columns == {"item_id": "token", "title": "token_seq", "price": "float"}
    assert AtomicFile(written(tmp_path, ROWS)).read(["price"]).columns.tolist() == ["price"]


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [
        ("utf-8", codecs.BOM_UTF8),
        ("utf-16-le", codecs.BOM_UTF16_LE),
        ("utf-16-be", codecs.BOM_UTF16_BE),
        ("utf-32-le", codecs.BOM_UTF32_LE),
    ],
)
@pytest.mark.parametrize("given", [None, "utf-8", "latin-1"])
def test_a_byte_order_mark_tells_the_encoding(tmp_path, encoding, mark, given):
    path = written(tmp_path, ROWS.replace("one", "Amélie"), encoding, mark)
    table = read(path, encoding=given)
    assert table["item_id"].tolist() == ["a", "b", "NA"]
    assert table["title"][0] == "Amélie two"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends(tmp_path, end):
    pd.testing.assert_frame_equal(read(written(tmp_path, ROWS.replace("\n", end))), read(written(tmp_path, ROWS)))


def test_latin_1(tmp_path):
    path = written(tmp_path, ROWS + "c\tAmélie\t3\n", "latin-1")
    assert read(path, encoding="latin-1")["title"].tolist()[-1] == "Amélie"
    with pytest.raises(DecRSError, match=r"x\.item, line 5, is not text in utf-8; set encoding .* --encoding=latin-1"):
        read(path)
    with pytest.raises(DecRSError, match="no encoding named foo"):
        read(path, encoding="foo")


@pytest.mark.parametrize(
    "header",
    [
        "item_id\ttitle\tprice",
        "item_id:token\ttitle",
        "item_id:token,title:token",
        "item_id:word",
        "",
        "1\t2\t3",
        "item_id:token\titem_id:token",
    ],
)
def test_a_first_line_that_names_no_columns(tmp_path, header):
    with pytest.raises(DecRSError, match=r"x\.item: the first line (must name columns as name:type|names the column)"):
        AtomicFile(written(tmp_path, header + "\na\tb\t3\n"))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ('a\t"Heroes\t1\nb\tx\t2\n', "line 2: a cell begins with a quotation mark"),
        ('a\tx\t1\nb\t"Heroes" of old\t2\n', "line 3: a cell begins with a quotation mark"),
        ('a\t"Heroes\t1\nb\tx\t2\nc\tHeroes"\t3\n', "line 2: a cell begins with a quotation mark"),
        ("a\tx\t1\nb\tx\ty\t2\n", "line 3: 4 cells under 3 columns"),
        ('a\t"x"\t1\nb\tx\ty\t2\n', "line 3: 4 cells under 3 columns"),
        ("a\tx\t1\nb\tx\t2021-01-01\n", "line 3: price is '2021-01-01', which is no number"),
        ("a\tx\t1\n\nb\tx\t1,5\n", "line 4: price is '1,5', which is no number"),
        ('a\t"two\nlines"\t1\nb\tx\t1,5\n', "line 4: price is '1,5', which is no number"),
        ("a\tx\tinf\n", "line 2: price is infinite"),
        ("a\tx\t1\n\n\nb\tx\tinf\n", "line 5: price is infinite"),
        ("a\tx\t1\n  \n \r\nb\tx\tinf\n", "line 5: price is infinite"),
        ('a\t"x"\t1\n  \nb\tx\tinf\n', "line 4: price is infinite"),
        ("a\tx\t1\n  \nb\tx\tsome\n", "line 4: price is 'some'"),
        ('\na\t"two\nlines"\t1\r\n\r\nb\tx\tinf\n', "line 6: price is infinite"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(tmp_path, rows, message):
    with pytest.raises(DecRSError, match=rf"x\.item, {message}"):
        read(written(tmp_path, HEADER + rows))


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "cp037"])
def test_letters_whose_bytes_look_like_separators(tmp_path, encoding):
    file = AtomicFile(written(tmp_path, HEADER + "a\tone\t1\n", encoding), encoding=encoding)
    assert file.read(file.columns)["title"].tolist() == ["one"]
    if encoding != "cp037":
        file = AtomicFile(written(tmp_path, HEADER + "a\tĊĉ∢\t1\n", encoding), encoding=encoding)
        assert file.read(file.columns)["title"].tolist() == ["Ċĉ∢"]
        with pytest.raises(DecRSError, match=r"x\.item is not text in utf-8; set encoding"):
            AtomicFile(file.path)


def test_short_lines_are_counted(tmp_path):
    file = AtomicFile(written(tmp_path, HEADER + "a\tx\nb\tx\t2\n\nc\n"))
    table = file.read(file.columns)
    assert file.n_short == 2
    np.testing.assert_array_equal(table["price"], [np.nan, 2, np.nan])


def test_quoted_cells_may_hold_anything(tmp_path):
    path = written(tmp_path, HEADER + 'a\t"a ""b""\tc"\t1\nb\t"two\nlines"\t2\n')
    assert read(path)["title"].tolist() == ['a "b"\tc', "two\nlines"]


def test_a_quotation_mark_within_a_cell_is_one(tmp_path):
    assert read(written(tmp_path, HEADER + 'a\tSay "x"\t1\n'))["title"].tolist() == ['Say "x"']


letters = st.characters(categories=("L", "N", "P", "S", "Zs"), include_characters='"\n\t')
tables = st.lists(
    st.tuples(st.text("abc", min_size=1), st.text(letters), st.floats(allow_nan=False, allow_infinity=False))
)


@settings(max_examples=150)
@given(tables.filter(bool))
def test_what_pandas_writes_comes_back(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("x") / "x.item"
    table = pd.DataFrame(rows, columns=["item_id:token", "title:token", "price:float"])
    table.to_csv(path, sep="\t", index=False)
    swallowed = table["title:token"].map(lambda cell: "\t" in cell and "\n" in cell)
    if swallowed.any():  # a title with tabs and line ends looks like a stray quotation mark
        with pytest.raises(DecRSError, match="quotation mark"):
            read(str(path))
        return
    found = read(str(path))
    assert found["item_id"].tolist() == table["item_id:token"].tolist()
    assert found["title"].fillna("").tolist() == table["title:token"].tolist()
    assert found["price"].tolist() == table["price:float"].tolist()


@given(st.lists(st.lists(st.text("ab", max_size=2), min_size=1, max_size=4), min_size=1, max_size=6))
def test_the_counted_widths_are_those_of_the_csv_module(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("x") / "x.item"
    path.write_text("a:token\tb:token\n" + "".join("\t".join(row) + "\n" for row in rows))
    file = AtomicFile(str(path))
    with open(path, newline="") as lines:
        widths = [len(row) for row in csv.reader(lines, delimiter="\t")][1:]
    if max(widths) > 2:
        with pytest.raises(DecRSError, match=f"line {next(i for i, w in enumerate(widths) if w > 2) + 2}: "):
            file.read(["a"])
    else:
        file.read(["a"])
        assert file.n_short == widths.count(1)


@pytest.mark.parametrize(("letter", "name"), [("\0", "a byte of zero"), ("\ufeff", "a byte-order mark")])
def test_letters_that_nobody_sees(tmp_path, letter, name):
    path = tmp_path / "x.item"
    path.write_text(f"item_id:token\tgenre:token\na\tx\nb\tDra{letter}ma\n", encoding="utf-8")
    with pytest.raises(DecRSError, match=rf"x\.item, line 3: there is {name} in the text; take it out"):
        AtomicFile(str(path)).read(["item_id"])


@pytest.mark.parametrize("order", ["utf-16-le", "utf-16-be"])
def test_two_bytes_a_letter_without_a_mark(tmp_path, order):
    path = tmp_path / "x.item"
    path.write_text("item_id:token\tgenre:token\na\tx\n", encoding=order)
    with pytest.raises(DecRSError, match=r"x\.item .*set .*encoding=utf-16"):
        AtomicFile(str(path)).read(["item_id"])
    assert AtomicFile(str(path), encoding=order).read(["genre"])["genre"].tolist() == ["x"]


@pytest.mark.parametrize("separator", ["||", "::", ".*"])
def test_a_separator_of_several_signs_is_no_pattern(tmp_path, separator):
    path = tmp_path / "some.inter"
    lines = ["user_id:token,rating:float", "u1,4", "u2,"]
    path.write_text("\n".join(lines).replace(",", separator) + "\n")
    table = AtomicFile(str(path), separator).read(["user_id", "rating"])
    assert table["user_id"].tolist() == ["u1", "u2"]
    assert table["rating"].tolist()[0] == 4
    path.write_text("\n".join([*lines, "u3,4,5"]).replace(",", separator) + "\n")
    with pytest.raises(DecRSError, match=r"some\.inter, line 4: 3 cells under 2 columns; take the separator"):
        AtomicFile(str(path), separator).read(["user_id", "rating"])
