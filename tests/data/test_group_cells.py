import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_decrs import DecRSError
from recbole_decrs.data import group_cells
from recbole_decrs.data.group_cells import SEPARATORS, split_cells

NAMES = [["Books", "Health, Fitness & Dieting"], ["Children's Books"], ["Books"], [], ["NA", "null", "Books"]]


def written(names, form):
    """Cells as people write them; an item without a group has an empty cell."""
    write = {
        "list": repr,
        "set": lambda some: "{" + repr(some)[1:-1] + "}",
        "tuple": lambda some: repr(tuple(some)),
        "json": json.dumps,
        "quoted": lambda some: repr(some)[1:-1],
        "pipe": "|".join,
    }[form]
    return [write(some) if some else "" for some in names]


@pytest.mark.parametrize("kind", ["token", "token_seq"])
@pytest.mark.parametrize("form", ["list", "set", "tuple", "json", "quoted"])
def test_forms_that_are_certain(kind, form):
    found = split_cells(written(NAMES, form), kind)
    assert found.names == NAMES
    assert found.doubt is None
    assert found.form == ("quoted" if form == "quoted" else "list")


@pytest.mark.parametrize(
    ("cells", "names"),
    [
        (["a|b", "b", "c|a|b"], [["a", "b"], ["b"], ["c", "a", "b"]]),
        (["Science Fiction|Drama", "Drama", "Film Noir"], [["Science Fiction", "Drama"], ["Drama"], ["Film Noir"]]),
        (["a | b", "", "b||b"], [["a", "b"], [], ["b"]]),
    ],
)
@pytest.mark.parametrize("kind", ["token", "token_seq"])
def test_pipes(cells, names, kind):
    found = split_cells(cells, kind)
    assert found.names == names
    assert found.form == "pipe"


def test_as_recbole_reads():
    assert split_cells(["a b  c", "a", ""], "token_seq").names == [["a", "b", "c"], ["a"], []]
    assert split_cells(["Science Fiction", "NA", ""], "token").names == [["Science Fiction"], ["NA"], []]
    assert split_cells(["a;b", "b"], "token_seq", seq_separator=";").names == [["a", "b"], ["b"]]


@pytest.mark.parametrize(
    ("cells", "kind", "form"),
    [
        (["Action, Comedy", "Comedy"], "token_seq", "comma"),
        (["Action,Comedy", "Comedy"], "token_seq", "comma"),
        (["Health, Fitness & Dieting", "Books"], "token_seq", "comma"),
        (["a;b", "b;c"], "token_seq", "semicolon"),
        (["a/b", "b"], "token_seq", "slash"),
        (["a|b", "a b", "b"], "token_seq", "pipe"),
        (["a|b", "c|d"], "token", "pipe"),
        (["['a', 'b']", "a"], "token_seq", "list"),
        (["'a', 'b'", "a b"], "token_seq", "quoted"),
    ],
)
def test_what_is_not_certain_is_refused_with_the_remedy(cells, kind, form):
    with pytest.raises(DecRSError, match="group_format: .* not certain") as refused:
        split_cells(cells, kind)
    assert form in str(refused.value)
    assert split_cells(cells[:1], kind, form).names


@pytest.mark.parametrize(("cells", "kind"), [(["R&B/Soul", "Rock"], "token_seq"), (["a, b", "b"], "token")])
def test_a_doubt_is_told(cells, kind):
    assert "where it separates groups, set group_format" in split_cells(cells, kind).doubt


@pytest.mark.parametrize("cell", ["[['a'], ['b']]", "{'a': 0.5}", "['a' + 'b']", "['a", "[f('x')]", "[" * 9999])
def test_a_list_that_is_none(cell):
    with pytest.raises(DecRSError, match="not written as list"):
        split_cells([cell], "token_seq", "list")


def test_an_array_of_numpy_is_not_one_name():
    assert split_cells(["['Action' 'Comedy']"], "token_seq").names == [["Action", "Comedy"]]


text = st.text(st.characters(categories=("L", "N", "P", "S", "Zs"), exclude_characters="\\"), min_size=1, max_size=9)


@given(
    st.lists(st.lists(text.map(str.strip).filter(bool), min_size=1, max_size=4, unique=True), min_size=1, max_size=6)
)
def test_lists_quotes_and_json_come_back(names):
    for form in ("list", "json", "quoted"):
        assert split_cells(written(names, form), "token_seq", "quoted" if form == "quoted" else "list").names == names


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (["Arts & Crafts", "Books"], "'&' would be a group; set it to single"),
        (["Home > Kitchen", "Home"], "'>' would be a group"),
        (["[a b, c]", "d"], "not certain how names are written"),
        (["[{'id': 16, 'name': 'Animation'}]"], "not certain how names are written"),
    ],
)
def test_cells_that_a_split_at_blanks_would_misread(cells, message):
    with pytest.raises(DecRSError, match=message):
        split_cells(cells, "token_seq")


def test_numbers_as_numpy_prints_them():
    assert split_cells(["[1 2 3]", "[4]", "[ 5 6]"], "token_seq").names == [["1", "2", "3"], ["4"], ["5", "6"]]


@pytest.mark.parametrize("sign", ["+", "::", "&", "_", "-", "，"])
@pytest.mark.parametrize("kind", ["token", "token_seq"])
def test_names_that_other_signs_may_join(sign, kind):
    assert "have parts in common" in split_cells([f"Action{sign}Drama", "Drama"], kind).doubt


