"""Which models are deconfounded, which are refused and why, and what becomes of M in them."""

from pathlib import Path

import pytest
import torch
from one_layer import OneLayer
from recbole.model.abstract_recommender import ContextRecommender
from recbole.model.context_aware_recommender.deepfm import DeepFM
from recbole.model.context_aware_recommender.fm import FM as RecBoleFM
from recbole.model.context_aware_recommender.fwfm import FwFM as RecBoleFwFM
from recbole.model.context_aware_recommender.lr import LR
from test_full_sort import shake
from torch import nn

from recbole_decrs import FM, DecRSError, deconfound, load_data_and_model, run_recbole_decrs
from recbole_decrs.cli import main
from recbole_decrs.model.catalogue import deconfounded_names, find_model
from recbole_decrs.model.recbole_models import CONTEXT_AWARE, names_of
from recbole_decrs.model.vectors import inner_product_vectors

pytestmark = pytest.mark.slow


def test_the_names():
    assert {"DecFM", "DecNFM", "DecDeepFM", "DecxDeepFM", "DecBPR", "DecNeuMF", "DecLightGCN"} <= set(
        deconfounded_names()
    )
    assert "DecLR" not in deconfounded_names()


def test_a_model_that_ignores_m_is_refused(prepared):
    class Ignoring(LR):
        pass

    config, train_data, *_ = prepared("DecFM")
    with pytest.raises(DecRSError, match="DecIgnoring ignores M"):
        deconfound(Ignoring)(config, train_data.dataset)


class StartingAtZero(OneLayer):
    def make_layer(self, width):
        layer = nn.Linear(width, 1)
        nn.init.zeros_(layer.weight)
        return layer


def test_a_model_that_ignores_m_at_first_is_taken(everything, prepared, caplog):
    config, train_data, *_ = prepared("DeepFM", **everything)
    deconfound(StartingAtZero)(config, train_data.dataset)
    assert "DecStartingAtZero receive no gradient from its initial weights" in caplog.text


def test_a_model_of_unknown_loss_is_refused(everything, prepared):
    class Functional(OneLayer):
        def __init__(self, config, dataset):
            super().__init__(config, dataset)
            del self.loss
            self.loss = nn.functional.binary_cross_entropy_with_logits

    config, train_data, *_ = prepared("DeepFM", **everything)
    with pytest.raises(DecRSError, match="has no nn.BCEWithLogitsLoss or nn.BCELoss"):
        deconfound(Functional)(config, train_data.dataset)


def test_a_forward_that_the_closed_form_does_not_know_is_refused(everything, prepared):
    class Doubled(FM):
        def forward(self, interaction):
            return 2 * super().forward(interaction)

    config, train_data, *_ = prepared("DecFM", **everything)
    with pytest.raises(DecRSError, match="Doubled changes forward"):
        Doubled(config, train_data.dataset)


def test_other_logits_of_the_same_fields_are_those_of_full_sort(everything, prepared):
    class Doubled(FM):
        def logits_of(self, bi_interaction):
            return 2 * super().logits_of(bi_interaction)

    config, train_data, *_ = prepared("FM", **everything)
    model, part = Doubled(config, train_data.dataset).eval(), train_data.dataset
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.3)
        users = part.get_user_feature()[1:4]
        sorted_in_full = model.full_sort_predict(users).view(3, -1)
        for row, user in enumerate(range(1, 4)):
            pairs = part.get_item_feature()
            pairs.update(part.get_user_feature()[torch.full((len(pairs),), user)])
            torch.testing.assert_close(sorted_in_full[row], model.predict(pairs), rtol=1e-4, atol=1e-5)
    with pytest.raises(DecRSError, match="Doubled has no vectors of users and items"):
        inner_product_vectors(model)


def test_m_of_dssm_is_of_the_user_alone(everything, prepared):
    config, train_data, *_ = prepared("DecDSSM", **everything)
    model = shake(config.model_class(config, train_data.dataset))
    found = []
    model.backdoor.register_forward_hook(lambda module, inputs, output: found.append(output))
    users, items = train_data.dataset.get_user_feature(), train_data.dataset.get_item_feature()
    pairs = users[torch.full((len(items),), 3)]
    pairs.update(items)
    model.forward(pairs)
    torch.testing.assert_close(found[0], found[0][:1].expand_as(found[0]))


def test_the_fields_of_fwfm_may_have_any_names(everything):
    fields = {1: ["user_id", "gender", "jobs"], "of the item": ["item_id", "genre"]}
    result = run_recbole_decrs("DecFwFM", "tiny", config_dict=everything | {"fields": fields, "epochs": 1})
    assert 0 < result["test_result"]["recall@10"] <= 1


@pytest.mark.parametrize(
    ("name", "option", "message"),
    [
        ("DecAutoInt", {"attention_size": 7}, "DecAutoInt cannot be made with these settings"),
        ("DecKD_DAGFM", {"phase": "finetuning"}, "leave phase out"),
        ("DecFM", {"drift_periods": 500}, "nobody has a drift"),
    ],
)
def test_one_sentence_for_settings_that_do_not_work(everything, name, option, message):
    with pytest.raises(DecRSError, match=message):
        run_recbole_decrs(name, "tiny", config_dict=everything | option)


def test_the_check_of_the_gradient_leaves_no_trace(prepared):
    config, train_data, *_ = prepared("DecFiGNN")
    model = config.model_class(config, train_data.dataset)
    assert model.training
    assert all(parameter.grad is None for parameter in model.parameters())


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("DecLR", "would change no ranking"),
        ("DecFFM", "one embedding of a feature for each other field"),
        ("DecDeepFFM", "did you mean DecDeepFM"),
        ("Decdeepfm", "did you mean DecDeepFM"),
        ("DecEASE", "docs/models.md shows how to add it"),
        ("DecGRU4Rec", "docs/models.md shows how to add it"),
        ("DecCKE", "CKE is a knowledge-based model"),
        ("DecXGBoost", "XGBoost is a decision-tree model"),
        ("Decoy", "no model named Decoy"),
    ],
)
def test_names_that_there_are_not(capsys, name, message):
    assert main([f"--model={name}", "--epochs=1"]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_deconfound_takes_context_aware_models_alone():
    assert issubclass(deconfound(find_model("DeepFM")), ContextRecommender)
    with pytest.raises(DecRSError, match="late fusion"):
        deconfound(find_model("BPR"))
    with pytest.raises(DecRSError, match="takes the class of a model, not 'DeepFM'"):
        deconfound("DeepFM")
    with pytest.raises(DecRSError, match="DecNFM is deconfounded already"):
        deconfound(find_model("DecNFM"))


@pytest.mark.parametrize("recboles", [DeepFM, RecBoleFM, RecBoleFwFM])
def test_deconfound_of_recboles_class_is_the_model_of_that_name(recboles):
    name = recboles.__name__
    assert deconfound(recboles) is deconfound(find_model(name)) is find_model(f"Dec{name}")


def test_drift_over_other_periods_after_training(settings):
    path = run_recbole_decrs("DecFM", "tiny", config_dict=settings | {"epochs": 1})["saved_model_file"]
    two, three = (load_data_and_model(path, {"drift_periods": periods})[1].weight for periods in (2, 3))
    torch.testing.assert_close(two, load_data_and_model(path)[1].weight)
    assert (two != three).any()


def test_the_table_of_the_docs_lists_every_context_aware_model():
    text = (Path(__file__).parents[2] / "docs" / "models.md").read_text(encoding="utf-8")
    for name in names_of(CONTEXT_AWARE):
        assert f"| {name} |" in text
