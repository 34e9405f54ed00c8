"""Nothing of a step or of full sort stays behind on the processor, nor asks the device for a number.

torch's ``meta`` device stands for a GPU: it refuses to work with tensors of another device, and has no values that
could be asked for.
"""

import pytest
import torch

from recbole_decrs.config import DecRSConfig
from recbole_decrs.cuda_graph import RecordedGradients
from recbole_decrs.data.id_loader import IdLoader
from recbole_decrs.epoch import train_epoch
from recbole_decrs.model.catalogue import find_model
from recbole_decrs.optimizer import fitted_optimizer
from tiny_data import ALL_TYPES

PAPERS = {
    "group_features": "separate",
    "bi_batch_norm": True,
    "dropout_prob": 0.3,
    "embedding_norm_weight": 0.1,
    "loss_reduction": "sum",
}
RECBOLES = {
    "group_features": "pooled",
    "bi_batch_norm": False,
    "embedding_norm_weight": 0,
    "loss_reduction": "mean",
    "embedding_init_std": None,
}
OPTIONS = {
    "RecBole's": RECBOLES,
    "the paper's": PAPERS,
    "all types of features": ALL_TYPES,
    "ips by user": {"ips": "user"},
    "ips by item": {"ips": "item"},
    "gradients clipped": {"clip_grad_norm": {"max_norm": 1.0}},
}


def options_of(name, options):
    """One of the above as settings of a model; IPS is for conventional ones."""
    return {key: value for key, value in OPTIONS[options].items() if key != "ips" or not name.startswith("Dec")}


def trained(prepared, name, options, device, recorded=False, **others):
    """Train a model from the same weights each time, without dropout: losses of three epochs, the model, the data."""
    even = {"dropout_prob": 0.0, "mlp_dropout_prob": None, "adagrad_initial_accumulator": 1.0}
    others = options_of(name, options) | even | others
    config, train_data, *_ = prepared(name, learner="adagrad", use_gpu=device != "cpu", **others)
    torch.manual_seed(0)
    model = find_model(name)(config, train_data.dataset).to(device).train()
    # The last digits differ; with larger steps, or steps by the sign of a gradient alone, soon the first ones would.
    optimizer = fitted_optimizer(torch.optim.Adagrad(model.parameters(), lr=0.01), model, config)
    loader, gradients = IdLoader(train_data, device), RecordedGradients(model) if recorded else None
    losses = [train_epoch(model, optimizer, loader, config["clip_grad_norm"], gradients).item() for _ in range(3)]
    assert not recorded or gradients.graph is not None
    return losses, model.eval(), train_data.dataset


@pytest.mark.parametrize("name", ["FM", "DecFM", "NFM", "DecNFM"])
def test_what_devices_are_compared_by_is_the_same_twice(prepared, name):
    """So that what :mod:`test_gpu` finds to be different is so by the GPU."""
    (losses, *_), (again, *_) = (trained(prepared, name, "the paper's", "cpu") for _ in range(2))
    assert again == losses


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("name", ["FM", "DecFM", "NFM", "DecNFM"])
def test_a_step_and_full_sort_stay_on_the_device(prepared, name, options):
    config, train_data, *_ = prepared(name, learner="adagrad", **options_of(name, options))
    model = find_model(name)(config, train_data.dataset).to("meta")
    model._feature_embeddings = model.feature_embeddings()  # to meta, unlike to a GPU, makes new parameters
    optimizer = fitted_optimizer(torch.optim.Adagrad(model.parameters(), lr=0.1), model, config)
    model.train()
    batches = [_on_meta(batch) for batch in IdLoader(train_data)]
    assert train_epoch(model, optimizer, batches, config["clip_grad_norm"]).device.type == "meta"
    model.eval()
    users = {name: column.to("meta") for name, column in train_data.dataset.get_user_feature().interaction.items()}
    assert model.full_sort_predict(type(batches[0])(users)).device.type == "meta"


def _on_meta(batch):
    return batch.to(torch.device("meta"))


def test_batches_are_made_on_the_device(prepared):
    _, train_data, *_ = prepared("FM")
    loader = IdLoader(train_data)
    for name in ("users", "items"):
        setattr(loader, name, getattr(loader, name).to("meta"))
    for name in ("counts", "starts", "keys"):
        setattr(loader.unclicked, name, getattr(loader.unclicked, name).to("meta"))
    for batch in loader:
        assert {column.device.type for column in batch.interaction.values()} == {"meta"}


@pytest.mark.parametrize(
    ("given", "device"),
    [({}, "cuda"), ({"use_gpu": False}, "cpu"), ({"gpu_id": ""}, "cpu"), ({"use_gpu": False, "gpu_id": "1"}, "cpu")],
)
def test_the_processor_computes_where_it_is_asked_for(settings, monkeypatch, given, device):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    assert DecRSConfig("FM", "tiny", config_dict=settings | given)["device"].type == device
