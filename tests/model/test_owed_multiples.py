"""A step that is owed the gradient of a norm is the step that torch makes with the whole gradient."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_decrs import FM
from recbole_decrs.data.id_loader import IdLoader
from recbole_decrs.epoch import train_epoch
from recbole_decrs.model.in_place_gradients import frobenius_norm
from recbole_decrs.model.owed_multiples import norm_of, owed_of
from recbole_decrs.model.touched_rows import add_to_rows, named_rows
from recbole_decrs.row_adagrad import RowAdagrad

pytest.importorskip("numba")
pytestmark = pytest.mark.usefixtures("one_thread")


def add_all(gradient, rows, values):
    gradient.index_add_(0, rows, values)


@settings(deadline=None, max_examples=40)
@given(
    st.integers(0, 10_000),
    st.lists(st.sampled_from(["norm", "none", "twice", "changed", "left out", "rows", "rows"]), min_size=1, max_size=5),
    st.sampled_from([0.0, 0.01]),
    st.sampled_from([0.0, 0.02]),
    st.sampled_from([torch.float32, torch.float64]),
)
def test_steps_are_torchs(seed, plan, lr_decay, accumulator, dtype):
    torch.manual_seed(seed)
    options = {"lr": 0.1, "lr_decay": lr_decay, "initial_accumulator_value": accumulator}
    initial = [torch.randn(5, 3, dtype=dtype), torch.randn(4, 2, dtype=dtype)]
    weights = [torch.randn(one.shape, dtype=dtype) for one in initial]
    found = []
    for kind in (torch.optim.Adagrad, RowAdagrad):
        tables = [torch.nn.Parameter(one.clone()) for one in initial]
        optimizer, norms = kind(tables, **options), []

        def literal(tables):
            return torch.sqrt(sum((table**2).sum() for table in tables))

        take_norm = frobenius_norm if kind is RowAdagrad else literal
        add = add_to_rows if kind is RowAdagrad else add_all

        def steps(tables=tables, optimizer=optimizer, norms=norms, take_norm=take_norm, add=add):
            for step in plan:
                optimizer.zero_grad()
                if step == "changed":
                    with torch.no_grad():
                        tables[0].mul_(1.5)
                loss = sum((table * weight).sum() for table, weight in zip(tables, weights, strict=True))
                loss = 0 * loss.detach() if step == "rows" else loss
                for _ in range({"none": 0, "twice": 2}.get(step, 1)):
                    norm = take_norm(tables) if take_norm is literal else take_norm(*tables)
                    norms.append(norm.item())
                    loss = loss + 0.3 * norm
                loss.backward()
                if step == "rows":
                    for table, weight in zip(tables, weights, strict=True):
                        add(table.grad, torch.tensor([1, 2, 1]), weight[:3])
                if step != "left out":
                    optimizer.step()

        if kind is RowAdagrad:
            with optimizer.owed_multiples():
                steps()
            assert all(owed_of(table) is None for table in tables)
        else:
            steps()
        found.append((norms, tables, [optimizer.state[table] for table in tables]))
    (norms, tables, states), (our_norms, ours, our_states) = found
    assert our_norms == pytest.approx(norms, rel=1e-6)
    for table, state, our, our_state in zip(tables, states, ours, our_states, strict=True):
        torch.testing.assert_close(our.detach(), table.detach(), rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(our_state["sum"], state["sum"], rtol=1e-5, atol=1e-6)
        assert our_state["step"] == state["step"]


def test_a_step_reads_the_gradient_of_the_named_rows_alone():
    table = torch.nn.Parameter(torch.ones(6, 2))
    optimizer = RowAdagrad([table], lr=0.1)
    table.grad = torch.zeros_like(table)
    with optimizer.owed_multiples():
        for rows in ([3, 5], [0]):
            optimizer.zero_grad()
            frobenius_norm(table).backward()
            add_to_rows(table.grad, torch.tensor(rows), torch.ones(len(rows), 2))
            assert [one.tolist() for one in named_rows(table.grad)] == [rows]
            optimizer.step()
            assert not table.grad.any()
            assert not owed_of(table).marks.any()


def test_the_norm_that_a_step_left_behind_is_not_taken_of_a_table_that_was_changed_since():
    table = torch.nn.Parameter(torch.ones(4, 4))
    optimizer = RowAdagrad([table], lr=0.1)
    with optimizer.owed_multiples():
        frobenius_norm(table).backward()
        assert not table.grad.any()
        optimizer.step()
        assert owed_of(table).squares == pytest.approx((table**2).sum().item())
        with torch.no_grad():
            table.fill_(2.0)
        assert norm_of(table) == 8
    frobenius_norm(table).backward()
    torch.testing.assert_close(table.grad, torch.full((4, 4), 0.25))


def test_a_model_that_ranks_between_steps_ranks_by_what_it_has_become(prepared):
    config, train_data, *_ = prepared("FM", embedding_norm_weight=0.3)
    model = FM(config, train_data.dataset).eval()
    optimizer = RowAdagrad(model.parameters(), lr=0.1)
    users = train_data.dataset.get_user_feature()
    for _ in range(2):
        kept = model.full_sort_logits(users)
        train_epoch(model, optimizer, IdLoader(train_data))
        ranked = model.full_sort_logits(users)
        model._item_side_of = None
        torch.testing.assert_close(ranked, model.full_sort_logits(users))
        assert not torch.allclose(ranked, kept)


def test_nothing_is_owed_where_gradients_are_clipped(prepared):
    seen = []
    for clip in (None, {"max_norm": 1e6}):
        config, train_data, *_ = prepared("FM", embedding_norm_weight=0.3, dropout_prob=0.0)
        torch.manual_seed(0)
        model = FM(config, train_data.dataset)
        optimizer = RowAdagrad(model.parameters(), lr=0.01)
        loss = train_epoch(model, optimizer, IdLoader(train_data), clip)
        table = model.token_embedding_table.embedding.weight
        seen.append((loss.item(), bool(table.grad.any()), table.detach()))
    (loss, left, table), (clipped_loss, clipped_left, clipped) = seen
    assert (left, clipped_left) == (False, True)
    assert loss == pytest.approx(clipped_loss, rel=1e-5)
    torch.testing.assert_close(table, clipped, rtol=1e-4, atol=1e-5)
