import glob

import numpy as np
import pytest
import torch
from recbole.model.abstract_recommender import AbstractRecommender
from recbole.utils import get_model, init_seed

from recbole_decrs import DecRSConfig, DecRSError, FusedRecommender, run_recbole_decrs
from recbole_decrs.checkpoint_file import new_checkpoint_path, read_checkpoint, write_checkpoint
from recbole_decrs.data.id_loader import why_not_by_ids
from recbole_decrs.evaluator.collector import DecRSCollector
from recbole_decrs.finite import check_scores
from recbole_decrs.model.catalogue import find_model
from recbole_decrs.plain_data import decode_confounder, encode
from recbole_decrs.randomness import start_anew
from recbole_decrs.single_trainer import SingleTrainer, trainer_for
from recbole_decrs.trainer import DecRSTrainer, load_backbone
from recbole_decrs.training_state import load_state


def fused(prepared, model="DecFM", **settings):
    config, train_data, valid_data, test_data = prepared(model, **settings)
    return config, FusedRecommender(config, train_data.dataset), train_data, valid_data, test_data


def plain(prepared, model="FM", **settings):
    config, train_data, valid_data, test_data = prepared(model, **settings)
    init_seed(config["seed"], True)
    trainer = trainer_for(config)(config, find_model(model)(config, train_data.dataset))
    start_anew(config, train_data)
    return trainer, train_data, valid_data, test_data


def assert_same(state, other):
    assert state.keys() == other.keys()
    for name in state:
        torch.testing.assert_close(state[name], other[name], rtol=0, atol=0, msg=name)


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


@pytest.mark.parametrize("model", ["DecFM", "DecNFM"])
def test_the_deconfounded_half_is_the_same_whether_the_other_was_trained_or_loaded(prepared, model):
    config, both, train_data, valid_data, _ = fused(prepared, model)
    trainer = DecRSTrainer(config, both)
    trainer.fit(train_data, valid_data)
    from_file = trainer.saved_model_file

    alone, *data = plain(prepared, model.removeprefix("Dec"))
    alone.fit(*data[:2])
    alone.load_best()
    assert_same(both.conventional.state_dict(), alone.model.state_dict())

    for path in (from_file, alone.saved_model_file):
        config, again, train_data, valid_data, _ = fused(prepared, model)
        state = load_backbone(config, again, path, train_data.dataset)
        DecRSTrainer(config, again, state).fit(train_data, valid_data)
        assert_same(again.conventional.state_dict(), both.conventional.state_dict())
        assert_same(again.deconfounded.state_dict(), both.deconfounded.state_dict())


@pytest.mark.parametrize("model", ["FM", "BPR"])
def test_a_backbone_of_an_unfinished_training(prepared, model):
    def stop(epoch, score):
        raise KeyboardInterrupt

    alone, train_data, valid_data, test_data = plain(prepared, model)
    with pytest.raises(KeyboardInterrupt):
        alone.fit(train_data, valid_data, callback_fn=stop)
    config, both, train_data, *_ = fused(prepared, f"Dec{model}")
    unfinished = alone.saved_model_file
    with pytest.raises(
        DecRSError, match=f"backbone_checkpoint: {unfinished} is of an unfinished training of {model}, or"
    ):
        load_backbone(config, both, unfinished, train_data.dataset)
    assert alone.evaluate(test_data)  # what there is of it
    again, train_data, valid_data, _ = plain(prepared, model)
    again.resume_checkpoint(unfinished)
    again.fit(train_data, valid_data)
    assert load_backbone(config, both, unfinished, train_data.dataset)["finished"]


@pytest.mark.parametrize("half", ["conventional", "deconfounded"])
def test_a_backbone_out_of_a_training_of_both_that_was_killed(prepared, half):
    """The conventional half is finished as soon as the other one is begun."""
    config, both, train_data, valid_data, _ = fused(prepared)
    trainer = DecRSTrainer(config, both)

    def stop(epoch, score):
        if half in trainer.trainers:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trainer.fit(train_data, valid_data, callback_fn=stop)
    _, other, train_data, *_ = fused(prepared)
    if half == "conventional":
        with pytest.raises(DecRSError, match="is of an unfinished training of FM"):
            load_backbone(config, other, trainer.saved_model_file, train_data.dataset)
        return
    load_backbone(config, other, trainer.saved_model_file, train_data.dataset)
    assert_same(other.conventional.state_dict(), both.conventional.state_dict())


def test_a_half_that_is_finished_is_not_trained_again(prepared, monkeypatch):
    """Killed between the halves: the checkpoint holds the conventional one alone."""
    config, both, train_data, valid_data, _ = fused(prepared)
    trainer = DecRSTrainer(config, both)
    trained = []

    def remember(self, *args, **kwargs):
        trained.append(self.half)
        if len(trained) == 2:
            raise KeyboardInterrupt
        return fit(self, *args, **kwargs)

    fit = SingleTrainer.fit
    monkeypatch.setattr(SingleTrainer, "fit", remember)
    with pytest.raises(KeyboardInterrupt):
        trainer.fit(train_data, valid_data)
    config, again, train_data, valid_data, _ = fused(prepared)
    resumed = DecRSTrainer(config, again)
    resumed.resume_checkpoint(trainer.saved_model_file)
    resumed.fit(train_data, valid_data)
    assert trained == ["conventional", "deconfounded", "deconfounded"]
    assert_same(again.conventional.state_dict(), both.conventional.state_dict())


