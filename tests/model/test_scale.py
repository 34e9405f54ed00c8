"""Scores on the scale that is asked for, whatever the model gives."""

import pytest
import torch
from one_layer import OneLayer

from recbole_decrs import deconfound, run_recbole_decrs
from recbole_decrs.model.scale import OnScale

pytestmark = pytest.mark.slow

N_ITEMS = 7


class SortingItself(OneLayer):
    def full_sort_predict(self, interaction):
        return self.first_order_linear.bias.sigmoid().expand(len(interaction), N_ITEMS)


def test_a_full_sort_of_ones_own_is_kept_on_either_scale(everything, prepared):
    config, train_data, *_ = prepared("DeepFM", **everything)
    model = deconfound(SortingItself)(config, train_data.dataset)
    users = train_data.dataset.get_user_feature()[:2]
    logits, probabilities = (OnScale(model, scale).full_sort_predict(users) for scale in ("logit", "probability"))
    torch.testing.assert_close(logits.sigmoid(), probabilities)
    torch.testing.assert_close(probabilities, model.full_sort_predict(users))


def test_fusion_on_logits_of_a_general_recommender(settings):
    result = run_recbole_decrs("DecBPR", "tiny", config_dict=settings | {"fusion_on": "logit", "fusion_weight": 0.0})
    assert result["test_result"] == result["conventional_test_result"]


def test_the_logit_of_a_saturated_score_is_finite(prepared):
    config, train_data, *_ = prepared("KD_DAGFM")
    half = OnScale(config.model_class(config, train_data.dataset), "logit")
    assert not half.gives_own_scores
    half.model.predict = lambda _: torch.tensor([0.0, 0.5, 1.0])
    low, middle, high = half.predict(None)
    assert torch.isfinite(low)
    assert torch.isfinite(high)
    assert low < middle == 0 < high
