import sys

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_decrs import DecRSError
from recbole_decrs.config import DecRSConfig
from recbole_decrs.data import atomic_files, line_widths, plain_files
from recbole_decrs.data.atomic_files import AtomicFile
from recbole_decrs.data.loading import as_recbole_reads
from recbole_decrs.data.preparation import create_dataset

pytest.importorskip("polars")
HEADER = "item_id:token\ttitle:token_seq\tprice:float\tweights:float_seq\n"
PLAIN = HEADER + "a\tone Amélie\t1.5\t1 2\nb\t\t\t\nNA\tnull\t2\t0.5\na\tone Amélie\t-1e-7\t1\n"


def written(folder, text):
    path = folder / "x.item"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


def outcome(path, separator, names=None):
    """The table and the number of short lines that a file gives, or the sentence by which it is refused."""
    try:
        file = AtomicFile(path, separator)
        return file.read(file.columns if names is None else names), file.n_short
    except DecRSError as error:
        return str(error)


def by_both_ways(path, separator="\t", names=None):
    """The outcomes by way of polars, where it takes the file, and by pandas; and whether polars took it."""
    taken = []

    def watched(*given):
        table = plain_files.read_plain(*given)
        taken.append(table is not None)
        return table

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(atomic_files, "LARGE", 0)
        patch.setattr(atomic_files, "read_plain", watched)
        found = outcome(path, separator, names)
        patch.setattr(atomic_files, "read_plain", lambda *_: None)
        wanted = outcome(path, separator, names)
    return found, wanted, any(taken)


def assert_same(found, wanted):
    if isinstance(wanted, str):
        assert found == wanted
        return
    pd.testing.assert_frame_equal(found[0], wanted[0], check_exact=True)
    assert found[1] == wanted[1]


@pytest.mark.parametrize("names", [None, ["price"], ["weights", "item_id"], []])
@pytest.mark.parametrize("text", [PLAIN, PLAIN.removesuffix("\n")])
def test_a_plain_file_is_read_by_polars(tmp_path, text, names):
    found, wanted, taken = by_both_ways(written(tmp_path, text), names=names)
    assert taken == (names != [])
    assert_same(found, wanted)


@pytest.mark.parametrize("rows", ['a\t5" x 3"\t1\t\n', "a\t'B', \"C's\"\t\t1\"\n", 'a"\t"\t\t\n'])
def test_only_a_cell_that_begins_with_a_mark_is_quoted(tmp_path, rows):
    found, wanted, taken = by_both_ways(written(tmp_path, HEADER + rows))
    assert taken == ('\t"' not in rows)
    assert_same(found, wanted)


def test_a_mark_at_the_seam_of_two_blocks(tmp_path, monkeypatch):
    path = written(tmp_path, 'a:token\tb:token\nx\t"y"\n')
    for n_bytes in range(1, 30):
        monkeypatch.setattr(line_widths, "BYTES_AT_ONCE", n_bytes)
        assert not plain_files.is_plain(path, "\t", 2)


def test_columns_are_numbered_when_asked(tmp_path, monkeypatch):
    monkeypatch.setattr(atomic_files, "LARGE", 0)
    file = AtomicFile(written(tmp_path, PLAIN))
    plain, numbered = file.read(["item_id", "title"]), file.read(["item_id", "title"], ["title"])
    assert isinstance(numbered["title"].dtype, pd.CategoricalDtype)
    assert sorted(numbered["title"].cat.categories) == ["null", "one Amélie"]
    as_recbole_reads(numbered)
    pd.testing.assert_frame_equal(numbered, plain)


def test_texts_with_the_same_hash_are_told_apart(monkeypatch):
    polars = pytest.importorskip("polars")
    hashed = polars.Series.hash
    monkeypatch.setattr(polars.Series, "hash", lambda of, seed: of.str.len_bytes() if seed < 2 else hashed(of, seed))
    texts, places = plain_files._numbered(polars.Series(["ab", None, "b", "ba", "ab"]))
    assert texts == ["ab", "b", "ba"]
    assert places.tolist() == [0, -1, 1, 2, 0]


ids = st.sampled_from([f"{letter}{place}" for letter in "ab" for place in range(4)] + ["NA", "nan"])
clicks = st.lists(st.tuples(ids, ids, st.integers(0, 9)), min_size=1, max_size=40)


@settings(max_examples=60, deadline=None)
@given(clicks, st.sets(ids, min_size=1), st.integers(0, 3), st.booleans(), st.booleans(), st.sampled_from("TF"))
def test_a_dataset_is_the_same_by_both_ways(tmp_path_factory, rows, items, least, with_rows_alone, once, mark):
    folder = tmp_path_factory.mktemp("data")
    (folder / "x").mkdir()
    groups = {item: ["'A'", "'A', \"B's\"", "'C'", ""][len(item) % 4 - place % 3] for place, item in enumerate(items)}
    cells = "\n".join(f"{item}\t{cell}" for item, cell in groups.items())
    (folder / "x" / "x.item").write_text(f"item_id:token\tclass:token_seq\n{cells}\n")
    lines = "\n".join(f"{user}\t{item}\t{time}\t{mark}" for user, item, time in rows)
    (folder / "x" / "x.inter").write_text(f"user_id:token\titem_id:token\ttimestamp:float\tmark:token\n{lines}\n")
    chosen = {
        "data_path": str(folder),
        "load_col": None,
        "group_field": "class",
        "user_inter_num_interval": f"[{least},inf)",
        "item_inter_num_interval": f"[{least - 1},inf)" if least else None,
        "filter_inter_by_user_or_item": with_rows_alone,
        "rm_dup_inter": "first" if once else None,
        "val_interval": {"mark": ["T"]},
        "state": "error",
    }

    def read():
        try:
            return create_dataset(DecRSConfig("DecFM", "x", config_dict=chosen))
        except DecRSError as error:
            return str(error)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(atomic_files, "LARGE", 0)
        found = read()
        patch.setattr(atomic_files, "read_plain", lambda *_: None)
        wanted = read()
    if isinstance(wanted, str):
        assert found == wanted
        return
    assert found.field2seqlen == wanted.field2seqlen
    for field, tokens in wanted.field2id_token.items():
        assert found.field2id_token[field].tolist() == tokens.tolist()
    for name in ("inter_feat", "item_feat"):
        mine, theirs = getattr(found, name), getattr(wanted, name)
        assert {field: str(column.dtype) for field, column in mine.interaction.items()} == {
            field: str(column.dtype) for field, column in theirs.interaction.items()
        }
        for field, column in theirs.interaction.items():
            assert mine[field].tolist() == column.tolist()


