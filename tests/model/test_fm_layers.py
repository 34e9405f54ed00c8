"""FM whose layers before the sum are others: full sort is what ``predict`` gives, by whatever way."""

import pytest
import torch
from test_full_sort import all_pairs, shake
from torch import nn

from recbole_decrs import FM, DecFM, DecRSError
from recbole_decrs.model.two_sided import TwoSided
from recbole_decrs.model.vectors import inner_product_vectors


def as_it_is(model):
    pass


def linear(model):
    model.bn = nn.Linear(model.embedding_size, 3)


def batch_norm_twice(model):
    model.dropout = nn.Sequential(nn.Dropout(0.5), nn.BatchNorm1d(model.embedding_size))


def tanh(model):
    model.dropout = nn.Tanh()


def layer_norm(model):
    model.bn = nn.LayerNorm(model.embedding_size)


def hook(model):
    model.bn.register_forward_hook(lambda module, inputs, output: output + torch.arange(output.shape[1]))


def other_forward(model):
    model.dropout.forward = torch.relu


@pytest.mark.parametrize("change", [as_it_is, linear, batch_norm_twice, tanh, layer_norm, hook, other_forward])
@pytest.mark.parametrize("kind", [FM, DecFM])
@torch.no_grad()
def test_full_sort_is_predict_and_vectors_rank_alike_or_are_refused(prepared, monkeypatch, kind, change):
    if change not in (layer_norm, hook, other_forward):
        monkeypatch.setattr(TwoSided, "pair_logits", None)  # no pair is put through the layers by itself
    config, train_data, *_ = prepared(kind.__name__)
    dataset = train_data.dataset
    model = kind(config, dataset)
    change(model)
    shake(model)
    users = dataset.get_user_feature()
    torch.testing.assert_close(model.full_sort_predict(users), all_pairs(model, dataset), atol=1e-5, rtol=0)
    if change in (tanh, layer_norm, hook, other_forward):
        with pytest.raises(DecRSError, match=f"{kind.__name__} has no vectors .* with the layers that it comes with"):
            inner_product_vectors(model)
        return
    of_users, of_items = inner_product_vectors(model)
    differences = model.full_sort_logits(users) - of_users @ of_items.T
    torch.testing.assert_close(differences, differences[:, :1].expand_as(differences), atol=1e-5, rtol=0)
