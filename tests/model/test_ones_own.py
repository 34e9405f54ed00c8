"""Models of one's own: deconfounded, saved and loaded by their class or by the name that deconfound makes known."""

import pytest
from one_layer import OneLayer
from recbole.model.abstract_recommender import ContextRecommender
from recbole.model.context_aware_recommender.deepfm import DeepFM

from recbole_decrs import DecRSError, deconfound, load_data_and_model, run_recbole_decrs
from recbole_decrs.model.catalogue import find_model
from recbole_decrs.model.pairwise import PairwiseFullSort
from recbole_decrs.model.registry import register_model

pytestmark = pytest.mark.slow


class OfMyOwn(DeepFM):
    """A model that RecBole does not have."""


def test_a_model_of_ones_own(everything):
    model = deconfound(OfMyOwn)
    settings = everything | {"epochs": 1, "save_dataset": True}
    result = run_recbole_decrs(model, "tiny", config_dict=settings)
    assert issubclass(model, PairwiseFullSort)
    config, fused, *_ = load_data_and_model(result["saved_model_file"])
    assert config["mlp_hidden_size"] == [128, 128, 128]  # DeepFM's default
    assert type(fused.deconfounded) is model
    assert type(fused.conventional) is model.backbone is find_model("OfMyOwn")
    assert run_recbole_decrs("DecOfMyOwn", "tiny", config_dict=settings)["test_result"] == result["test_result"]


def test_a_checkpoint_of_a_class_that_nobody_has_named(everything):
    path = run_recbole_decrs(OfMyOwn, "tiny", config_dict=everything | {"epochs": 1})["saved_model_file"]
    with pytest.raises(DecRSError, match="holds a OfMyOwn; a class of your own goes into config_dict"):
        load_data_and_model(path)
    assert type(load_data_and_model(path, {"model": OfMyOwn})[1]) is OfMyOwn


def test_a_model_from_scratch_needs_its_embedding_size(everything):
    class FromScratch(ContextRecommender):
        pass

    del everything["embedding_size"]
    with pytest.raises(DecRSError, match="FromScratch has no default for embedding_size"):
        run_recbole_decrs(FromScratch, "tiny", config_dict=everything)


def test_a_model_of_ones_own_needs_a_name_of_its_own():
    with pytest.raises(DecRSError, match="RecBole has a model named DeepFM as well"):
        deconfound(type("DeepFM", (DeepFM,), {"__module__": "mine"}))


@pytest.mark.parametrize(
    ("name", "reason"), [("DecFM", "there is a model named DecFM already"), ("FM", "RecBole has a model")]
)
def test_one_name_is_of_one_model(name, reason):
    with pytest.raises(DecRSError, match=reason):
        register_model(type(name, (OneLayer,), {"__module__": "mine"}))


def test_a_registered_class_is_replaced_when_its_cell_runs_again():
    first, second = (register_model(type("Mine", (OneLayer,), {})) for _ in range(2))
    assert find_model("Mine") is second is not first


@pytest.mark.parametrize("wrong", [5, "FM", lambda config, dataset: None, int])
def test_what_is_no_class_of_a_model_is_not_registered(wrong):
    with pytest.raises(DecRSError, match="register_model takes the class of a model, .*; write @register_model above"):
        register_model(wrong)
