"""Full sort of context-aware models without a closed form equals predict, by whatever short cuts."""

import pytest
import torch
from one_layer import OneLayer
from test_full_sort import all_pairs, shake
from torch import nn

from recbole_decrs import run_recbole_decrs
from recbole_decrs.model.catalogue import deconfounded_names, find_model
from recbole_decrs.model.late_fusion import LateFusion
from recbole_decrs.model.pairwise import PairwiseFullSort, with_full_sort

pytestmark = pytest.mark.slow

PAIRWISE = [
    name
    for name in deconfounded_names()
    if name not in ("DecFM", "DecNFM") and not issubclass(find_model(name), LateFusion)
]


@pytest.mark.parametrize("name", [*PAIRWISE, *(name[3:] for name in PAIRWISE), "LR", "FFM"])
def test_pairwise_full_sort_equals_predict(everything, prepared, name):
    config, train_data, *_ = prepared(name, **everything)
    dataset = train_data.dataset
    model = shake(find_model(name)(config, dataset))
    assert isinstance(model, PairwiseFullSort)
    users = dataset.get_user_feature()
    with torch.no_grad():
        expected = all_pairs(model, dataset)
        pairs = dataset.get_user_feature().repeat_interleave(len(dataset.get_item_feature()))
        pairs.update(dataset.get_item_feature().repeat(len(dataset.get_user_feature())))
        logits = model.forward(pairs).view_as(expected)
    torch.testing.assert_close(model.full_sort_predict(users), expected, atol=1e-5, rtol=0)
    torch.testing.assert_close(model.full_sort_logits(users), logits, atol=1e-4, rtol=1e-4)
    few = model.full_sort_predict(users[torch.tensor([5, 2])])
    torch.testing.assert_close(few, expected[[5, 2]], atol=1e-5, rtol=0)


class Scaling(OneLayer):
    def of_fields(self, fields, interaction):
        fields *= 3
        return super().of_fields(fields, interaction)


class Clipping(OneLayer):
    def of_fields(self, fields, interaction):
        return super().of_fields(torch.relu_(fields), interaction)


class Comparing(OneLayer):
    def of_fields(self, fields, interaction):
        score = super().of_fields(fields, interaction)
        return torch.where(fields.sum(dim=(1, 2))[:, None] > 0, score, 2 * score)  # hides what is not a number


class Squaring(OneLayer):
    class Layer(nn.Linear):
        def forward(self, features):
            return super().forward(features) ** 2

    def make_layer(self, width):
        return self.Layer(width, 1)


class Crossing(OneLayer):
    def concat_embed_input_fields(self, interaction):
        fields = super().concat_embed_input_fields(interaction)
        return fields * (1 + fields[:, :1] * fields[:, -1:])


class ReadingAColumn(OneLayer):
    def of_fields(self, fields, interaction):
        return super().of_fields(fields, interaction) * interaction["price"][:, :1]


@pytest.mark.parametrize("model_class", [OneLayer, Scaling, Clipping, Comparing, Squaring, Crossing, ReadingAColumn])
def test_full_sort_of_ones_own_model_equals_predict(everything, prepared, model_class):
    config, train_data, *_ = prepared("DeepFM", **everything)
    model = shake(with_full_sort(model_class)(config, train_data.dataset))
    users = train_data.dataset.get_user_feature()
    expected = all_pairs(model, train_data.dataset)
    assert expected.std() > 1e-3
    torch.testing.assert_close(model.full_sort_predict(users), expected, atol=1e-5, rtol=0)
    with torch.inference_mode():
        torch.testing.assert_close(model.full_sort_predict(users), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", PAIRWISE)
def test_the_short_cuts_of_recboles_models_are_taken(everything, prepared, monkeypatch, name):
    config, train_data, *_ = prepared(name, **everything)
    taken = []
    fastest = PairwiseFullSort._fastest

    def watched(model, *arguments):
        taken.append(fastest(model, *arguments))
        return taken[-1]

    monkeypatch.setattr(PairwiseFullSort, "_fastest", watched)
    model = shake(find_model(name)(config, train_data.dataset))
    model.full_sort_predict(train_data.dataset.get_user_feature())
    (way,) = taken
    assert way.func == model._from_sides
    needs_no_fields = name in ("DecDeepFM", "DecWideDeep", "DecFNN", "DecDSSM")
    assert way.args[3].__name__ == ("placeholder" if needs_no_fields else "embedded")


def test_a_full_sort_leaves_the_model_as_it_was(everything, prepared):
    config, train_data, *_ = prepared("DecDeepFM", **everything)
    model = config.model_class(config, train_data.dataset)
    before = model.calculate_loss(next(iter(train_data)))
    model.eval().full_sort_predict(train_data.dataset.get_user_feature())
    assert not any("forward" in vars(module) for module in model.modules())
    assert torch.isfinite(before)


def test_metrics_are_those_of_recboles_own_path(everything, monkeypatch):
    fast = run_recbole_decrs("DecWideDeep", "tiny", config_dict=everything)
    monkeypatch.setattr(PairwiseFullSort, "full_sort_predict", _not_there)
    slow = run_recbole_decrs("WideDeep", "tiny", config_dict=everything)
    again = run_recbole_decrs("WideDeep", "tiny", config_dict=everything)
    assert slow["test_result"] == again["test_result"]
    monkeypatch.undo()
    assert run_recbole_decrs("WideDeep", "tiny", config_dict=everything)["test_result"] == slow["test_result"]
    assert fast["conventional_test_result"].keys() == slow["test_result"].keys()


def _not_there(self, interaction):
    raise NotImplementedError
