import numpy as np
import pandas as pd
import pytest
import torch

from recbole_decrs import run_recbole_decrs
from recbole_decrs.evaluator.by_group import ByGroup
from recbole_decrs.evaluator.report import improvement, table_of
from recbole_decrs.model.catalogue import find_model
from recbole_decrs.single_trainer import trainer_for

METRICS = ["Recall", "NDCG", "CKL", "Hit", "MAP", "Hellinger", "ItemCoverage", "AveragePopularity", "GAUC", "GiniIndex"]


@pytest.fixture
def result(settings):
    return run_recbole_decrs(
        "BPR", "tiny", config_dict=settings | {"metrics": METRICS, "save_user_metrics": True, "save_topk": 10}
    )


def test_every_metric_of_recbole_is_evaluated_and_saved_per_user(result):
    stem = result["saved_model_file"].removesuffix(".pth")
    table = pd.read_csv(f"{stem}-user-metrics.csv")
    assert set(table["user_id"]) == {f"u{number}" for number in range(24)}
    for metric, value in result["test_result"].items():
        if metric.partition("@")[0] in ("itemcoverage", "gauc", "giniindex"):  # of the lists together
            assert metric not in table
        else:
            assert table[metric].mean() == pytest.approx(value, abs=1e-5)


def test_groups_are_means_over_their_users(result):
    stem = result["saved_model_file"].removesuffix(".pth")
    table = pd.read_csv(f"{stem}-user-metrics.csv")
    assert list(result["by_drift"]) == [0, 0.5, 1, 2, 3, 4]
    for threshold, row in result["by_drift"].items():
        of_group = table[table["drift"] > threshold]
        assert row["users"] == len(of_group)
        for metric in ("recall@5", "ckl@10"):
            if row["users"]:
                assert row["BPR"][metric] == pytest.approx(of_group[metric].mean(), abs=1e-5)
            else:
                assert row["BPR"] == {}


def test_saved_lists_give_the_metrics(result, data_folder):
    stem = result["saved_model_file"].removesuffix(".pth")
    lists = pd.read_csv(f"{stem}-top10.csv")
    assert list(lists.columns) == ["user_id", "item_id", "rank", "score"]
    assert (lists.groupby("user_id")["score"].diff().dropna() <= 0).all()
    clicks = pd.read_csv(data_folder / "tiny" / "tiny.inter", sep="\t").sort_values("timestamp:float")
    recalls = []
    for user, history in clicks.groupby("user_id:token")["item_id:token"]:
        shown = set(lists[lists["user_id"] == user]["item_id"])
        assert not shown & set(history.iloc[:-1])  # 12 clicks: the last is the test
        recalls.append(history.iloc[-1] in shown)
    assert np.mean(recalls) == pytest.approx(result["test_result"]["recall@10"], abs=1e-6)


def test_improvement_is_positive_where_better():
    assert improvement("recall@10", 0.5, 0.6) == pytest.approx(20)
    assert improvement("ckl@10", 0.5, 0.6) == pytest.approx(-20)
    assert np.isnan(improvement("recall@10", 0.0, 0.6))


def test_table():
    results = {"a": {"recall@10": 0.1, "ckl@10": 1.0}, "b": {"recall@10": 0.2, "ckl@10": 0.5}}
    by_group = ByGroup("drift eta_u", {"> 0.5": {"users": 2, **results}, "> 4": {"users": 0, "a": {}, "b": {}}})
    lines = table_of(results, by_group, {"a": "A", "b": "B"}, ("a", "b")).splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert cells[0] == ["", "Recall@10", "CKL@10"]
    assert cells[4] == ["improvement", "+100.00%", "+50.00%"]
    assert cells[8][:3] == ["> 0.5", "2", "A"]
    assert cells[11][:2] == ["> 4", "0"]


def test_a_list_of_one_item_is_no_list_of_equal_scores(settings, caplog):
    run_recbole_decrs("BPR", "tiny", config_dict=settings | {"topk": [1], "valid_metric": "Recall@1"})
    assert "equal scores" not in caplog.text


def test_lists_of_equal_scores_are_told(prepared, caplog):
    config, train_data, _, test_data = prepared("BPR")
    model = find_model("BPR")(config, train_data.dataset)
    trainer = trainer_for(config)(config, model)
    trainer.evaluate(test_data, load_best_model=False)
    assert "equal scores" not in caplog.text
    torch.nn.init.zeros_(model.user_embedding.weight)
    for _ in range(2):  # as at each evaluation of a training
        trainer.evaluate(test_data, load_best_model=False)
    assert caplog.text.count("BPR gives every user a list of equal scores") == 1
    assert "lower learning_rate" in caplog.text


def test_lists_of_equal_scores_are_told_of_the_half_whose_they_are(settings, caplog):
    run_recbole_decrs("DecFM", "tiny", config_dict=settings | {"learning_rate": 1e-30, "embedding_init_std": 0.0})
    for name in ("FM gives", "DecFM gives", "DecFM (fused) gives"):
        assert name in caplog.text


def test_a_propensity_that_is_too_small_is_told_as_what_it_is(prepared, caplog):
    config, train_data, _, test_data = prepared("FM", ips="item")
    model = find_model("FM")(config, train_data.dataset)
    trainer = trainer_for(config)(config, model)
    for parameter in model.parameters():
        torch.nn.init.zeros_(parameter)
    trainer.evaluate(test_data, load_best_model=False)
    assert caplog.text.rstrip().endswith("raise ips_floor")


@pytest.mark.parametrize("model", ["BPR", "DecFM"])
def test_users_without_enough_candidates_are_told_where_a_metric_counts_places(settings, caplog, model):
    """RecBole's ItemCoverage counts whatever stands in a place, also where a user's candidates have run out."""
    few = {"topk": [5], "valid_metric": "Recall@5", "eval_args": {"mode": {"valid": "full", "test": "uni2"}}}
    run_recbole_decrs(model, "tiny", config_dict=settings | few | {"metrics": ["Recall", "ItemCoverage", "CKL"]})
    told = [record.message for record in caplog.records if record.message.startswith("topk:")]
    assert told == [
        "topk: at test, users with fewer candidates than the longest list has places: 24; what stands in the places "
        "after them counts in ItemCoverage; make topk smaller"
    ]
    caplog.clear()
    run_recbole_decrs(model, "tiny", config_dict=settings | few | {"metrics": ["Recall", "CKL"]})
    assert "fewer candidates" not in caplog.text
