"""The configuration keys of the re-rankers, for any model."""

import numpy as np
import pandas as pd
import pytest
import torch
from recbole.data.interaction import Interaction
from recbole.utils import ModelType

from recbole_decrs import DecRSError, load_data_and_model, run_recbole_decrs
from recbole_decrs.evaluator.reranking import Reranker
from recbole_decrs.model.catalogue import find_model
from recbole_decrs.model.scale import OnScale, OwnScale, trained_by_log_loss
from recbole_decrs.rerank import RERANKERS
from recbole_decrs.single_trainer import trainer_for
from tiny_data import SHORT_SEQUENCES


@pytest.mark.parametrize("model", ["FM", "BPR", "EASE", "LightGCN", "DecFM"])
@pytest.mark.parametrize("reranker", RERANKERS)
def test_a_ranking_changes_and_training_does_not(settings, model, reranker):
    others = {"epochs": 1, "save_topk": 10}
    plain = run_recbole_decrs(model, "tiny", config_dict=settings | others)
    others |= {"reranker": reranker, "reranker_lambda": 0.9}
    again = run_recbole_decrs(model, "tiny", config_dict=settings | others)
    lists = [
        pd.read_csv(result["saved_model_file"].replace(".pth", "-top10.csv"), dtype={"item_id": str})
        for result in (plain, again)
    ]
    for table in lists:
        assert (table.groupby("user_id")["item_id"].nunique() == 10).all()
    assert lists[0]["item_id"].tolist() != lists[1]["item_id"].tolist()
    assert f", {reranker}" in again["table"]
    if reranker == "calibration":
        assert again["test_result"]["ckl@10"] < plain["test_result"]["ckl@10"]


@pytest.mark.parametrize("reranker", ["calibration", "fairco"])
@pytest.mark.parametrize(
    ("model", "others"),
    [
        ("BPR", {}),
        ("BPR", {"fusion_on": "logit"}),
        ("LightGCN", {}),
        ("SASRec", SHORT_SEQUENCES),
        ("FM", {}),
        ("FM", {"fusion_on": "logit"}),
    ],
)
def test_halves_are_re_ranked_as_if_each_were_alone(settings, model, others, reranker):
    """By their own scores: on the scale of Eq. 11 those of BPR would be squeezed before they are scaled to [0, 1]."""
    wanted = settings | others | {"learning_rate": 0.5, "reranker": reranker, "reranker_lambda": 0.5}
    both = run_recbole_decrs(f"Dec{model}", "tiny", config_dict=wanted)
    config, fused, *_, test_data = load_data_and_model(both["saved_model_file"])
    for half in ("conventional", "deconfounded"):
        alone = trainer_for(config)(config, getattr(fused, half))
        assert alone.evaluate(test_data, load_best_model=False) == both[f"{half}_test_result"]
    assert both["conventional_test_result"] != both["deconfounded_test_result"]
    if model != "SASRec":  # whose dropout draws other numbers
        alone = run_recbole_decrs(model, "tiny", config_dict=wanted)
        assert alone["test_result"] == both["conventional_test_result"]


def test_weight_0_changes_nothing(settings):
    plain = run_recbole_decrs("BPR", "tiny", config_dict=settings)
    for reranker in RERANKERS:
        again = run_recbole_decrs("BPR", "tiny", config_dict=settings | {"reranker": reranker, "reranker_lambda": 0})
        assert again["test_result"] == plain["test_result"]
        assert again["best_valid_result"] == plain["best_valid_result"]


@pytest.mark.parametrize("model", ["FM", "BPR", "DecBPR"])
def test_sampled_candidates_run_out(settings, model):
    eval_args = {"split": {"RS": [0.8, 0.1, 0.1]}, "order": "TO", "group_by": "user", "mode": "uni5"}
    result = run_recbole_decrs(
        model, "tiny", config_dict=settings | {"reranker": "calibration", "eval_args": eval_args}
    )
    assert 0 < result["test_result"]["recall@10"] <= 1


@pytest.mark.parametrize(("model", "expected"), [("FM", True), ("NeuMF", True), ("BPR", False), ("EASE", False)])
def test_which_scores_are_probabilities(prepared, model, expected):
    config, train_data, *_ = prepared(model, train_neg_sample_args={"distribution": "uniform", "sample_num": 1})
    assert trained_by_log_loss(find_model(model)(config, train_data.dataset)) is expected


