"""The command import, and what a run does with the data: from files or frames to a result, a page and a mechanism."""

import shlex
from pathlib import Path

import pandas as pd
import polars as pl
import pytest

from imports import CLICKS, ITEMS, write_text
from recbole_decrs import load_data_and_model, measure_mechanism, run_recbole_decrs
from recbole_decrs.cli import main
from tiny_data import tiny_tables

SETTINGS = {
    "epochs": 1,
    "embedding_size": 8,
    "train_batch_size": 64,
    "topk": [5, 10],
    "show_progress": False,
    "report": False,
}
TYPED = [f"--{key}={value}" for key, value in SETTINGS.items()]


def plain_tables():
    """The tiny tables with plain names, titles and groups with ``|`` between."""
    tables = {name: table.rename(columns=lambda column: column.split(":")[0]) for name, table in tiny_tables().items()}
    genres = tables["item"].pop("genre").str.replace(" ", "|")
    tables["item"] = tables["item"][["item_id"]].assign(title="Title of " + tables["item"]["item_id"], genre=genres)
    return tables


def run_frames(library=pd.DataFrame, **options):
    tables = plain_tables()
    frames = {name: library(tables[table].to_dict("list")) for name, table in (("clicks", "inter"), ("items", "item"))}
    return run_recbole_decrs("DecFM", config_dict=SETTINGS | options.pop("settings", {}), **frames, **options)


def test_what_it_tells(capsys):
    write_text("clicks.csv", CLICKS.to_csv(index=False))
    write_text("items.csv", ITEMS.to_csv(index=False))
    assert main(["import", "clicks.csv", "items.csv"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "clicks.csv: 5 clicks of 3 users on 3 items, 2000-07-30 to 2015-10-24 (timestamp: seconds)",
        "  ratings 1 to 5: each row counts as a click, unless --val_interval=\"{'rating': '[4,inf)'}\", for example, "
        "leaves out those below 4",
        "items.csv: 3 items, 3 groups (genres, pipe): Comedy, Drama, Science Fiction; an item has 1 to 2",
        "written: dataset/clicks/clicks.inter, dataset/clicks/clicks.item",
        "next: recbole-decrs --dataset=clicks --group_field=genres",
    ]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "import needs a file of clicks"),
        (["a.csv", "b.csv", "c.csv", "d.csv"], "import needs a file of clicks"),
        (["a.csv", "--epochs=3"], "import takes no --epochs; it takes dataset, data_path, user,"),
        (["a.csv", "--tiem=when"], "import takes no --tiem; did you mean time"),
        (["a.csv"], "a.csv cannot be read"),
    ],
)
def test_what_it_refuses(capsys, arguments, sentence):
    assert main(["import", *arguments]) == 2
    assert sentence in capsys.readouterr().err


def test_what_is_typed_next_runs(capsys):
    tables = plain_tables()
    for name, table in (("clicks", "inter"), ("items", "item")):
        write_text(f"{name}.csv", tables[table].to_csv(index=False))
    assert main(["import", "clicks.csv", "items.csv", "--dataset=books", "--data_path=my data"]) == 0
    following = capsys.readouterr().out.splitlines()[-1].removeprefix("next: ")
    program, *arguments = shlex.split(following)
    assert program == "recbole-decrs"
    assert main([*arguments, *TYPED]) == 0
    assert "4 groups read (genre of books.item, space)" in capsys.readouterr().err


def test_data_without_groups_and_times_run_as_told(capsys):
    write_text("clicks.csv", plain_tables()["inter"][["user_id", "item_id"]].to_csv(index=False))
    assert main(["import", "clicks.csv"]) == 0
    following = capsys.readouterr().out.splitlines()[-1].removeprefix("next: ")
    assert "--group_field=popularity --fusion_weight=0.5" in following
    assert main([*shlex.split(following)[1:], *TYPED]) == 0
    assert "groups read (popularity of the training clicks of clicks): head" in capsys.readouterr().err


@pytest.mark.parametrize("library", [pd.DataFrame, pl.DataFrame])
def test_frames_give_the_result_of_their_files(library):
    of_frames = run_frames(library)
    folder = Path("dataset")
    (name,) = (entry.name for entry in folder.iterdir())
    of_files = run_recbole_decrs("DecFM", name, config_dict=SETTINGS | {"group_field": "genre"})
    assert of_frames["test_result"] == of_files["test_result"]


def test_the_checkpoint_finds_the_data_again(capsys):
    result = run_frames(dataset="books", settings={"data_path": "elsewhere"})
    assert Path("elsewhere/books/books.inter").is_file()
    config, _, dataset, *_ = load_data_and_model(result["saved_model_file"])
    assert config["group_field"] == "genre"
    assert dataset.inter_num == len(plain_tables()["inter"])
    assert measure_mechanism(result["saved_model_file"], k=5) is not None
    capsys.readouterr()
    assert main(["report", result["saved_model_file"]]) == 0
    page = Path(capsys.readouterr().out.strip().splitlines()[-1]).read_text(encoding="utf-8")
    assert "Title of i1" in page


def test_settings_go_over_what_is_found():
    config = load_data_and_model(run_frames(settings={"group_field": "popularity"})["saved_model_file"])[0]
    assert config["group_field"] == "popularity"


def test_the_files_of_the_readme():
    write_text("clicks.csv", "user,book,stars,when\nu0,b58,3,2024-01-01\nu0,b15,5,2024-01-10\n")
    write_text("books.csv", "book,topics\nb58,travel|history\nb15,science|poetry\nb0,history\n")
    assert main(["import", "clicks.csv", "books.csv", "--item=book", "--dataset=books"]) == 0
    lines = Path("dataset/books/books.inter").read_text().splitlines()
    assert lines[0] == "user_id:token\titem_id:token\trating:float\ttimestamp:float"
    assert lines[1:] == ["u0\tb58\t3\t1704067200", "u0\tb15\t5\t1704844800"]