@pytest.mark.parametrize(
    "rows",
    [
        'a\t"x"\t1\t\n',
        "a\tx\t1\t\r\nb\ty\t2\t\r\n",
        "a\tx\t1\t\n\nb\ty\t2\t\n",
        "a\tx\t1\nb\ty\t2\t\n",
        "a\tx\t1\t\t\nb\ty\t2\t\n",
        "a\tx\t1\t\t\nb\ty\t2\n",
        "a\tx\t1\t\nb\ty\t2\n",
        "a\tx\tNA\t\n",
        "a\tx\tinf\t\n",
        "a\tx\tnan\t\n",
        "a\tx\t1_0\t\n",
        "a\tx\tten\t\n",
        "a\tx\0\t1\t\n",
        "a\tx\ufeff\t1\t\n",
        "a\tx\xe9".encode("latin-1") + b"\t1\t\n",
        b"a\t\xc3",
    ],
)
def test_anything_else_is_left_to_pandas(tmp_path, rows):
    rows = rows if isinstance(rows, bytes) else rows.encode()
    found, wanted, taken = by_both_ways(written(tmp_path, HEADER.encode() + rows))
    assert not taken
    assert_same(found, wanted)


letters = st.text(st.sampled_from("ab é♥ \x0b\x1c\x85\u2028'#\\/-"), max_size=4)
odd = st.sampled_from(['"', '"a"', "\r", "\0", "\ufeff", "\n", "\t", ",", "NA", "nan", "None", "\x1a"])
others = st.text(st.integers(0, 0x10FFFF).map(chr), max_size=3)
texts = st.one_of(letters, letters, letters, others, odd)
digits = st.text("0123456789", max_size=25)
numbers = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.integers(-(2**70), 2**70).map(str),
    st.builds(
        "{}{}.{}{}".format, st.sampled_from(["", "-", "+"]), digits, digits, st.sampled_from(["", "e5", "E-310"])
    ),
    st.just(""),
)
odd_numbers = st.one_of(
    st.text(" +-.0123456789eEdxinfa_,", max_size=6),
    st.sampled_from(["NA", "inf", "-Infinity", "nan", "1e999", "1e-999", "0x10", "1_0", "１", " 1", "1 ", "--1"]),
)
KINDS = ["token", "token_seq", "float_seq", "float"]


@st.composite
def tables(draw):
    kinds = draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=4))
    is_odd = draw(st.booleans())
    cells = [(numbers | odd_numbers if is_odd else numbers) if kind == "float" else texts for kind in kinds]
    if not is_odd:
        cells = [cell if kind == "float" else letters for cell, kind in zip(cells, kinds, strict=True)]
    rows = draw(st.lists(st.tuples(*cells), max_size=6))
    separator = draw(st.sampled_from("\t,;|"))
    header = [f"c{place}:{kind}" for place, kind in enumerate(kinds)]
    lines = [separator.join(row) for row in [header, *rows]]
    wanted = draw(st.lists(st.sampled_from(range(len(kinds))), unique=True))
    return "\n".join(lines) + draw(st.sampled_from(["", "\n"])), separator, [f"c{place}" for place in wanted]


@settings(max_examples=400, deadline=None)
@given(tables())
def test_both_ways_give_the_same(tmp_path_factory, table):
    text, separator, names = table
    path = written(tmp_path_factory.mktemp("x"), text.encode("utf-8", "surrogatepass"))
    found, wanted, _ = by_both_ways(path, separator, names)
    assert_same(found, wanted)


@settings(deadline=None)
@given(st.text("ab\t\n", max_size=30), st.integers(1, 7))
def test_lines_are_counted_across_blocks(tmp_path_factory, rows, n_bytes):
    path = written(tmp_path_factory.mktemp("x"), "a:token\tb:token\n" + rows)
    whole = [line.count("\t") == 1 for line in rows.removesuffix("\n").split("\n")] if rows else []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(line_widths, "BYTES_AT_ONCE", n_bytes)
        assert plain_files.is_plain(path, "\t", 2) == all(whole)


def test_a_small_file_and_a_machine_without_polars(tmp_path, monkeypatch):
    path = written(tmp_path, PLAIN)
    monkeypatch.setattr(atomic_files, "read_plain", lambda *_: pytest.fail("polars for a small file"))
    wanted = outcome(path, "\t")
    monkeypatch.undo()
    monkeypatch.setitem(sys.modules, "polars", None)
    found, _, taken = by_both_ways(path)
    assert not taken
    assert_same(found, wanted)
