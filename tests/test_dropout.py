"""Dropout by 16 bits a value drops as often as it says, keeps the mean, and lets gradients through as torch's does."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_decrs import NFM
from recbole_decrs.dropout import CHANCES, QuickDropout


@settings(deadline=None, max_examples=30)
@given(st.floats(0, 1), st.integers(0, 9), st.integers(1, 7), st.integers(0, 99))
def test_each_value_is_dropped_or_divided_by_the_chance_that_it_is_kept(p, n, width, seed):
    torch.manual_seed(seed)
    values = torch.randn(n, width, requires_grad=True)
    kept = 1 - round(p * CHANCES) / CHANCES
    found = QuickDropout(p)(values)
    assert found.shape == values.shape
    expected = torch.zeros_like(values) if kept == 0 else values / kept
    is_kept = found != 0
    torch.testing.assert_close(found[is_kept], expected[is_kept])
    found.sum().backward()
    slope = 0.0 if kept == 0 else 1 / kept
    torch.testing.assert_close(values.grad, torch.where(is_kept, slope, 0.0).expand_as(values))


@pytest.mark.parametrize("p", [0.1, 0.3, 0.5, 0.9])
def test_values_are_dropped_with_their_probability_and_one_by_one(p):
    torch.manual_seed(0)
    dropped = QuickDropout(p)(torch.ones(200_000, 4)) == 0
    n = len(dropped)
    assert dropped.float().mean(0).tolist() == pytest.approx([p] * 4, abs=5 * (p * (1 - p) / n) ** 0.5)
    # The four values that share a random number, and each with those of the next one, are dropped independently.
    beside = torch.cat([dropped[:-1], dropped[1:]], dim=1).double()
    correlations = torch.corrcoef(beside.T) - torch.eye(8)
    assert correlations.abs().max() < 5 / n**0.5


def test_nothing_is_dropped_in_evaluation_or_with_a_probability_of_zero():
    values = torch.ones(3, 2)
    state = torch.random.get_rng_state()
    assert QuickDropout(0.5).eval()(values) is values
    assert QuickDropout(0.0)(values) is values
    assert torch.equal(torch.random.get_rng_state(), state)


def test_the_models_of_the_paper_have_it_and_keep_the_names_of_their_parameters(prepared):
    config, train_data, *_ = prepared("NFM", mlp_hidden_size=[4], dropout_prob=0.5, mlp_dropout_prob=0.2)
    model = NFM(config, train_data.dataset)
    kinds = {type(layer) for layer in model.modules() if isinstance(layer, torch.nn.Dropout)}
    assert kinds == {QuickDropout}
    assert not any("dropout" in name for name in model.state_dict())
