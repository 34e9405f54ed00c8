import glob

import numpy as np
import pytest
import torch

from recbole_decrs.plain_data import decode_confounder
from recbole_decrs.trainer import DecRSTrainer
from trainers import fused, plain


def test_one_checkpoint_holds_everything_as_plain_data(prepared):
    config, model, train_data, valid_data, _ = fused(prepared)
    trainer = DecRSTrainer(config, model)
    trainer.fit(train_data, valid_data)
    assert glob.glob("saved/*") == [trainer.saved_model_file]
    content = torch.load(trainer.saved_model_file, weights_only=True)
    for half in ("conventional", "deconfounded"):
        assert {"epoch", "optimizer", "random_state", "state_dict", "cur_step", "best_valid_score"} <= set(
            content[half]
        )
    assert content["config"] == config.settings
    assert content["drift_alpha"] == 0.2
    confounder = decode_confounder(content["confounder"])
    np.testing.assert_array_equal(confounder.drift, train_data.dataset.confounder.drift)
    assert confounder.group_names == train_data.dataset.confounder.group_names


def test_adagrad_starts_from_the_configured_accumulator(prepared):
    trainer, *_ = plain(prepared, adagrad_initial_accumulator=0.25)
    for state in trainer.optimizer.state.values():
        assert torch.all(state["sum"] == 0.25)


def test_alpha_is_chosen_on_validation(prepared):
    grid = [0.0, 0.3, 3.0]
    config, model, train_data, valid_data, _ = fused(
        prepared, drift_alpha="auto", drift_alpha_grid=grid, learning_rate=0.5
    )
    trainer = DecRSTrainer(config, model)
    score, _ = trainer.fit(train_data, valid_data)
    scores = {}
    for alpha in grid:
        model.set_weight(torch.as_tensor(train_data.dataset.confounder.normalized_drift(alpha)))
        scores[alpha] = trainer.evaluate(valid_data, load_best_model=False)["recall@10"]
    assert trainer.drift_alpha == max(scores, key=scores.get)
    assert score == max(scores.values())


def test_alpha_is_chosen_for_the_fused_ranking_whatever_counts(prepared):
    chosen = {}
    for inference in ("fused", "deconfounded", "conventional"):
        settings = {"drift_alpha": "auto", "drift_alpha_grid": [0.0, 0.3, 5.0], "learning_rate": 0.5}
        config, model, train_data, valid_data, _ = fused(prepared, inference=inference, **settings)
        trainer = DecRSTrainer(config, model)
        score, _ = trainer.fit(train_data, valid_data)
        chosen[inference] = trainer.drift_alpha
        assert score == trainer.evaluate(valid_data)["recall@10"]
    assert len(set(chosen.values())) == 1


@pytest.mark.parametrize("scale", ["probability", "logit"])
def test_fused_scores_are_eq_11_by_hand(prepared, scale):
    config, model, train_data, valid_data, _ = fused(prepared, fusion_on=scale, learning_rate=0.5)
    trainer = DecRSTrainer(config, model)
    trainer.fit(train_data, valid_data)
    batch = train_data.collate_fn([0, 1, 2])
    a, b = (half.eval().forward(batch) for half in (model.conventional, model.deconfounded))
    if scale == "probability":
        a, b = 1 / (1 + (-a).exp()), 1 / (1 + (-b).exp())
    eta = torch.as_tensor(train_data.dataset.confounder.normalized_drift(0.2))[batch["user_id"]]
    torch.testing.assert_close(model.eval().predict(batch).double(), (1 - eta) * a + eta * b, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize(("weight", "half"), [(0.0, "conventional"), (1.0, "deconfounded")])
def test_the_ends_of_the_weight_are_the_halves(prepared, weight, half):
    config, model, train_data, valid_data, test_data = fused(prepared, fusion_weight=weight, learning_rate=0.5)
    trainer = DecRSTrainer(config, model)
    trainer.fit(train_data, valid_data)
    result = trainer.evaluate(test_data)
    assert result == trainer.evaluations[half]
    assert trainer.evaluations["conventional"] != trainer.evaluations["deconfounded"]


def test_each_half_has_its_own_tensorboard_folder(prepared):
    config, model, train_data, valid_data, _ = fused(prepared)
    DecRSTrainer(config, model).fit(train_data, valid_data)
    for half in ("conventional", "deconfounded"):
        assert glob.glob(f"log_tensorboard/*/{half}/events*")
    assert not glob.glob("log_tensorboard/*/events*")


def test_sampled_candidates(prepared):
    eval_args = {"split": {"RS": [0.8, 0.1, 0.1]}, "order": "TO", "group_by": "user", "mode": "uni10"}
    config, model, train_data, valid_data, test_data = fused(prepared, eval_args=eval_args)
    trainer = DecRSTrainer(config, model)
    trainer.fit(train_data, valid_data)
    assert 0 < trainer.evaluate(test_data)["recall@10"] <= 1


@pytest.mark.parametrize("model", ["FM", "LightGCN"])
def test_what_is_saved_is_loaded_at_its_best_when_the_training_ends(prepared, model):
    trainer, *data = plain(prepared, model, epochs=6, stopping_step=5, learning_rate=0.5)
    trainer.fit(*data[:2])
    fitted = trainer.evaluate(data[1], load_best_model=False)
    assert fitted == trainer.best_valid_result
    assert trainer.evaluate(data[1]) == fitted
