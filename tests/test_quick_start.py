import glob
import logging
from pathlib import Path

import numpy as np
import pytest
import torch
from recbole.utils.case_study import full_sort_scores, full_sort_topk

from recbole_decrs import DecRSError, FusedRecommender, load_data_and_model, objective_function, run_recbole_decrs
from recbole_decrs.single_trainer import trainer_for
from recbole_decrs.trainer import DecRSTrainer
from recboles import run_recbole
from tiny_data import SHORT_SEQUENCES, tiny_tables, write_tables

KEYS = {
    "best_valid_score",
    "valid_score_bigger",
    "best_valid_result",
    "test_result",
    "by_drift",
    "saved_model_file",
    "table",
}


def evaluate_again(path):
    config, model, _, _, _, test_data = load_data_and_model(path)
    trainer = (DecRSTrainer if isinstance(model, FusedRecommender) else trainer_for(config))(config, model)
    return trainer.evaluate(test_data, load_best_model=False)


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


@pytest.mark.parametrize(
    "settings_of_fusion", [{"drift_alpha": "auto"}, {"fusion_weight": 0.5}, {"fusion_on": "logit"}]
)
def test_ways_of_fusing_survive_the_checkpoint(settings, settings_of_fusion):
    result = run_recbole_decrs("DecFM", "tiny", config_dict=settings | settings_of_fusion | {"learning_rate": 0.5})
    assert evaluate_again(result["saved_model_file"]) == result["test_result"]


def test_the_loaded_model_serves_recboles_case_study(settings):
    result = run_recbole_decrs("DecFM", "tiny", config_dict=settings | {"save_topk": 5})
    config, model, dataset, train_data, valid_data, test_data = load_data_and_model(result["saved_model_file"])
    users = dataset.token2id("user_id", ["u3", "u7"])
    scores, items = full_sort_topk(users, model, test_data, k=5)
    assert full_sort_scores(users, model, test_data).shape == (2, dataset.item_num)
    saved = Path(result["saved_model_file"].replace(".pth", "-top5.csv")).read_text().splitlines()
    for user, row in zip(("u3", "u7"), items, strict=True):
        listed = [line.split(",")[1] for line in saved if line.startswith(f"{user},")]
        assert listed == list(dataset.id2token("item_id", row))
    assert len(train_data) > 0
    assert len(valid_data) > 0
    assert config["model"] == "DecFM"
    assert torch.isfinite(scores).all()


@pytest.mark.parametrize("candidates", ["unseen", "untrained"])
@pytest.mark.parametrize("model", ["DecFM", "BPR"])
def test_lists_of_users_outside_the_test(tmp_path, settings, model, candidates):
    """Of three clicks at 0.8, 0.1, 0.1 one is for validation and none for the test, or the other way round."""
    tables = tiny_tables()
    clicks = tables["inter"]
    tables["inter"] = clicks[(clicks["user_id:token"] != "u3") | (clicks.groupby("user_id:token").cumcount() < 1)]
    write_tables(tmp_path / "data", tables)
    changed = {"test_candidates": candidates, "eval_args": {"group_by": None}, "save_topk": 5}
    result = run_recbole_decrs(model, "tiny", config_dict=settings | changed)
    _, model, dataset, train_data, valid_data, test_data = load_data_and_model(result["saved_model_file"])
    clicked = [
        {user: set(part.inter_feat["item_id"][part.inter_feat["user_id"] == user].tolist()) for user in range(1, 25)}
        for part in (train_data._dataset, valid_data._dataset, test_data._dataset)
    ]
    for number, loader in enumerate((valid_data, test_data), start=1):
        seen = clicked[:1] if candidates == "untrained" and loader is test_data else clicked[:number]
        outside = [user for user in range(1, 25) if not clicked[number][user]]
        assert outside
        assert dataset.token2id("user_id", "u3") in outside
        for user in range(1, 25):
            masked = set().union(*(part[user] for part in seen)) - clicked[number][user]
            assert set(loader.uid2history_item[user].tolist()) == masked
            scores = full_sort_scores([user], model, loader)[0]
            assert set(torch.nonzero(scores == -torch.inf).flatten().tolist()) == masked | {0}
        scores, items = full_sort_topk(np.array(outside), model, loader, k=5)
        assert torch.isfinite(scores).all()
        assert items.shape == (len(outside), 5)


