"""Pieces that are of other data or settings, or no measurements, are told from those that are wanted."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from recbole_decrs import DecRSError
from recbole_decrs.checkpoint_file import read_checkpoint, write_checkpoint
from recbole_decrs.cli import main
from recbole_decrs.compare import run as run_module
from recbole_decrs.compare import run_comparison
from recbole_decrs.compare.pieces import Pieces
from recbole_decrs.compare.results import Outcome
from recbole_decrs.data.fingerprint import digest_of_rows
from tiny_data import tiny_tables, write_tables

pytestmark = pytest.mark.slow


def table(folder="out"):
    return Path(folder, "table3.csv").read_text()


def piece(name, folder="out"):
    (path,) = Path(folder, "pieces").glob(f"{name}-*.npz")
    return path


@pytest.mark.parametrize(
    ("backbone", "methods", "settings_of_it"),
    [
        (
            "SASRec",
            ["backbone"],
            {
                "eval_args": {"split": {"LS": "valid_and_test"}},
                "hidden_size": 8,
                "inner_size": 8,
                "n_heads": 1,
                "train_neg_sample_args": None,
            },
        ),
        ("FM", ["decrs"], {"eval_args": {"split": {"RS": [0.8, 0.1, 0.1]}, "order": "TO", "group_by": "user"}}),
    ],
)
def test_clicks_in_another_order_are_other_data(settings, backbone, methods, settings_of_it):
    """With the times of two training clicks of each user swapped no part has other clicks, and nobody another drift."""
    settings |= settings_of_it | {"epochs": 1}
    tables = tiny_tables()
    write_tables(Path(settings["data_path"]), tables)
    run_comparison([backbone], "tiny", methods, 1, "out", config_dict=settings)
    kept = set(Path("out/pieces").iterdir())
    clicks = tables["inter"]
    for _, of_user in clicks.groupby("user_id:token"):
        rows = of_user["timestamp:float"].nsmallest(2).index
        clicks.loc[rows, "timestamp:float"] = clicks.loc[rows[::-1], "timestamp:float"].to_numpy()
    write_tables(Path(settings["data_path"]), tables)
    run_comparison([backbone], "tiny", methods, 1, "out", config_dict=settings)
    made = set(Path("out/pieces").iterdir()) - kept
    assert len(made) == len(kept)
    run_comparison([backbone], "tiny", methods, 1, "fresh", config_dict=settings)
    assert table() == table("fresh")


def test_the_page_is_of_the_pieces_that_the_record_names(settings, capsys):
    """Those of other settings may have been written later."""
    for epochs in (2, 1, 2):
        run_comparison(["FM"], "tiny", ["decrs"], 1, "out", config_dict=settings | {"epochs": epochs})
    named = json.loads(Path("out/run.json").read_text())["pieces"]
    assert len(named) == 2
    assert len(list(Path("out/pieces").glob("FM-2020-decrs-*.npz"))) == 2
    assert main(["report", "out"]) == 0
    record = json.loads(Path("out/run.json").read_text())
    del record["pieces"]  # one of before, in which the newest count
    Path("out/run.json").write_text(json.dumps(record))
    assert main(["report", "out"]) == 2
    assert "which are of other settings" in capsys.readouterr().err


def test_a_mean_that_is_no_number_is_no_damage(settings, capsys):
    run_comparison(["FM"], "tiny", ["decrs_wo"], 1, "out", config_dict=settings | {"epochs": 1})
    path = piece("FM-2020-decrs_wo")
    info, by_user = Pieces("").read(path)
    info["test"]["ckl@5"] = float("nan")
    Pieces("out/pieces").write(path, info, by_user)
    run_comparison(["FM"], "tiny", ["decrs_wo"], 1, "out", config_dict=settings | {"epochs": 1})
    assert pd.read_csv("out/table3.csv")["mean"].isna().sum() == 1
    assert main(["report", "out"]) == 0


@pytest.mark.parametrize(
    "change",
    [
        {"test": "x"},
        {"test": {}},
        {"test": None},
        {"by_drift": [[0, 3]]},
        {"by_drift": [["x", 3, {}]]},
        {"by_drift": [[0, 3, {"recall@5": 0.1}]]},
        {"seconds": "x"},
        {"threads": 1},
        {"chosen": 17},
        {"chosen": []},
        {"valid_scores": [[None]]},
        {"valid_scores": [[None, "x"]]},
    ],
)
def test_what_is_no_measurement_is_made_again(whole, change):
    """Each in place of what a piece has; without it as well."""
    _, folder = whole
    found = Pieces("").read(piece("FM-2020-decrs_wo", folder))
    assert Outcome.of_piece(found)
    info, by_user = found
    assert Outcome.of_piece((info | change, by_user)) is None
    assert Outcome.of_piece(({key: value for key, value in info.items() if key not in change}, by_user)) is None


def test_arrays_that_are_no_measurement(whole, tiny):
    _, folder = whole
    shutil.copytree(folder, "out")
    path = piece("FM-2020-decrs_wo")
    info, by_user = Pieces("").read(path)
    for damaged in (
        {},
        by_user | {"users": by_user["users"][:-1]},
        by_user | {"recall@5": by_user["recall@5"].astype(str)},
        {name: values for name, values in by_user.items() if name != "users"},
        by_user | {"recall@5": np.float64(1)},
    ):
        assert Outcome.of_piece((info, damaged)) is None
    Pieces("out/pieces").write(path, info, {})
    run_comparison(["FM"], "tiny", "all", 2, "out", config_dict=tiny)
    assert table() == table(folder)
    assert Outcome.of_piece(Pieces("").read(path))


def test_a_model_of_other_data_is_trained_again(settings, tmp_path, caplog):
    settings |= {"epochs": 1}
    run_comparison(["FM"], "tiny", ["decrs_wo"], 1, "out", config_dict=settings)
    before = table()
    other = write_tables(tmp_path / "other", tiny_tables(seed=1))
    run_comparison(["FM"], "tiny", ["decrs_wo"], 1, "other_out", config_dict=settings | {"data_path": str(other)})
    model, foreign = (next(Path(folder, "pieces").glob("FM-2020-decrs-*.pth")) for folder in ("out", "other_out"))
    shutil.copy(foreign, model)
    piece("FM-2020-decrs_wo").unlink()
    run_comparison(["FM"], "tiny", ["decrs_wo"], 1, "out", config_dict=settings)
    assert table() == before
    assert "was made for other data" in caplog.text
    assert "is trained anew" in caplog.text


def test_half_a_training_beside_the_note_of_a_whole_one_is_not_taken_for_it(settings, caplog):
    """As copied pieces may lie together: the checkpoint of a run that was killed, the note of another's end."""
    settings |= {"epochs": 2}
    run_comparison(["FM"], "tiny", ["decrs_wo"], 1, "out", config_dict=settings)
    before = table()
    (whole,) = Path("out/pieces").glob("FM-2020-decrs-*.pth")
    at_end = read_checkpoint(str(whole))
    run_comparison(["FM"], "tiny", ["decrs_wo"], 1, "short", config_dict=settings | {"epochs": 1})
    (short,) = Path("short/pieces").glob("FM-2020-decrs-*.pth")
    content = {key: value for key, value in read_checkpoint(str(short)).items() if key != "n_epochs"}
    write_checkpoint(str(whole), content | {"finished": False, "config": at_end["config"]})
    piece("FM-2020-decrs_wo").unlink()
    run_comparison(["FM"], "tiny", ["decrs_wo"], 1, "out", config_dict=settings)
    assert table() == before
    assert "is of a training that has not come to its end; FM-2020-decrs is trained anew" in caplog.text


