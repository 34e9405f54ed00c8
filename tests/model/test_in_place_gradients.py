"""Gradients that are added in place are those of the formulas; where torch's own are needed, these are taken."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from test_full_sort import shake
from torch.nn.utils import parametrize

from recbole_decrs import FM, DecFM
from recbole_decrs.data.id_loader import IdLoader
from recbole_decrs.model import in_place_gradients, lookups
from recbole_decrs.model.in_place_gradients import can_add_in_place, frobenius_norm, keep_gradients

N_ROWS, WIDTH = 6, 3


def inputs_of(look_up, seed, n_samples, n_places):
    """Tables and what is looked up in them, of which rows are named twice and some places are padding."""
    torch.manual_seed(seed)
    tables = [torch.nn.Parameter(torch.randn(N_ROWS, width)) for width in (WIDTH, 1)]
    rows = torch.randint(N_ROWS, (n_samples, n_places))
    if look_up == "total_and_within":
        others = [torch.randn(n_samples, WIDTH, requires_grad=True) for _ in range(seed % 3)]
        return tables, [rows, *others]
    used = (torch.rand(rows.shape) < 0.7).float()
    return tables, [rows, used * torch.rand(rows.shape), used]


def gradients_of(module, look_up, tables, inputs, seed):
    """Gradients of a random sum of everything that a look-up gives, by tables and inputs."""
    learned = [*tables, *(tensor for tensor in inputs if tensor.requires_grad)]
    for tensor in learned:
        tensor.grad = None
    found = getattr(module, look_up)(*tables, *inputs)
    generator = torch.Generator().manual_seed(seed)
    sum((one * torch.randn(one.shape, generator=generator)).sum() for one in found).backward()
    return [tensor.detach() for tensor in found], [tensor.grad for tensor in learned]


@settings(deadline=None, max_examples=50)
@given(
    st.sampled_from(["weighted_rows", "separate_rows", "total_and_within"]),
    st.integers(0, 1000),
    st.integers(1, 5),
    st.integers(1, 4),
)
def test_look_ups_have_the_gradients_of_their_formulas(look_up, seed, n_samples, n_places):
    tables, inputs = inputs_of(look_up, seed, n_samples, n_places)
    expected, slopes = gradients_of(lookups, look_up, tables, inputs, seed)
    found, ours = gradients_of(in_place_gradients, look_up, tables, inputs, seed)
    assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))
    for one, other in zip(ours, slopes, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)


def test_gradients_add_up_as_torchs_do(prepared):
    config, train_data, *_ = prepared("DecFM", dropout_prob=0.0, embedding_norm_weight=0.3, bi_batch_norm=False)
    model = DecFM(config, train_data.dataset)
    batch = next(iter(IdLoader(train_data)))
    model.calculate_loss(batch).backward()
    once = model.token_embedding_table.embedding.weight.grad.clone()
    model.calculate_loss(batch).backward()
    torch.testing.assert_close(model.token_embedding_table.embedding.weight.grad, 2 * once)


def test_gradient_of_the_norm(prepared):
    config, train_data, *_ = prepared("FM", embedding_norm_weight=0.3)
    model = shake(FM(config, train_data.dataset))
    tables = model.feature_embeddings()
    norm = frobenius_norm(*tables)
    literal = torch.sqrt(sum((table**2).sum() for table in tables))
    torch.testing.assert_close(norm, literal)
    (0.3 * norm).backward()
    for table in tables:
        torch.testing.assert_close(table.grad, (0.3 * table / literal).detach())


class Doubled(torch.nn.Module):
    def forward(self, table):
        return 2 * table


def frozen(model, table):
    table.requires_grad_(False)


def with_a_hook(model, table):
    table.register_hook(lambda gradient: 3 * gradient)


def with_a_hook_after(model, table):
    def treble(parameter):
        parameter.grad.mul_(3)

    table.register_post_accumulate_grad_hook(treble)


def computed(model, table):
    parametrize.register_parametrization(model.token_embedding_table.embedding, "weight", Doubled())


@pytest.mark.parametrize("change", [frozen, with_a_hook, with_a_hook_after, computed])
def test_where_somebody_else_waits_for_the_gradient_torchs_own_is_taken(prepared, monkeypatch, change):
    config, train_data, *_ = prepared("DecFM", dropout_prob=0.0, embedding_norm_weight=0.3)
    batch = next(iter(IdLoader(train_data)))
    found = []
    for in_place in (True, False):
        model = shake(DecFM(config, train_data.dataset)).train()
        change(model, model.token_embedding_table.embedding.weight)
        model._feature_embeddings = model.feature_embeddings()
        assert not can_add_in_place(model.token_embedding_table.embedding.weight)
        if not in_place:
            monkeypatch.setattr(in_place_gradients, "can_add_in_place", lambda *tables: False)
        model.calculate_loss(batch).backward()
        found.append({name: parameter.grad for name, parameter in model.named_parameters()})
    ours, torchs = found
    without = [name for name, gradient in torchs.items() if gradient is None]
    assert without == (["token_embedding_table.embedding.weight"] if change is frozen else [])
    for name, expected in torchs.items():
        if expected is None:
            assert ours[name] is None
        else:
            torch.testing.assert_close(ours[name], expected, atol=1e-5, rtol=1e-5, msg=name)


def test_a_gradient_that_is_asked_for_by_name_is_refused_by_torch(prepared):
    config, train_data, *_ = prepared("FM")
    model = FM(config, train_data.dataset)
    loss = model.calculate_loss(next(iter(IdLoader(train_data))))
    with pytest.raises(RuntimeError, match="appears to not have been used in the graph"):
        torch.autograd.grad(loss, model.token_embedding_table.embedding.weight)


def test_gradients_stay_where_they_are():
    parameter = torch.nn.Parameter(torch.ones(2))
    optimizer = torch.optim.SGD([parameter], lr=0.1)
    keep_gradients(optimizer)
    parameter.sum().backward()
    gradient = parameter.grad
    optimizer.zero_grad()
    assert parameter.grad is gradient
    assert not gradient.any()