@pytest.mark.parametrize("form", ["space", "pipe", "comma", "semicolon", "slash"])
def test_a_separator_that_no_cell_holds(form):
    assert f"so each is one group; check {form}" in split_cells(["Action", "Drama"], "token_seq", form).doubt
    assert split_cells(["Action", f"Drama{SEPARATORS[form]}Horror"], "token_seq", form).doubt is None


def test_names_with_signs_of_their_own():
    assert split_cells(["Sci-Fi Film-Noir", "Children's", "Drama"], "token_seq").doubt is None


@pytest.mark.parametrize(
    ("cells", "names"),
    [
        (["frozenset({'A B', 'C'})", "frozenset()"], [["A B", "C"], []]),
        (["array(['A', 'B'], dtype=object)", "array([], dtype=object)"], [["A", "B"], []]),
        (["dict_keys(['A'])", "{'B'}"], [["A"], ["B"]]),
        (["['A', nan]", "nan"], [["A"], []]),
        (["['A', 'nan']", "None"], [["A", "nan"], []]),
    ],
)
@pytest.mark.parametrize("kind", ["token", "token_seq"])
def test_lists_as_python_and_pandas_write_them(cells, names, kind):
    found = split_cells(cells, kind)
    assert (found.names, found.form, found.doubt) == (names, "list", None)


def test_blanks_beside_a_separator_belong_to_no_name():
    found = split_cells(["Film Noir | Drama", "Drama |Film Noir"], "token_seq", "auto", "|")
    assert found.names == [["Film Noir", "Drama"], ["Drama", "Film Noir"]]


@pytest.mark.parametrize(
    ("cells", "such"),
    [
        (["Film Noir", "Science Fiction", "Film Noir"], "side by side, such as 'Film Noir'"),
        (["Film Noir  Science Fiction", "Drama"], "cells such as 'Film Noir  Science Fiction'"),
    ],
)
def test_words_of_one_name_are_a_doubt(cells, such):
    doubt = split_cells(cells, "token_seq").doubt
    assert such in doubt
    assert "another form that group_format knows" in doubt


def test_words_that_stand_apart_are_no_doubt():
    assert split_cells(["Film Noir", "Noir", "Drama Film", "Horror Action"], "token_seq").doubt is None


@settings(max_examples=500, deadline=None)
@given(
    st.lists(st.sampled_from(["'", '"', ", ", ",", " ", "a", "B'", "\\", "\n", "'a'", '"b c"', "é"]), max_size=9).map(
        "".join
    )
)
def test_cells_quoted_plainly_are_read_as_others_are(cell):
    assert group_cells._quoted(cell) == group_cells._items(cell, bare=False)


@pytest.mark.parametrize("blank", ["\xa0", "\u3000", "\u2009", "\u200b", "\t"])
def test_blanks_that_do_not_separate_are_a_doubt_where_they_may(blank):
    cells = [f"comedy{blank}drama", "comedy", "drama war"]
    assert "have parts in common" in split_cells(cells, "token_seq").doubt
    assert split_cells(["film" + blank + "noir", "comedy", "drama war"], "token_seq").doubt is None


@pytest.mark.parametrize(
    ("cells", "form", "seq_separator"),
    [
        (["comedy|drama", "drama|war", "comedy,war", "war"], "pipe", " "),
        (["comedy|drama", "drama|war", "comedy; war"], "pipe", " "),
        (['["comedy|drama"]', '["comedy"]', '["war|drama"]', '["war"]'], "list", " "),
        (["['comedy, drama']", "['drama', 'comedy']"], "list", " "),
        (["[comedy|drama]", "[drama|comedy]"], "list", " "),
        (["comedy|drama", "drama", "comedy"], "seq_separator", ","),
    ],
)
def test_names_that_consist_of_others_are_a_doubt(cells, form, seq_separator):
    found = split_cells(cells, "token_seq", seq_separator=seq_separator)
    assert found.form == form
    assert "consist of parts that stand in others too" in found.doubt


@pytest.mark.parametrize(
    "cells",
    [
        ["'Arts, Crafts & Sewing', 'Books'", "'Arts, Music & Photography'", "'Books', 'Music'"],
        ["Action|Sci-Fi", "Sci-Fi|Children's", "Film-Noir|Action"],
        ["Action/Adventure|War", "Action|War"],
    ],
)
def test_names_with_signs_of_their_own_are_no_doubt(cells):
    assert split_cells(cells, "token_seq").doubt is None


def test_each_sign_that_may_separate_is_named():
    cells = [
        "Books; Mystery, Thriller & Suspense",
        "Books; Crime",
        "Crime; Mystery, Thriller & Suspense",
        "Books, Crime",
    ]
    with pytest.raises(DecRSError, match=r"not certain that ',' or ';' separates .* set it to comma or semicolon, or"):
        split_cells(cells, "token_seq")


def test_names_that_blanks_alone_tell_apart_are_counted():
    found = split_cells([" war", "war", "war ", "drama"], "token")
    assert found.names == [["war"], ["war"], ["war"], ["drama"]]
    assert found.doubt.startswith("2 groups of the group column differ from others in blanks at their ends alone")
