"""Updates of the touched rows alone are those of all rows, whatever else is done to the gradient."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_decrs.model.touched_rows import add_to_rows, clear, touched_rows
from recbole_decrs.row_adagrad import RowAdagrad

N_ROWS = 60


def dense_steps(weights, steps, options):
    """What torch's Adagrad, which goes over every row, makes of the weights."""
    weights = torch.nn.Parameter(weights.clone())
    optimizer = torch.optim.Adagrad([weights], fused=True, **options)
    for step in steps:
        weights.grad = torch.zeros_like(weights)
        for kind, rows, values in step:
            change(kind, weights, rows, values, lambda: weights.grad.index_add_(0, rows, values))  # noqa: B023
        optimizer.step()
    return weights.detach(), optimizer.state[weights]


def change(kind, weights, rows, values, add):
    """Add to some rows, or do to the gradient what others do."""
    if kind == "rows":
        add()
    elif kind == "loss":
        (weights * values.sum()).sum().backward()
    elif kind == "clip":
        torch.nn.utils.clip_grad_norm_([weights], 0.5)
    else:
        weights.grad = weights.grad + 1


@settings(deadline=None, max_examples=80)
@given(
    st.integers(0, 10_000),
    st.sampled_from([1, 5, 16]),
    st.lists(
        st.lists(st.tuples(st.sampled_from(["rows"] * 6 + ["loss", "clip", "other"]), st.integers(1, 9)), max_size=3),
        min_size=1,
        max_size=5,
    ),
    st.sampled_from([0.0, 0.1]),
    st.sampled_from([0.0, 0.01]),
)
def test_updates_of_touched_rows_are_those_of_all_rows(seed, width, plan, weight_decay, accumulator):
    torch.manual_seed(seed)
    options = {"lr": 0.05, "weight_decay": weight_decay, "initial_accumulator_value": accumulator, "lr_decay": 0.01}
    steps = [[(kind, torch.randint(N_ROWS, (n,)), torch.randn(n, width)) for kind, n in step] for step in plan]
    initial = torch.randn(N_ROWS, width)
    expected, state = dense_steps(initial, steps, options)
    weights = torch.nn.Parameter(initial.clone())
    weights.grad = torch.ones_like(weights)
    optimizer = RowAdagrad([weights], **options)
    for step in steps:
        optimizer.zero_grad()
        assert not weights.grad.any()
        for kind, rows, values in step:
            change(kind, weights, rows, values, lambda: add_to_rows(weights.grad, rows, values))  # noqa: B023
        optimizer.step()
    torch.testing.assert_close(weights.detach(), expected, rtol=1e-6, atol=1e-7)
    torch.testing.assert_close(optimizer.state[weights]["sum"], state["sum"], rtol=1e-6, atol=1e-7)
    assert optimizer.state[weights]["step"] == state["step"]


def cleared(n_rows=N_ROWS):
    gradient = torch.ones(n_rows, 2)
    clear(gradient)
    return gradient


def test_rows_are_known_once_each_from_when_a_gradient_is_cleared():
    gradient = torch.zeros(N_ROWS, 2)
    add_to_rows(gradient, torch.tensor([3]), torch.ones(1, 2))
    assert touched_rows(gradient) is None
    clear(gradient)
    add_to_rows(gradient, torch.tensor([3, 5, 3]), torch.ones(3, 2))
    assert sorted(touched_rows(gradient).tolist()) == [3, 5]
    add_to_rows(gradient, torch.tensor([5, 7]), torch.ones(2, 2))
    assert sorted(touched_rows(gradient).tolist()) == [3, 5, 7]
    assert gradient[:, 0].nonzero().flatten().tolist() == [3, 5, 7]
    clear(gradient)
    assert not gradient.any()


@pytest.mark.parametrize("place", ["before", "after"])
def test_a_gradient_that_somebody_else_changes_is_dense(place):
    gradient = cleared()
    if place == "before":
        gradient.add_(1)
    add_to_rows(gradient, torch.tensor([3]), torch.ones(1, 2))
    if place == "after":
        gradient.add_(1)
    assert touched_rows(gradient) is None
    clear(gradient)
    assert not gradient.any()


def test_a_table_of_few_rows_is_gone_over_as_a_whole():
    gradient = cleared(8)
    add_to_rows(gradient, torch.tensor([1, 2, 2]), torch.ones(3, 2))
    assert touched_rows(gradient) is None


def test_state_is_that_of_torchs_adagrad():
    weights = torch.nn.Parameter(torch.ones(N_ROWS, 2))
    ours, torchs = RowAdagrad([weights], lr=0.1), torch.optim.Adagrad([weights], lr=0.1, fused=True)
    assert ours.state_dict()["param_groups"] == torchs.state_dict()["param_groups"]
    ours.load_state_dict(torchs.state_dict())
    torchs.load_state_dict(ours.state_dict())
    assert isinstance(ours, torch.optim.Adagrad)


def test_a_closure_gives_the_gradients_and_none_may_be_asked_for():
    weights = torch.nn.Parameter(torch.ones(N_ROWS, 2))
    optimizer = RowAdagrad([weights], lr=0.1)

    def loss():
        total = weights.sum()
        total.backward()
        return total

    assert optimizer.step(loss) == N_ROWS * 2
    assert torch.equal(weights.detach(), torch.full_like(weights, 0.9))
    optimizer.zero_grad(set_to_none=True)
    assert weights.grad is None
