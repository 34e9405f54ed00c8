import numpy as np
import pytest
import torch
from recbole.utils import get_model

from recbole_decrs import DecRSConfig, run_recbole_decrs
from recbole_decrs.evaluator.collector import DecRSCollector
from recbole_decrs.model.catalogue import find_model
from recboles import run_recbole
from tiny_data import SHORT_SEQUENCES, tiny_tables, write_tables


def test_sampled_candidates_are_measured_as_in_recbole(prepared):
    eval_args = {"split": {"RS": [0.6, 0.1, 0.3]}, "order": "TO", "group_by": "user", "mode": "uni40"}
    config, *_, test_data = prepared("BPR", eval_args=eval_args, metrics=["Recall", "NDCG", "Hit", "MAP"])
    from recbole.evaluator import Collector, Evaluator

    results = []
    for collector in (DecRSCollector(config), Collector(config)):
        torch.manual_seed(1)
        test_data.generator.manual_seed(1)
        np.random.seed(1)
        for interaction, row, users, items in test_data:
            scores = torch.full((int(row.max()) + 1, test_data.dataset.item_num), -torch.inf)
            scores[row, interaction["item_id"]] = interaction["item_id"] * 7 % 31 / 31
            collector.eval_batch_collect(scores, interaction, users, items)
        results.append(Evaluator(config).evaluate(collector.get_data_struct()))
    assert results[0] == results[1]


def test_recboles_pickles_are_of_no_use_but_its_classes_are(prepared):
    assert get_model("FM") is not find_model("FM")
    assert issubclass(find_model("FM"), get_model("FM"))
    assert DecRSConfig("BPR").model_class is get_model("BPR")


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
