"""Comparisons over models of other kinds than FM, and of ranking lists made elsewhere."""

import logging
from pathlib import Path

import pandas as pd
import pytest

from recbole_decrs import DecRSError, run_recbole_decrs
from recbole_decrs.compare import METHODS, run_comparison
from tiny_data import SHORT_SEQUENCES, tiny_tables

pytestmark = pytest.mark.slow


def test_a_general_recommender_and_lists_made_elsewhere(tiny, caplog):
    """EASE has no twin; its own list, read from a file, has its own numbers."""
    run = run_recbole_decrs("EASE", "tiny", config_dict=tiny | {"save_topk": 10})
    (path,) = Path("saved").glob("*-top10.csv")
    short = pd.read_csv(path, dtype=str)
    short = short[short["user_id"] != short["user_id"].iloc[0]]
    short.loc[short.index[0], "item_id"] = "unheard of"
    clicked = tiny_tables(n_users=30, n_items=40, n_clicks=20)["inter"]
    user = short["user_id"].iloc[11]
    short.loc[short.index[11], "item_id"] = clicked[clicked["user_id:token"] == user]["item_id:token"].iloc[0]
    short = pd.concat([short.iloc[:-1], short.iloc[:3].assign(user_id="a stranger")])
    short.to_csv("short.csv", index=False)
    with caplog.at_level(logging.WARNING):
        lists = {"mine": str(path), "short": "short.csv"}
        results = run_comparison(["EASE"], "tiny", "all", 1, "out", lists, config_dict=tiny)
    assert "DecRS is left out for EASE: there is no DecEASE" in caplog.text
    assert "Ensemble is left out for EASE: EASE learns no embeddings" in caplog.text
    assert "1 test users have no list" in caplog.text
    assert "1 test users have lists of fewer than 10 items" in caplog.text
    assert "1 listed users, such as a stranger, are not in the test part and are left out" in caplog.text
    assert "1 listed items are not in the dataset" in caplog.text
    assert "1 listed items were clicked by their user before" in caplog.text
    assert set(pd.read_csv("out/table4.csv")["method"]) >= {"mine", "short"}
    assert results.methods == {"EASE": ["backbone", *(name for name in METHODS if METHODS[name].reranker)]}
    assert results.lists["mine"].info["test"] == results.outcomes["EASE", "backbone", 2020].info["test"]
    assert run["test_result"] == results.outcomes["EASE", "backbone", 2020].info["test"]
    assert results.lists["short"].info["test"]["recall@10"] <= results.lists["mine"].info["test"]["recall@10"]
    assert "| mine " in Path("out/table3.md").read_text()
    assert not Path("out/table4.md").exists()


def test_a_late_fused_twin_is_that_of_a_single_run(tiny):
    results = run_comparison("BPR", "tiny", ["decrs", "decrs_wo"], 1, "out", config_dict=tiny)
    run = run_recbole_decrs("DecBPR", "tiny", config_dict=tiny | {"drift_alpha": "auto"})
    assert results.outcomes["BPR", "decrs", 2020].info["test"] == run["test_result"]
    assert results.outcomes["BPR", "decrs_wo", 2020].info["test"] == run["deconfounded_test_result"]


def test_a_sequential_model_and_lists_made_elsewhere(tiny):
    tiny = tiny | SHORT_SEQUENCES
    run = run_recbole_decrs("SASRec", "tiny", config_dict=tiny | {"save_topk": 10})
    lists = Path(run["saved_model_file"]).with_name(Path(run["saved_model_file"]).stem + "-top10.csv")
    results = run_comparison(["SASRec"], "tiny", "all", [2020], "out", {"SASRec alone": str(lists)}, config_dict=tiny)
    # Which a sequential model has no features, losses or batches of ids for.
    without = ("unawareness", "ips_user", "ips_item", "intervention", "wide")
    assert results.methods["SASRec"] == [name for name in METHODS if name not in without]
    assert results.lists["SASRec alone"].info["test"] == pytest.approx(run["test_result"])
    twin = run_recbole_decrs("DecSASRec", "tiny", config_dict=tiny | {"drift_alpha": "auto"})
    assert twin["test_result"] == results.outcomes["SASRec", "decrs", 2020].info["test"]
    assert twin["conventional_test_result"] == results.outcomes["SASRec", "backbone", 2020].info["test"]
    split = {"eval_args": {"split": {"RS": [0.8, 0.1, 0.1]}}}
    with pytest.raises(DecRSError, match="SASRec makes one before each evaluated click; take split"):
        run_comparison(["SASRec"], "tiny", "all", 1, "out", config_dict=tiny | split)


def test_users_with_fewer_candidates_than_places_are_told_also_where_nothing_is_measured_again(tiny, caplog):
    few = {"topk": [5, 39], "metrics": ["Recall", "NDCG", "CKL", "ItemCoverage"], "valid_metric": "Recall@5"}
    for _ in range(2):
        caplog.clear()
        run_comparison(["EASE"], "tiny", ["fairco"], 1, "out", config_dict=tiny | few)
        assert "users with fewer candidates than the longest list has places: 30;" in caplog.text


def test_backbones_are_tested_on_the_same_clicks(tiny, caplog):
    with pytest.raises(DecRSError, match="BPR and SASRec would be tested on other clicks"):
        run_comparison(["BPR", "SASRec"], "tiny", ["calibration"], 1, "out", config_dict=tiny)
    same = tiny | SHORT_SEQUENCES | {"eval_args": {"split": {"LS": "valid_and_test"}}}
    with caplog.at_level(logging.WARNING):
        results = run_comparison(["BPR", "SASRec"], "tiny", ["calibration"], 1, "out", config_dict=same)
    assert "SASRec may recommend what a user has clicked before" in caplog.text
    assert set(results.methods) == {"BPR", "SASRec"}