def test_a_user_that_the_data_do_not_have(prepared):
    dataset = prepared("BPR")[1]._dataset
    assert dataset.token2id("user_id", ["u3", "u7"]).tolist() == [
        dataset.token2id("user_id", name) for name in ("u3", "u7")
    ]
    with pytest.raises(DecRSError, match=r"user_id: tiny has no 'u33' left after its filters; did you mean .*u3"):
        dataset.token2id("user_id", ["u3", "u33"])
    with pytest.raises(DecRSError, match=r"user_id: tiny has no 'nobody' left after its filters; take a user_id of"):
        dataset.token2id("user_id", "nobody")


def test_lists_of_users_without_a_sequence(tmp_path, settings):
    tables = tiny_tables()
    clicks = tables["inter"]
    tables["inter"] = clicks[(clicks["user_id:token"] != "u3") | (clicks.groupby("user_id:token").cumcount() < 1)]
    write_tables(tmp_path / "data", tables)
    result = run_recbole_decrs("GRU4Rec", "tiny", config_dict=settings | SHORT_SEQUENCES)
    _, model, dataset, *_, test_data = load_data_and_model(result["saved_model_file"])
    users = dataset.token2id("user_id", ["u2", "u3", "u4"])
    assert full_sort_topk(users[::2], model, test_data, k=5)[1].shape == (2, 5)
    with pytest.raises(DecRSError, match="1 of the users have no sequence in this part of tiny, the first u3; leave"):
        full_sort_topk(users, model, test_data, k=5)


def test_a_loader_of_sampled_candidates_has_no_list_of_all_items(prepared):
    eval_args = {"split": {"RS": [0.8, 0.1, 0.1]}, "order": "TO", "group_by": "user", "mode": "uni10"}
    test_data = prepared("BPR", eval_args=eval_args)[-1]
    with pytest.raises(DecRSError, match="full_sort_scores needs a loader that ranks all items, .*; set mode: full"):
        full_sort_topk([1], None, test_data, k=5)


def test_a_checkpoint_for_other_data(tmp_path, settings):
    result = run_recbole_decrs("DecFM", "tiny", config_dict=settings)
    write_tables(tmp_path / "data", tiny_tables(seed=1))
    with pytest.raises(DecRSError, match="was made for other data: its users, items, groups or training clicks"):
        load_data_and_model(result["saved_model_file"])


def test_a_checkpoint_whose_data_moved(tmp_path, settings):
    result = run_recbole_decrs("DecFM", "tiny", config_dict=settings)
    (tmp_path / "data").rename(tmp_path / "moved")
    with pytest.raises(DecRSError, match="there is no folder dataset/tiny"):
        load_data_and_model(result["saved_model_file"])
    model = load_data_and_model(result["saved_model_file"], {"data_path": str(tmp_path / "moved")})[1]
    assert isinstance(model, FusedRecommender)


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


RANDOM = {"split": {"RS": [0.8, 0.1, 0.1]}, "order": "RO", "group_by": "user", "mode": "full"}
LAST_CLICKS = {"split": {"LS": "valid_and_test"}, "order": "TO", "group_by": "user", "mode": "full"}
UNIFORM = {"distribution": "uniform", "sample_num": 1}


@pytest.mark.parametrize(
    ("model", "eval_args", "negatives"),
    [
        ("BPR", RANDOM, UNIFORM),
        ("LightGCN", RANDOM, UNIFORM),
        ("DeepFM", RANDOM, UNIFORM),
        ("EASE", RANDOM, UNIFORM),
        ("SASRec", LAST_CLICKS, None),
        ("GRU4Rec", {**LAST_CLICKS, "split": {"RS": [0.6, 0.2, 0.2]}}, None),
        ("BERT4Rec", LAST_CLICKS, None),
        ("NARM", LAST_CLICKS, None),
        ("FPMC", LAST_CLICKS, UNIFORM),
    ],
)
def test_the_numbers_of_recboles_models_are_recboles(tmp_path, settings, model, eval_args, negatives):
    # RecBole keeps times as float32, by which clicks a few seconds apart are at the same moment.
    tables = tiny_tables()
    tables["inter"]["timestamp:float"] = tables["inter"].groupby("user_id:token").cumcount() * 64.0
    write_tables(tmp_path / "data", tables)
    same = settings | SHORT_SEQUENCES | {"eval_args": eval_args, "metrics": ["Recall", "NDCG"]}
    theirs = run_recbole(
        model,
        "tiny",
        {key: value for key, value in same.items() if key != "group_field"}
        | {"threshold": None, "train_neg_sample_args": negatives, "metric_decimal_place": 6},
    )
    ours = run_recbole_decrs(model, "tiny", config_dict=same, saved=False)
    assert ours["test_result"] == theirs["test_result"]
    assert ours["best_valid_result"] == theirs["best_valid_result"]


