import glob
import logging
from pathlib import Path

import numpy as np
import pytest
import torch

from recbole_decrs import objective_function, run_recbole_decrs
from tiny_data import tiny_tables, write_tables
from trainers import evaluate_again

KEYS = {
    "best_valid_score",
    "valid_score_bigger",
    "best_valid_result",
    "test_result",
    "by_drift",
    "by_group",
    "saved_model_file",
    "table",
}


@pytest.mark.parametrize("model", ["DecFM", "DecNFM"])
def test_a_run_of_decrs(settings, model, capsys):
    result = run_recbole_decrs(model, "tiny", config_dict=settings)
    assert set(result) == KEYS | {"conventional_test_result", "deconfounded_test_result", "drift_alpha"}
    metrics = [f"{name}@{k}" for name in ("recall", "ndcg", "ckl") for k in (5, 10)]
    assert list(result["test_result"]) == metrics
    assert result["valid_score_bigger"] is True
    assert result["best_valid_score"] == result["best_valid_result"]["recall@10"]
    assert set(result["by_drift"][0]) == {"users", "conventional", "deconfounded", "fused"}
    assert result["table"] in capsys.readouterr().out
    log = Path(*glob.glob(f"log/{model}/*.log")).read_text()
    assert result["table"] in log
    assert "The number of users" in log  # said before the log file was opened
    assert "\x1b" not in log
    assert evaluate_again(result["saved_model_file"]) == result["test_result"]


@pytest.mark.parametrize("model", ["FM", "NFM", "BPR", "LightGCN", "EASE", "DeepFM", "MultiDAE", "ItemKNN", "Pop"])
def test_a_run_of_any_recbole_model(settings, model):
    result = run_recbole_decrs(model, "tiny", config_dict=settings)
    assert set(result) == KEYS
    assert set(result["by_drift"][0]) == {"users", model}
    assert "ckl@10" in result["test_result"]
    assert evaluate_again(result["saved_model_file"]) == result["test_result"]


def test_a_knowledge_based_model(tmp_path, settings):
    tables = tiny_tables()
    items = tables["item"]["item_id:token"]
    tables["kg"] = tables["item"][["item_id:token"]].set_axis(["head_id:token"], axis=1)
    tables["kg"] = tables["kg"].assign(
        **{"relation_id:token": "is", "tail_id:token": tables["item"]["first_genre:token"]}
    )
    tables["kg"]["head_id:token"] = "m." + items
    tables["link"] = tables["item"][["item_id:token"]].assign(**{"entity_id:token": "m." + items})
    write_tables(tmp_path / "data", tables)
    plain = {key: value for key, value in settings.items() if key not in ("load_col", "numerical_features")}
    result = run_recbole_decrs("CFKG", "tiny", config_dict=plain)
    assert evaluate_again(result["saved_model_file"]) == result["test_result"]


@pytest.mark.parametrize("inference", ["fused", "deconfounded", "conventional"])
def test_inference(settings, inference):
    result = run_recbole_decrs("DecFM", "tiny", config_dict=settings | {"inference": inference, "learning_rate": 0.5})
    if inference != "fused":
        assert result["test_result"] == result[f"{inference}_test_result"]
    assert evaluate_again(result["saved_model_file"]) == result["test_result"]


def test_the_same_seed_gives_the_same_result(settings):
    first = run_recbole_decrs("DecFM", "tiny", config_dict=settings)
    torch.rand(3)
    np.random.rand(3)
    second = run_recbole_decrs("DecFM", "tiny", config_dict=settings)
    assert first["test_result"] == second["test_result"]
    assert first["saved_model_file"] != second["saved_model_file"]
    other = run_recbole_decrs("DecFM", "tiny", config_dict=settings | {"seed": 7})
    assert other["test_result"] != first["test_result"]


def test_a_reused_backbone(settings):
    backbone = run_recbole_decrs("FM", "tiny", config_dict=settings)
    whole = run_recbole_decrs("DecFM", "tiny", config_dict=settings)
    reused = run_recbole_decrs(
        "DecFM", "tiny", config_dict=settings | {"backbone_checkpoint": backbone["saved_model_file"]}
    )
    assert whole["conventional_test_result"] == backbone["test_result"]
    for key in ("test_result", "conventional_test_result", "deconfounded_test_result"):
        assert reused[key] == whole[key]


def test_without_saving_nothing_is_saved(settings):
    result = run_recbole_decrs("DecFM", "tiny", config_dict=settings, saved=False)
    assert glob.glob("saved/*") == []
    assert result["saved_model_file"] is None


def test_without_time_there_is_no_drift_table(tmp_path, settings):
    tables = tiny_tables()
    del tables["inter"]["timestamp:float"]
    write_tables(tmp_path / "data", tables)
    result = run_recbole_decrs("BPR", "tiny", config_dict=settings | {"load_col": None})
    assert result["by_drift"] == {}
    assert "drift" not in result["table"]
    assert evaluate_again(result["saved_model_file"]) == result["test_result"]


def test_handlers_of_others_are_kept(settings):
    mine = logging.NullHandler()
    root = logging.getLogger()
    root.addHandler(mine)
    before = root.handlers[:]
    try:
        run_recbole_decrs("Pop", "tiny", config_dict=settings)
        assert root.handlers == before
    finally:
        root.removeHandler(mine)


def test_objective_function_gives_what_hypertuning_reads(settings):
    result = objective_function({**settings, "model": "DecFM", "dataset": "tiny"}, None)
    assert set(result) == {"model", "best_valid_score", "valid_score_bigger", "best_valid_result", "test_result"}
    assert result["model"] == "DecFM"


def test_users_without_a_history_are_counted(tmp_path, settings, caplog):
    tables = tiny_tables()

    shown = set(tables["inter"][tables["inter"]["user_id:token"] == "u0"]["item_id:token"])
    tables["item"].loc[tables["item"]["item_id:token"].isin(shown), "genre:token_seq"] = ""
    write_tables(tmp_path / "data", tables)

    with caplog.at_level(logging.WARNING):
        run_recbole_decrs("Pop", "tiny", config_dict=settings)
    assert "1 user has no click on a grouped item in training: left out of C_KL" in caplog.text