def test_what_a_training_sees_is_told_by_rows_triples_and_times():
    clicks, triples, order = {"user_id": torch.arange(3)}, {"tail_id": torch.arange(3)}, np.arange(3)

    def digest(**changed):
        part = {"inter_feat": clicks, "kg_feat": triples, "click_order": order} | changed
        return digest_of_rows([SimpleNamespace(**part)])

    assert digest() == digest()
    others = [
        digest(inter_feat={"user_id": torch.arange(3).flip(0)}),
        digest(inter_feat=clicks | {"rating": torch.ones(3)}),
        digest(kg_feat={"tail_id": torch.arange(3).flip(0)}),
        digest(kg_feat=None),
        digest(click_order=order[::-1]),
        digest(click_order=None),
    ]
    assert len({digest(), *others}) == len(others) + 1


def test_a_comparison_that_another_has_overtaken_takes_nothing_out_of_its_tables(settings, monkeypatch):
    """It ends between the look at the folder and the start of this one, which reads large data."""
    settings |= {"epochs": 1}
    check_data = run_module.check_data

    def overtaken(*arguments):
        monkeypatch.setattr(run_module, "check_data", check_data)
        run_comparison(["FM"], "tiny", ["decrs_wo"], 2, "out", config_dict=settings)
        check_data(*arguments)

    monkeypatch.setattr(run_module, "check_data", overtaken)
    with pytest.raises(DecRSError, match=r"tables in out have .*seed 2021"):
        run_comparison(["FM"], "tiny", ["decrs_wo"], 1, "out", config_dict=settings)
    assert json.loads(Path("out/run.json").read_text())["seeds"] == [2020, 2021]
