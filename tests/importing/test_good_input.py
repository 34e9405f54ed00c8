"""Good input of every form comes to the same files, and a run reads from these the clicks that were given."""

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from imports import CLICKS, ITEMS, USERS, imported, read_back, with_column, write_text
from recbole_decrs import DecRSError
from recbole_decrs.config import DecRSConfig
from recbole_decrs.data.preparation import create_dataset
from recbole_decrs.importing import import_data

TABLES = {"clicks": CLICKS, "items": ITEMS, "users": USERS}


def text(separator, **options):
    def write(name, table):
        return write_text(f"{name}.txt", table.to_csv(sep=separator, index=False), **options)

    return write


def two_colons(name, table):
    lines = table.astype(str).agg("::".join, axis=1)
    return write_text(f"{name}.dat", "\n".join(["::".join(table.columns), *lines]) + "\n")


def packed(name, table):
    Path(f"{name}.csv.gz").write_bytes(gzip.compress(table.to_csv(index=False).encode()))
    return f"{name}.csv.gz"


def parquet(name, table):
    pl.DataFrame(table.to_dict("list")).write_parquet(f"{name}.parquet")
    return f"{name}.parquet"


FORMS = {
    "row numbers": lambda name, table: write_text(f"{name}.csv", table.to_csv()),
    "commas": text(","),
    "tabs": text("\t"),
    "semicolons": text(";"),
    "pipes": lambda name, table: text("|")(name, table),
    "two colons": two_colons,
    "a byte-order mark": text(",", encoding="utf-8-sig"),
    "UTF-16": text(",", encoding="utf-16"),
    "gzip": packed,
    "Parquet": parquet,
    "pandas": lambda name, table: table,
    "pandas, whole numbers": lambda name, table: table.assign(
        **{column: table[column].astype(int) for column in table if column in ("userId", "movieId")}
    ),
    "polars": lambda name, table: pl.DataFrame(table.to_dict("list")),
}


@pytest.fixture
def expected(tmp_path):
    import_data(*TABLES.values(), dataset="small", data_path="expected")
    return {path.name: path.read_bytes() for path in Path("expected/small").iterdir()}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_comes_to_the_same_files(form, expected):
    sources = {name: FORMS[form](name, table) for name, table in TABLES.items()}
    done = imported(*sources.values())
    found = {
        path.name: path.read_bytes().replace(b".0\n", b"\n").replace(b".0\t", b"\t")
        for path in Path("dataset/small").iterdir()
    }
    assert found == {
        name: content.replace(b".0\n", b"\n").replace(b".0\t", b"\t") for name, content in expected.items()
    }
    assert done.group_field == "genres"


def test_the_files_hold_what_was_given():
    imported(*TABLES.values())
    inter, types = read_back("inter")
    assert types == {"user_id": "token", "item_id": "token", "rating": "float", "timestamp": "float"}
    np.testing.assert_array_equal(inter.to_numpy(), CLICKS.to_numpy())
    items, types = read_back("item")
    assert types == {"item_id": "token", "title": "token", "genres": "token_seq"}
    assert items["title"].tolist() == ITEMS["title"].tolist()
    assert items["genres"].tolist() == ["Comedy|Drama", "Comedy|Science Fiction", "Drama"]
    users, types = read_back("user")
    assert types == {"user_id": "token", "age": "token", "height": "float"}
    assert users["height"].tolist() == [1.5, 1.75, 2.0]


def test_a_file_without_names_has_columns_by_number():
    clicks = write_text("ratings.dat", "1::10::5::978300760\n2::20::3::978302109\n2::10::4::978301968\n")
    items = write_text("movies.dat", "10::Élan (1995)::Animation|Comedy\n20::Heat::Comedy\n", encoding="latin-1")
    numbers = {"user": "1", "item": "2", "rating": "3", "time": "4", "item_in_items": "1", "title": "2", "groups": "3"}
    done = imported(clicks, items, encoding="latin-1", **numbers)
    assert read_back("inter")[0]["user_id"].tolist() == ["1", "2", "2"]
    items = read_back("item")[0]
    assert items["title"].tolist() == ["Élan (1995)", "Heat"]
    assert items[done.group_field].tolist() == ["Animation Comedy", "Comedy"]


def test_columns_are_given_by_name():
    clicks = CLICKS.rename(columns={"userId": "who", "movieId": "what", "timestamp": "at"})
    items = ITEMS.rename(columns={"movieId": "id", "genres": "kinds of film"})
    given = {"user": "who", "item": "what", "time": "at", "item_in_items": "id", "groups": "kinds of film"}
    assert imported(clicks, items, **given).group_field == "kinds_of_film"
    assert len(read_back("inter")[0]) == len(CLICKS)


def test_a_title_of_several_lines_is_one_line():
    clicks = write_text("clicks.csv", CLICKS.to_csv(index=False))
    items = with_column(ITEMS, "title", ["Two, or\nmore\tlines", "b", " c "])
    done = imported(clicks, write_text("items.csv", items.to_csv(index=False)))
    assert read_back("item")[0]["title"].tolist() == ["Two, or more lines", "b", "c"]
    assert "  1 cell with tabs or line ends, which are blanks now" in done.told


