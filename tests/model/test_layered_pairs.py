import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from recbole.model.layers import MLPLayers
from test_full_sort import all_pairs, shake
from torch import nn

from recbole_decrs import NFM, DecNFM
from recbole_decrs.distributed.layers import Part, take_parts
from recbole_decrs.model import layered_pairs as module
from recbole_decrs.model.folded_layers import fold
from recbole_decrs.model.layered_pairs import chunk_sizes, layered_pairs
from recbole_decrs.model.sides import Side
from recbole_decrs.model.two_sided import TwoSided

ACTIVATIONS = ["sigmoid", "relu", "tanh", "leakyrelu", "none"]


def one_by_one(layers, users, items):
    """The layers of each pair's bi-interaction vector."""
    pairs = users.within[:, None] + items.within + users.total[:, None] * items.total
    return nn.Sequential(*layers)(pairs.flatten(0, 1)).view(len(users.total), len(items.total))


@settings(max_examples=60, deadline=None)
@given(
    activation=st.sampled_from(ACTIVATIONS),
    sizes=st.lists(st.integers(1, 5), min_size=2, max_size=4),
    batch_norm=st.booleans(),
    n_users=st.integers(0, 5),
    n_items=st.integers(1, 9),
    at_once=st.tuples(st.integers(1, 4), st.integers(1, 60)),
    seed=st.integers(0, 999),
)
@torch.no_grad()
def test_equals_each_pair_put_through_the_layers(activation, sizes, batch_norm, n_users, n_items, at_once, seed):
    torch.manual_seed(seed)
    mlp = MLPLayers(sizes, 0.5, activation=activation, bn=batch_norm)
    layers = [nn.BatchNorm1d(sizes[0]), mlp, nn.Dropout(0.5), nn.Linear(sizes[-1], 1, bias=False)]
    shake(nn.Sequential(*layers), seed).double()
    users, items = (
        Side(torch.randn(n, sizes[0]).double(), torch.randn(n, sizes[0]).double(), torch.zeros(n))
        for n in (n_users, n_items)
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "USERS_AT_ONCE", at_once[0])
        patch.setattr(module, "VALUES_AT_ONCE", at_once[1])
        found = layered_pairs(users, items, fold(layers, users.total))
    torch.testing.assert_close(found, one_by_one(layers, users, items), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("hidden", [[7], [7, 4, 6]])
@pytest.mark.parametrize("model_class", [NFM, DecNFM])
@torch.no_grad()
def test_full_sort_is_predict(prepared, monkeypatch, model_class, hidden, activation):
    monkeypatch.setattr(TwoSided, "pair_logits", None)  # nothing is put through the layers one by one
    config, train_data, *_ = prepared(model_class.__name__, mlp_activation=activation, mlp_hidden_size=hidden)
    model = shake(model_class(config, train_data.dataset))
    scores = model.full_sort_predict(train_data.dataset.get_user_feature())
    torch.testing.assert_close(scores, all_pairs(model, train_data.dataset), rtol=1e-5, atol=1e-6)


@torch.no_grad()
def test_float32_is_as_near_to_the_truth_as_the_formula():
    torch.manual_seed(0)
    for activation in ACTIVATIONS:
        layers = [nn.BatchNorm1d(64), MLPLayers([64, 64], activation=activation, bn=True), nn.Linear(64, 1, bias=False)]
        shake(nn.Sequential(*layers))
        users, items = (Side(torch.randn(n, 64), torch.randn(n, 64), torch.zeros(n)) for n in (7, 200))
        expected, found = one_by_one(layers, users, items), layered_pairs(users, items, fold(layers, users.total))
        in_double = [Side(*(tensor.double() for tensor in side)) for side in (users, items)]
        exact = one_by_one([layer.double() for layer in layers], *in_double)
        assert (found - exact).abs().max() <= 2 * (expected - exact).abs().max()


def hook(model):
    model.predict_layer.register_forward_hook(lambda module, inputs, output: output + 1)


def other_forward(model):
    model.mlp_layers.forward = lambda vectors: vectors.relu()


def other_layer(model):
    model.mlp_layers.mlp_layers.append(nn.Softmax(dim=-1))


def no_statistics(model):
    model.bn = nn.BatchNorm1d(len(model.bn.weight), track_running_stats=False)


class Doubled(NFM):
    def logits_of(self, bi_interaction):
        return 2 * super().logits_of(bi_interaction)


@pytest.mark.parametrize("change", [hook, other_forward, other_layer, None])
@torch.no_grad()
def test_what_cannot_be_folded_is_put_through_one_by_one(prepared, change):
    config, train_data, *_ = prepared("NFM", mlp_hidden_size=[8])
    model = (Doubled if change is None else NFM)(config, train_data.dataset)
    shake(model)
    if change is not None:
        change(model)
        model.eval()
        assert fold((model.bn, model.mlp_layers, model.predict_layer), torch.empty(0, model.embedding_size)) is None
    scores = model.full_sort_predict(train_data.dataset.get_user_feature())
    torch.testing.assert_close(scores, all_pairs(model, train_data.dataset), rtol=1e-5, atol=1e-6)


def test_layers_in_training_are_not_folded():
    vectors = torch.empty(0, 3)
    assert fold([nn.BatchNorm1d(3)], vectors) is None
    assert fold([nn.BatchNorm1d(3, track_running_stats=False).eval()], vectors) is None
    assert len(fold([nn.BatchNorm1d(3).eval()], vectors)) == 1


def test_chunks():
    cpu, other = torch.device("cpu"), torch.device("meta")
    assert chunk_sizes(100, 16845, 64, cpu) == (16, 512)
    assert chunk_sizes(100, 100, 64, cpu) == (81, 100)
    assert chunk_sizes(3, 100, 64, cpu) == (3, 100)
    assert chunk_sizes(100, 16845, 1 << 20, cpu) == (16, 1)
    assert chunk_sizes(100, 16845, 64, other) == (62, 16845)


def test_layers_of_several_processes_are_folded_as_well(prepared):
    config, train_data, *_ = prepared("NFM")
    model = NFM(config, train_data.dataset)
    take_parts(model, Part())
    modules = (model.bn, model.mlp_layers, model.predict_layer)
    model.eval()
    assert fold(modules, torch.zeros(1, config["embedding_size"])) is not None
