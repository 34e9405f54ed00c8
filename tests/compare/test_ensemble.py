"""Two models of one kind fused by Eq. 11, on the scale that ``fusion_on`` names."""

import numpy as np
import pytest
import torch

from recbole_decrs.compare.data_cache import DataCache
from recbole_decrs.compare.experiment import Experiment
from recbole_decrs.compare.models import Models
from recbole_decrs.compare.pieces import Pieces
from recbole_decrs.config import DecRSConfig
from recbole_decrs.model.scale import OwnScale


def configure_of(settings):
    return lambda model, others: DecRSConfig(model, "tiny", None, settings, {**others})


def logit(probability):
    return np.log(probability / (1 - probability))


def recall_at_10(scores, data, users):
    """The mean over users of their hits among the ten best candidates, counted one by one."""
    recalls = []
    for user, row in zip(users.tolist(), scores, strict=True):
        row[[0, *data.test.uid2history_item[user].tolist()]] = -np.inf
        positives = set(data.test.uid2positive_item[user].tolist())
        recalls.append(len(positives & set(np.argsort(-row)[:10].tolist())) / len(positives))
    return round(float(np.mean(recalls)), 6)


@pytest.mark.parametrize("model", ["BPR", "NeuMF"])
def test_an_ensemble_is_fused_on_the_scale_of_fusion_on(settings, model):
    found, by_hand = {}, {}
    for scale in ("probability", "logit"):
        wanted = {"fusion_on": scale, "learning_rate": 0.5, "drift_alpha_grid": [0.3], "topk": [10], "dropout_prob": 0}
        experiment = Experiment(model, 2020, configure_of(settings | wanted), Pieces("out"), DataCache())
        for job in experiment.jobs(["ensemble"]):
            experiment.make(job, lambda *told: None)
        found[scale] = experiment.outcome("ensemble").info["test"]["recall@10"]
        data, models = experiment.data, experiment.models
        users = data.test.user_df
        both = [models.conventional, models.of_method("ensemble")[0][1]]
        with torch.no_grad():
            if model == "BPR":  # raw scores, which are logits
                logits = [models.load(one).full_sort_predict(users).view(len(users), -1).double() for one in both]
            else:  # NeuMF predicts probabilities, of pairs alone
                pairs = users.repeat_interleave(data.part.item_num)
                pairs.update(data.part.get_item_feature().repeat(len(users)))
                logits = [logit(models.load(one).predict(pairs).view(len(users), -1).double()) for one in both]
        eta = torch.as_tensor(data.part.confounder.normalized_drift(0.3))[users["user_id"]].unsqueeze(1)
        a, b = (one.sigmoid() if scale == "probability" else one for one in logits)
        by_hand[scale] = recall_at_10(((1 - eta) * a + eta * b).numpy(), data, users["user_id"])
    assert found == by_hand
    assert found["logit"] != found["probability"]


def test_logits_of_scores():
    bce = torch.nn.BCELoss()
    probabilities = torch.tensor([[0.5, 0.9, 0.0, 1.0, -torch.inf]])
    half, nine, lowest, highest, masked = OwnScale(bce).to("logit", probabilities)[0].tolist()
    assert half == 0
    assert nine == pytest.approx(np.log(9))
    assert np.isfinite([lowest, highest]).all()
    assert lowest < -80
    assert highest > 16
    assert masked == -np.inf
    for model in (bce, torch.nn.Identity(), torch.nn.CrossEntropyLoss()):  # scores that are no probabilities
        scores = torch.tensor([[2.0, 0.5, -torch.inf]])
        assert torch.equal(OwnScale(model).to("logit", scores), scores)


def test_worker_is_what_numbers_depend_on(settings):
    """Each process of RecBole's loader draws its own negatives."""
    pieces, cache = Pieces("out"), DataCache()
    paths = set()
    for worker in (0, 2):
        models = Models("BPR", 2020, configure_of(settings | {"worker": worker}), pieces, cache)
        paths.add(models.path(models.conventional, "pth"))
    assert len(paths) == 2
