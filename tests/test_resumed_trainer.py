import pytest
import torch

from recbole_decrs import DecRSError
from recbole_decrs.checkpoint_file import read_checkpoint, write_checkpoint
from recbole_decrs.single_trainer import SingleTrainer
from recbole_decrs.trainer import DecRSTrainer
from trainers import assert_same, fused, plain


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

    fit = SingleTrainer.fit_to_best
    monkeypatch.setattr(SingleTrainer, "fit_to_best", remember)
    with pytest.raises(KeyboardInterrupt):
        trainer.fit(train_data, valid_data)
    config, again, train_data, valid_data, _ = fused(prepared)
    resumed = DecRSTrainer(config, again)
    resumed.resume_checkpoint(trainer.saved_model_file)
    resumed.fit(train_data, valid_data)
    assert trained == ["conventional", "deconfounded", "deconfounded"]
    assert_same(again.conventional.state_dict(), both.conventional.state_dict())


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
