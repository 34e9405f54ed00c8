import glob

import numpy as np
import pytest
import torch
from recbole.model.abstract_recommender import AbstractRecommender

from recbole_decrs import DecRSError, run_recbole_decrs
from recbole_decrs.checkpoint_file import read_checkpoint, write_checkpoint
from recbole_decrs.epoch import train_epoch
from recbole_decrs.finite import check_scores
from recbole_decrs.plain_data import encode
from recbole_decrs.training_state import load_state
from trainers import plain


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_loss_that_is_not_finite(prepared, value):
    trainer, train_data, valid_data, _ = plain(prepared, learning_rate=1e30)
    with pytest.raises(DecRSError, match=r"the training loss of \w+ is infinite or not a number; lower learning_rate"):
        trainer.fit(train_data, valid_data)
    with pytest.raises(DecRSError, match=r"the training loss of \w+ is infinite or not a number; lower learning_rate"):
        trainer._check_nan(torch.tensor(value))


def test_a_variance_that_training_made_infinite(prepared, monkeypatch):
    """The loss and the scores of NFM stay finite then, and the scores are all the same."""
    trainer, train_data, valid_data, _ = plain(prepared, "NFM")
    (name,) = [name for name, _ in trainer.model.named_buffers() if name.endswith("running_var")][:1]

    def explode(model, *args):
        loss = train_epoch(model, *args)
        model.state_dict()[name].fill_(np.inf)
        return loss

    monkeypatch.setattr("recbole_decrs.single_trainer.train_epoch", explode)
    with pytest.raises(DecRSError, match=f"training has made {name} of NFM infinite or not a number; lower"):
        trainer.fit(train_data, valid_data)
    assert not glob.glob("saved/*")


def test_parameters_of_a_checkpoint_that_are_not_finite(prepared):
    trainer, train_data, valid_data, test_data = plain(prepared, "NFM", epochs=1)
    trainer.fit(train_data, valid_data)
    path, whole = trainer.saved_model_file, read_checkpoint(trainer.saved_model_file)
    names = [name for name, value in whole["state_dict"].items() if value.is_floating_point()]
    assert any(name.endswith("running_var") for name in names)
    for name in names:
        for value in (np.nan, np.inf, *((-1.0,) if name.endswith("running_var") else ())):
            broken = whole["state_dict"][name].clone()
            broken.view(-1)[0] = value
            write_checkpoint(path, whole | {"state_dict": whole["state_dict"] | {name: broken}})
            with pytest.raises(DecRSError, match=f"{path} holds what is infinite or not a number in {name} of NFM"):
                trainer.evaluate(test_data)


def test_infinities_by_design_are_loaded():
    class Masked(AbstractRecommender):
        def __init__(self):
            super().__init__()
            self.register_buffer("mask", torch.tensor([0.0, -torch.inf]))

    state = {"state_dict": Masked().state_dict(), "other_parameter": {}}
    load_state(Masked(), state, "c.pth")
    state["state_dict"]["mask"] = torch.tensor([-torch.inf, 0.0])
    with pytest.raises(DecRSError, match=r"c\.pth holds what is infinite or not a number in mask of Masked"):
        load_state(Masked(), state, "c.pth")
    state = {"state_dict": Masked().state_dict(), "other_parameter": encode({"kept": np.array([1.0, np.nan])})}
    with pytest.raises(DecRSError, match="infinite or not a number in kept of Masked"):
        load_state(Masked(), state, "c.pth")


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("model", ["FM", "BPR"])
def test_scores_that_have_no_order(prepared, monkeypatch, model, value):
    trainer, train_data, valid_data, test_data = plain(prepared, model, epochs=1)
    trainer.fit(train_data, valid_data)
    scores_of = type(trainer.model).full_sort_predict

    def one_wrong(self, interaction):
        scores = scores_of(self, interaction).view(len(interaction), -1)
        scores[0, -1] = value
        return scores

    monkeypatch.setattr(type(trainer.model), "full_sort_predict", one_wrong)
    with pytest.raises(DecRSError, match=f"{model} gives scores that are infinite or not a number, which have no ord"):
        trainer.evaluate(test_data)


def test_masked_items_have_an_order():
    check_scores(torch.tensor([[-torch.inf, 1.0], [-torch.inf, -torch.inf]]), "FM")
    check_scores(torch.empty(0, 3), "FM")


@pytest.mark.parametrize("model", ["DeepFM", "AutoInt", "DecDeepFM"])
def test_a_training_that_blows_up_is_one_sentence_of_every_model(settings, model):
    with pytest.raises(DecRSError, match=r"infinite or not a number"):
        run_recbole_decrs(model, "tiny", config_dict=settings | {"learning_rate": 1e15, "epochs": 3})


def test_a_validation_whose_metric_is_no_number(settings):
    of_one_kind = {"threshold": {"rating": 4}, "train_neg_sample_args": None, "eval_args": {"mode": "labeled"}}
    with pytest.raises(DecRSError, match="valid_metric: AUC is not a number on the validation part"):
        run_recbole_decrs(
            "FM", "tiny", config_dict=settings | of_one_kind | {"metrics": ["AUC", "LogLoss"], "valid_metric": "AUC"}
        )