def test_kept_embeddings_are_forgotten_when_parameters_are_loaded(settings):
    """A graph model that does not name what it keeps would be tested on its last epoch, not its best."""
    from recbole.model.general_recommender.lightgcn import LightGCN

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LightGCN, "other_parameter", lambda self: {})
        changed = {"epochs": 6, "stopping_step": 5, "learning_rate": 0.5, "valid_metric": "NDCG@10"}
        result = run_recbole_decrs("LightGCN", "tiny", config_dict=settings | changed)
        assert evaluate_again(result["saved_model_file"]) == result["test_result"]


def test_a_missing_library_is_one_sentence(settings, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "faiss", None)
    with pytest.raises(DecRSError, match="NCL needs faiss, which is not installed; install it"):
        run_recbole_decrs("NCL", "tiny", config_dict=settings | {"num_clusters": 3})


def test_a_run_on_a_reused_backbone_does_not_need_it_again(settings):
    backbone = run_recbole_decrs("FM", "tiny", config_dict=settings)["saved_model_file"]
    result = run_recbole_decrs("DecFM", "tiny", config_dict=settings | {"backbone_checkpoint": backbone})
    Path(backbone).unlink()
    assert evaluate_again(result["saved_model_file"]) == result["test_result"]


def test_another_alpha_for_a_loaded_model(settings):
    result = run_recbole_decrs("DecFM", "tiny", config_dict=settings)
    model, train_data = (load_data_and_model(result["saved_model_file"], {"drift_alpha": 3})[place] for place in (1, 3))
    expected = torch.as_tensor(train_data.dataset.confounder.normalized_drift(3), dtype=torch.float32)
    torch.testing.assert_close(model.weight, expected)


def test_other_groups_than_at_training(settings):
    result = run_recbole_decrs("DecFM", "tiny", config_dict=settings)
    with pytest.raises(DecRSError, match="was made for other item groups"):
        load_data_and_model(result["saved_model_file"], {"group_field": "weights"})


def test_users_without_a_history_are_counted(tmp_path, settings, caplog):
    tables = tiny_tables()

    shown = set(tables["inter"][tables["inter"]["user_id:token"] == "u0"]["item_id:token"])
    tables["item"].loc[tables["item"]["item_id:token"].isin(shown), "genre:token_seq"] = ""
    write_tables(tmp_path / "data", tables)

    with caplog.at_level(logging.WARNING):
        run_recbole_decrs("Pop", "tiny", config_dict=settings)
    assert "1 users have no click on a grouped item in training: left out of C_KL" in caplog.text


@pytest.mark.parametrize("model", ["BPR", "NeuMF", "LightGCN"])
def test_a_model_that_learns_from_negatives_and_gets_none(settings, model):
    with pytest.raises(DecRSError, match=f"train_neg_sample_args: {model} learns from negative samples, and gets none"):
        run_recbole_decrs(model, "tiny", config_dict=settings | {"train_neg_sample_args": None})


def test_settings_that_a_model_of_recboles_finds_wrong_in_training(settings):
    with pytest.raises(DecRSError, match=r"RecBole's ConvNCF cannot be evaluated with these .*; change"):
        run_recbole_decrs("ConvNCF", "tiny", config_dict=settings | {"embedding_size": 8})


def test_a_fault_of_the_plugin_is_not_said_to_be_a_setting(settings, monkeypatch):
    def fail(*_):
        raise RuntimeError("a fault")

    monkeypatch.setattr("recbole_decrs.model.two_sided.TwoSided.forward_ids", fail)
    with pytest.raises(RuntimeError, match="a fault") as raised:
        run_recbole_decrs("FM", "tiny", config_dict=settings)
    assert not isinstance(raised.value, DecRSError)