def test_backbones_that_do_not_fit(prepared):
    trainer, train_data, valid_data, _ = plain(prepared, "NFM", epochs=1)
    trainer.fit(train_data, valid_data)
    config, model, train_data, *_ = fused(prepared)
    with pytest.raises(DecRSError, match="backbone_checkpoint: .* holds a NFM, not a FM"):
        load_backbone(config, model, trainer.saved_model_file, train_data.dataset)

    trainer, train_data, valid_data, _ = plain(prepared, "FM", epochs=1, embedding_size=4)
    trainer.fit(train_data, valid_data)
    with pytest.raises(DecRSError, match="does not fit this FM .*; take the settings it was trained with"):
        load_backbone(config, model, trainer.saved_model_file, train_data.dataset)

    trainer, train_data, valid_data, _ = plain(prepared, "FM", epochs=1, eval_args={"order": "RO"})
    trainer.fit(train_data, valid_data)
    with pytest.raises(DecRSError, match="was made for other data"):
        load_backbone(config, model, trainer.saved_model_file, prepared()[1].dataset)

    trainer, train_data, valid_data, _ = plain(prepared, "FM", epochs=1, group_features="pooled")
    trainer.fit(train_data, valid_data)
    with pytest.raises(DecRSError, match="was trained with group_features: pooled; set it so here"):
        load_backbone(config, model, trainer.saved_model_file, prepared()[1].dataset)


def last_state(trainer):
    return {name: value.clone() for name, value in trainer.model.state_dict().items()}


def test_a_resumed_training_goes_on_as_an_undisturbed_one(prepared):
    whole, train_data, valid_data, _ = plain(prepared, epochs=4, eval_step=1, stopping_step=10, learning_rate=0.5)
    states = {}
    whole.fit(train_data, valid_data, callback_fn=lambda epoch, score: states.update({epoch: last_state(whole)}))
    first, train_data, valid_data, _ = plain(prepared, epochs=2, eval_step=1, learning_rate=0.5)
    first.fit(train_data, valid_data)
    saved_epoch = read_checkpoint(first.saved_model_file)["epoch"]
    second, train_data, valid_data, _ = plain(prepared, epochs=4, eval_step=1, stopping_step=10, learning_rate=0.5)
    torch.rand(7)
    second.resume_checkpoint(first.saved_model_file)
    again = {}
    second.fit(train_data, valid_data, callback_fn=lambda epoch, score: again.update({epoch: last_state(second)}))
    assert list(again) == list(range(saved_epoch + 1, 4))
    for epoch, state in again.items():
        assert_same(state, states[epoch])


def test_a_resumed_decrs_training_keeps_the_finished_half(prepared):
    config, model, train_data, valid_data, test_data = fused(prepared, epochs=3)
    trainer = DecRSTrainer(config, model)
    trainer.fit(train_data, valid_data)
    expected = trainer.evaluate(test_data)
    content = read_checkpoint(trainer.saved_model_file)
    del content["drift_alpha"]  # killed before the end
    write_checkpoint(trainer.saved_model_file, content)
    with pytest.raises(DecRSError, match="is of an unfinished training; train again, or go on by"):
        trainer.evaluate(test_data)
    config, again, train_data, valid_data, test_data = fused(prepared, epochs=3)
    resumed = DecRSTrainer(config, again)
    resumed.resume_checkpoint(trainer.saved_model_file)
    resumed.fit(train_data, valid_data)
    assert resumed.evaluate(test_data) == expected


def test_a_checkpoint_of_another_model_is_not_resumed(prepared):
    trainer, train_data, valid_data, _ = plain(prepared, "NFM", epochs=1)
    trainer.fit(train_data, valid_data)
    other, *_ = plain(prepared, "FM", epochs=1)
    with pytest.raises(DecRSError, match="holds a NFM, not a FM"):
        other.resume_checkpoint(trainer.saved_model_file)


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


def test_checkpoints_of_the_same_second_differ(prepared):
    config, *_ = prepared("FM")
    assert len({new_checkpoint_path(config) for _ in range(50)}) == 50


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_loss_that_is_not_finite(prepared, value):
    trainer, train_data, valid_data, _ = plain(prepared, learning_rate=1e30)
    with pytest.raises(DecRSError, match="the training loss is infinite or not a number; lower learning_rate"):
        trainer.fit(train_data, valid_data)
    with pytest.raises(DecRSError, match="the training loss is infinite or not a number; lower learning_rate"):
        trainer._check_nan(torch.tensor(value))


def test_a_variance_that_training_made_infinite(prepared, monkeypatch):
    """The loss and the scores of NFM stay finite then, and the scores are all the same."""
    trainer, train_data, valid_data, _ = plain(prepared, "NFM")
    (name,) = [name for name, _ in trainer.model.named_buffers() if name.endswith("running_var")][:1]
    epoch = type(trainer).__mro__[2]._train_epoch

    def explode(self, *args, **kwargs):
        loss = epoch(self, *args, **kwargs)
        self.model.state_dict()[name].fill_(np.inf)
        return loss

    monkeypatch.setattr(type(trainer).__mro__[2], "_train_epoch", explode)
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


@pytest.mark.parametrize(("key", "reason"), [("repeatable", "repeatable is set"), ("transform", "features")])
def test_the_log_says_why_training_is_slow(prepared, key, reason):
    config, train_data, *_ = prepared("FM")
    config[key] = True
    assert reason in why_not_by_ids(find_model("FM")(config, train_data.dataset), train_data, config)


def test_recboles_pickles_are_of_no_use_but_its_classes_are(prepared):
    assert get_model("FM") is not find_model("FM")
    assert issubclass(find_model("FM"), get_model("FM"))
    assert DecRSConfig("BPR").model_class is get_model("BPR")


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
