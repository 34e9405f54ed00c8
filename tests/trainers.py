"""The trainers, models and data of a test, before ``fit``; and the result that a checkpoint gives when it is loaded."""

import torch
from recbole.utils import init_seed

from recbole_decrs import FusedRecommender, load_data_and_model
from recbole_decrs.model.catalogue import find_model
from recbole_decrs.randomness import start_anew
from recbole_decrs.single_trainer import trainer_for
from recbole_decrs.trainer import DecRSTrainer


def fused(prepared, model="DecFM", **settings):
    """Make a fused recommender that is not trained, and its data."""
    config, train_data, valid_data, test_data = prepared(model, **settings)
    return config, FusedRecommender(config, train_data.dataset), train_data, valid_data, test_data


def plain(prepared, model="FM", **settings):
    """Make the trainer of a single model, and its data, as a run of the program does."""
    config, train_data, valid_data, test_data = prepared(model, **settings)
    init_seed(config["seed"], True)
    trainer = trainer_for(config)(config, find_model(model)(config, train_data.dataset))
    start_anew(config, train_data)
    return trainer, train_data, valid_data, test_data


def assert_same(state, other):
    """Hold two dictionaries of tensors against each other, to the last digit."""
    assert state.keys() == other.keys()
    for name in state:
        torch.testing.assert_close(state[name], other[name], rtol=0, atol=0, msg=name)


def evaluate_again(path):
    """Load the checkpoint of a run and test its model."""
    config, model, _, _, _, test_data = load_data_and_model(path)
    trainer = (DecRSTrainer if isinstance(model, FusedRecommender) else trainer_for(config))(config, model)
    return trainer.evaluate(test_data, load_best_model=False)
