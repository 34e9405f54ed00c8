import pytest

from recbole_decrs import DecRSError
from recbole_decrs.trainer import DecRSTrainer, load_backbone
from trainers import assert_same, fused, plain


@pytest.mark.parametrize("model", ["DecFM", "DecNFM"])
def test_the_deconfounded_half_is_the_same_whether_the_other_was_trained_or_loaded(prepared, model):
    config, both, train_data, valid_data, _ = fused(prepared, model)
    trainer = DecRSTrainer(config, both)
    trainer.fit(train_data, valid_data)
    from_file = trainer.saved_model_file

    alone, *data = plain(prepared, model.removeprefix("Dec"))
    alone.fit(*data[:2])
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


def test_backbones_that_do_not_fit(prepared):
    trainer, train_data, valid_data, _ = plain(prepared, "NFM", epochs=1)
    trainer.fit(train_data, valid_data)
    config, model, train_data, *_ = fused(prepared)
    with pytest.raises(DecRSError, match="backbone_checkpoint: .* holds a NFM, not a FM"):
        load_backbone(config, model, trainer.saved_model_file, train_data.dataset)

    trainer, train_data, valid_data, _ = plain(prepared, "FM", epochs=1, embedding_size=4)
    trainer.fit(train_data, valid_data)
    with pytest.raises(DecRSError, match="backbone_checkpoint: .* was trained with embedding_size: 4; set it so here"):
        load_backbone(config, model, trainer.saved_model_file, train_data.dataset)

    trainer, train_data, valid_data, _ = plain(prepared, "FM", epochs=1, eval_args={"order": "RO"})
    trainer.fit(train_data, valid_data)
    with pytest.raises(DecRSError, match="was made for other data"):
        load_backbone(config, model, trainer.saved_model_file, prepared()[1].dataset)

    trainer, train_data, valid_data, _ = plain(prepared, "FM", epochs=1, group_features="pooled")
    trainer.fit(train_data, valid_data)
    with pytest.raises(DecRSError, match="was trained with group_features: pooled; set it so here"):
        load_backbone(config, model, trainer.saved_model_file, prepared()[1].dataset)


@pytest.mark.parametrize(
    ("model", "trained", "key"),
    [
        ("NFM", {"mlp_activation": "relu"}, "mlp_activation: relu"),
        ("LightGCN", {"n_layers": 1}, "n_layers: 1"),
        ("SASRec", {"n_heads": 1}, "n_heads: 1"),
    ],
)
def test_settings_that_parameters_do_not_show(prepared, model, trained, key):
    others = {"hidden_size": 8, "inner_size": 8} if model == "SASRec" else {}
    trainer, train_data, valid_data, _ = plain(prepared, model, epochs=1, **trained, **others)
    trainer.fit(train_data, valid_data)
    config, both, train_data, *_ = fused(prepared, f"Dec{model}", **trained, **others, dropout_prob=0.2)
    assert load_backbone(config, both, trainer.saved_model_file, train_data.dataset)["finished"]
    changed = {"mlp_activation": "tanh", "n_layers": 2, "n_heads": 2}[next(iter(trained))]
    config, both, train_data, *_ = fused(prepared, f"Dec{model}", **dict.fromkeys(trained, changed), **others)
    with pytest.raises(DecRSError, match=f"backbone_checkpoint: .* was trained with {key}; set it so here"):
        load_backbone(config, both, trainer.saved_model_file, train_data.dataset)