def test_logits_become_probabilities_once_for_all_batches():
    model = torch.nn.BCEWithLogitsLoss()
    scores = torch.tensor([[2.0, 0.0, -torch.inf]])
    expected = [pytest.approx(1 / (1 + np.exp(-2.0))), 0.5, -np.inf]
    logits, probabilities = OwnScale(model), OwnScale(model)
    for scale in ("probability", "unit"):
        assert logits.to(scale, scores)[0].tolist() == expected
        assert logits.to(scale, scores / 4)[0].tolist()[1:] == [0.5, -np.inf]
        assert probabilities.to(scale, scores / 4)[0].tolist() == [0.5, 0.0, -np.inf]
        assert probabilities.to(scale, scores)[0].tolist() == [2.0, 0.0, -np.inf]
    plain = OwnScale(torch.nn.Identity())  # no log loss, no probabilities
    assert plain.to("probability", scores / 4)[0, 1] == 0.5
    assert plain.to("unit", scores)[0].tolist() == [1, 0, -np.inf]


class LogitsInFullSort(torch.nn.Module):
    """As some of RecBole's general recommenders: probabilities of pairs, and logits of all items."""

    type = ModelType.GENERAL

    def __init__(self):
        super().__init__()
        self.loss = torch.nn.BCELoss()

    def predict(self, interaction):
        return self.full_sort_predict(interaction).sigmoid()

    def full_sort_predict(self, interaction):
        return torch.tensor([-1.0, 3.0, 0.5, 2.0])


@pytest.mark.parametrize("scale", ["probability", "logit"])
def test_one_scale_of_a_model_that_scores_on_two(scale):
    """A half that took its logits for probabilities would be fused with the other by chance."""
    users = Interaction({"user_id": torch.tensor([1, 2])})
    model = OnScale(LogitsInFullSort(), scale)
    torch.testing.assert_close(model.predict(users), model.full_sort_predict(users).flatten())


def test_what_is_saved_does_not_change_the_metrics(settings):
    """A longer saved list goes on behind the candidates in the order of relevance."""
    others = {"reranker": "calibration", "reranker_candidates": 12, "reranker_lambda": 0.9}
    results = [
        run_recbole_decrs("BPR", "tiny", config_dict=settings | others | {"save_topk": length}) for length in (5, 20)
    ]
    assert results[0]["test_result"] == results[1]["test_result"]
    table = pd.read_csv(results[1]["saved_model_file"].replace(".pth", "-top20.csv"), dtype=str)
    assert (table.groupby("user_id")["item_id"].nunique() == table.groupby("user_id").size()).all()


def test_default_weights(prepared):
    config, train_data, *_ = prepared("FM", reranker="fairco")
    assert Reranker(config, find_model("FM")(config, train_data.dataset)).weight == 0.01


@pytest.mark.parametrize(
    ("others", "message"),
    [
        ({"reranker": "calibrated"}, f"reranker must be one of {', '.join(RERANKERS)} or none"),
        (
            {"reranker": "diversity", "reranker_lambda": 1.5},
            r"reranker_lambda of diversity must be a number in \[0, 1\], not 1.5",
        ),
        ({"reranker": "fairco", "reranker_lambda": -1}, "reranker_lambda must be a number >= 0"),
        ({"reranker": "fairco", "metrics": ["Recall", "GAUC"]}, "the metric GAUC ranks all items"),
        ({"reranker": "fairco", "reranker_candidates": 8}, "8 are fewer than the 10 that topk asks for"),
        ({"ips_cap": 0.5}, "ips_cap must be"),
        ({"ips_floor": 0}, "ips_floor must be"),
        ({"ips": "both"}, "ips must be one of user, item or none"),
    ],
)
def test_one_sentence_for_what_cannot_be_used(prepared, others, message):
    with pytest.raises(DecRSError, match=message):
        prepared("FM", **others)


def test_ips_is_not_for_every_model(prepared):
    with pytest.raises(DecRSError, match="weighs the samples of FM and NFM, not of BPR"):
        prepared("BPR", ips="user")
