"""Which files a comparison writes, and which of an earlier one it leaves."""

import errno
import importlib.util
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import pytest

from recbole_decrs import DecRSError
from recbole_decrs.compare import run_comparison, write
from tiny_data import tiny_settings, tiny_tables, write_tables

pytestmark = pytest.mark.slow
INTER = ["user_id", "item_id", "timestamp"]


def test_without_matplotlib(tiny, monkeypatch, caplog):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "matplotlib" else find_spec(name))
    run_comparison(["FM"], "tiny", ["calibration"], 1, "out", config_dict=tiny)
    assert "no figure is drawn" in caplog.text
    assert Path("out/figure4.csv").exists()
    assert not list(Path("out").glob("*.png"))


def test_old_outputs_do_not_stay(tiny):
    run_comparison("FM", "tiny", ["decrs", "decrs_product"], 1, "out", config_dict=tiny)
    assert Path("out/table5.md").exists()
    Path("out/run.json").unlink()
    run_comparison("NGCF", "tiny", "fairco", 1, "out", config_dict=tiny)
    assert not Path("out/table5.md").exists()
    assert not Path("out/table4.md").exists()


def test_without_ratings_or_with_many(tmp_path):
    tables = tiny_tables()
    tables["inter"]["rating:float"] += np.random.default_rng(0).uniform(size=len(tables["inter"]))
    chosen = tiny_settings(write_tables(tmp_path / "data", tables), drift_alpha_grid=[0.2])
    run_comparison("FM", "tiny", "decrs", 1, "many", config_dict=chosen)
    assert pd.read_csv("many/figure1b.csv")["rating"].nunique() <= 5
    del tables["inter"]["rating:float"]
    load_col = {**chosen["load_col"], "inter": INTER}
    chosen = tiny_settings(write_tables(tmp_path / "data", tables), drift_alpha_grid=[0.2], load_col=load_col)
    run_comparison("FM", "tiny", "decrs", 1, "none", config_dict=chosen)
    assert not Path("none/figure1b.csv").exists()


def test_figures_are_those_of_matplotlib_whatever_a_folder_says(settings):
    settings |= {"epochs": 1}
    run_comparison(["FM"], "tiny", ["decrs_wo"], 1, "out", config_dict=settings)
    before = Path("out/tradeoff.png").read_bytes()
    with matplotlib.rc_context({"text.usetex": True, "savefig.format": "pdf", "axes.facecolor": "red"}):
        run_comparison(["FM"], "tiny", ["decrs_wo"], 1, "out", config_dict=settings)
    assert Path("out/tradeoff.png").read_bytes() == before


def test_tables_of_before_stay_until_the_new_ones_are_whole(settings, monkeypatch):
    settings |= {"epochs": 1}
    run_comparison(["FM"], "tiny", ["decrs_wo"], 1, "out", config_dict=settings)
    before = {path.name: path.read_bytes() for path in Path("out").iterdir() if path.is_file()}

    def fail(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device", "out/tradeoff.png")

    monkeypatch.setattr(write, "_draw", fail)
    with pytest.raises(DecRSError, match="No space left"):
        run_comparison(["FM"], "tiny", ["decrs_wo", "decrs"], 1, "out", config_dict=settings)
    assert {path.name: path.read_bytes() for path in Path("out").iterdir() if path.is_file()} == before
    assert not list(Path("out").rglob("*.tmp"))