def test_what_is_left_out_is_counted():
    clicks = pd.concat([CLICKS, CLICKS.iloc[[0, 0]], CLICKS.iloc[[1]].assign(timestamp=964981248)], ignore_index=True)
    clicks.loc[[2, 4], "userId"] = [" 2 ", ""]
    clicks.loc[3, "rating"] = np.nan
    clicks = clicks.assign(session=1)
    items = pd.concat([ITEMS.iloc[:2], ITEMS.iloc[[0]]], ignore_index=True)
    items.loc[len(items)] = ["40", "Idle", ""]
    items.loc[len(items)] = [None, "Nobody's", "Drama"]
    told = "\n".join(imported(clicks, items).told)
    for line in (
        "clicks: 5 clicks of 2 users on 3 items, 2000-07-30 to 2015-10-24 (timestamp: seconds)",
        "  1 row without a user or an item left out, the first in row 5",
        "  2 rows left out that are there already, time and all",
        "  1 click of a user on an item clicked before (--rm_dup_inter=first keeps the first alone)",
        "  not taken: session",
        "  ratings 3.5 to 5, 1 missing: each row counts as a click",
        "items: 3 items, 3 groups (genres, pipe): Comedy, Drama, Science Fiction; an item has 2 to 2; 1 item without",
        "  1 row without an id left out, the first in row 5",
        "  1 row of ids that have a row already, joined with it",
        "  1 click of clicks on items that are not in items, such as 30; runs that load items leave them out",
        "  1 item without a click",
    ):
        assert line in told
    assert read_back("inter")[0]["user_id"].tolist() == ["1", "1", "2", "2", "1"]


@pytest.mark.parametrize("flags", [[0, 1, 0], [False, True, True], ["1", "0", None]])
def test_a_column_that_may_be_labels_is_told(flags):
    clicks = pd.DataFrame({"user": [1, 1, 2], "item": [1, 2, 2], "n": [1, 1, 1], "tag": [[0], [1], 0]})
    assert not any("counts as a click" in line for line in imported(clicks).told)
    told = imported(clicks.assign(is_click=flags, liked=[1, 1, 0])).told
    assert any("is_click and liked have 0s and 1s alone: give --label=is_click where" in line for line in told)


ids = st.text("ab7 é|,\"'", min_size=1, max_size=3).map(str.strip).filter(bool)
moments = st.floats(4e8, 4e9).map(lambda seconds: round(seconds, 3)) | st.integers(400_000_000, 4_000_000_000)


@hypothesis_settings(max_examples=25, phases=[Phase.generate])
@given(data=st.data(), n=st.integers(3, 12), library=st.sampled_from([pd.DataFrame, pl.DataFrame, "csv"]))
def test_a_run_reads_the_clicks_that_were_given(tmp_path_factory, data, n, library):
    folder = tmp_path_factory.mktemp("round")
    clicks = {
        "user": data.draw(st.lists(ids, min_size=n, max_size=n)),
        "item": data.draw(st.lists(ids, min_size=n, max_size=n, unique=True)),
        "time": list(map(float, data.draw(st.lists(moments, min_size=n, max_size=n)))),
    }
    if library == "csv":
        source = write_text(folder / "clicks.csv", pd.DataFrame(clicks).to_csv(index=False))
    else:
        source = library(clicks)
    import_data(source, dataset="round", data_path=str(folder), separator="," if library == "csv" else None)
    config = DecRSConfig(
        "BPR",
        "round",
        config_dict={
            "data_path": str(folder),
            "metrics": ["Recall"],
            "topk": [2],
            "valid_metric": "Recall@2",
            "show_progress": False,
        },
    )
    part = create_dataset(config)
    found = zip(
        *(part.id2token(field, part.inter_feat[field].to_numpy()) for field in ("user_id", "item_id")),
        part.inter_feat["timestamp"].to_numpy(),
        strict=True,
    )
    expected = zip(*clicks.values(), strict=True)
    assert sorted(found) == sorted(expected)


def test_ids_are_called_as_among_the_clicks_first():
    imported(CLICKS, ITEMS.assign(asin=["x", "y", "z"]))
    assert read_back("item")[0]["item_id"].tolist() == ["10", "20", "30"]


def test_ids_of_64_bits_keep_all_digits():
    ids = [2**63 + 5, 2**63 + 6, 2**64 - 1]
    for clicks in (
        pd.DataFrame({"user": np.array(ids, dtype=np.uint64), "item": [1, 2, 3]}),
        pl.DataFrame({"user": pl.Series(ids, dtype=pl.UInt64), "item": [1, 2, 3]}),
        pd.DataFrame({"user": pd.array([2**62 + 1, 2**62 + 3, None], dtype="Int64"), "item": [1, 2, 3]}),
    ):
        done = import_data(clicks)
        users = read_back("inter", dataset=done.dataset)[0]["user_id"].tolist()
        assert users == [str(user) for user in list(clicks["user"]) if user is not pd.NA]


def test_short_lines_are_counted_whatever_separates_their_cells():
    for separator in (";", "::"):
        text = "movieId,title,genres\n10,Heat,Drama\n20,Solo\n30,Two,Drama\n".replace(",", separator)
        done = import_data(CLICKS, write_text("items.dat", text), dataset=f"by{len(separator)}")
        assert "  1 line with fewer cells than the first, whose last cells are missing" in done.told
    with pytest.raises(DecRSError, match=r"items\.dat, line 3: 4 cells under 3 columns; take the separator '::' out"):
        import_data(CLICKS, write_text("items.dat", "movieId::title::genres\n10::Heat::Drama\n20::So::lo::Drama\n"))
