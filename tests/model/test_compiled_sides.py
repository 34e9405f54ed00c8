"""The compiled loops over the features of a side give what torch's formulas give, and their gradients."""

import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_decrs import FM, DecFM
from recbole_decrs.data.id_loader import IdLoader
from recbole_decrs.model import compiled_sides, sides
from recbole_decrs.model.compiled_sides import Field, can_compile, side_of
from recbole_decrs.model.touched_rows import clear, touched_rows

pytest.importorskip("numba")
pytestmark = pytest.mark.usefixtures("one_thread")
N_IDS, N_ROWS, WIDTH = 7, 9, 3


def random_fields(kinds, dtype):
    """Fields of random rows and weights, some of them padding; the last two share their tables."""
    fields = []
    for n_places, separate in kinds:
        tables = [torch.nn.Parameter(torch.randn(N_ROWS, width, dtype=dtype)) for width in (WIDTH, 1)]
        rows = torch.randint(N_ROWS, (N_IDS, n_places))
        used = (torch.rand(rows.shape) < 0.7).float()
        fields.append(Field(*tables, rows, used * torch.rand(rows.shape), used, separate, int(rows.max())))
    if len(fields) > 1:
        fields[-1] = fields[-1]._replace(table=fields[-2].table, first_table=fields[-2].first_table)
    return fields


def literal(fields, ids):
    """The sums over the features of each sample, and over their pairs, one by one."""
    totals, withins, orders = [], [], []
    for one in ids.tolist():
        features, order = [], fields[0].first_table.new_zeros(())
        for field in fields:
            weighted = [w * field.table[row] for row, w in zip(field.rows[one], field.weights[one], strict=True)]
            features += weighted if field.separate else [sum(weighted)]
            order = order + (field.first_weights[one] * field.first_table[field.rows[one], 0]).sum()
        totals.append(sum(features))
        pairs = [x * y for place, x in enumerate(features) for y in features[:place]]
        withins.append(sum(pairs, torch.zeros_like(features[0])))
        orders.append(order)
    return torch.stack(totals), torch.stack(withins), torch.stack(orders)


def slopes_of(found, fields, seed):
    """The gradients of a random sum of everything that is given."""
    tables = [table for field in fields for table in field[:2]]
    for table in tables:
        table.grad = None
    generator = torch.Generator().manual_seed(seed)
    sum((one * torch.randn(one.shape, generator=generator)).sum() for one in found).backward()
    return [table.grad.clone() for table in tables]


@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 10_000),
    st.lists(st.tuples(st.integers(1, 4), st.booleans()), min_size=1, max_size=4),
    st.integers(1, 6),
    st.sampled_from([torch.float32, torch.float64]),
)
def test_sums_and_gradients_are_those_of_the_features_one_by_one(seed, kinds, n, dtype):
    torch.manual_seed(seed)
    fields, ids = random_fields(kinds, dtype), torch.randint(N_IDS, (n,))
    assert can_compile(fields)
    expected = literal(fields, ids)
    slopes = slopes_of(expected, fields, seed)
    found = side_of(fields, ids)
    ours = slopes_of(found, fields, seed)
    for one, other in zip([*found, *ours], [*expected, *slopes], strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)


def test_the_rows_that_were_added_to_are_remembered():
    torch.manual_seed(0)
    (field,) = random_fields([(2, True)], torch.float32)
    field.table.data, field.first_table.data = torch.randn(1000, WIDTH), torch.randn(1000, 1)
    for table in field[:2]:
        table.grad = torch.ones_like(table)
        clear(table.grad)
    ids = torch.tensor([0, 3, 3])
    sum(one.sum() for one in side_of([field], ids)).backward()
    for table in field[:2]:
        assert set(touched_rows(table.grad).tolist()) == set(field.rows[[0, 3]].flatten().tolist())
        others = torch.ones(1000, dtype=torch.bool)
        others[touched_rows(table.grad)] = False
        assert not table.grad[others].any()


def test_what_is_not_there_is_refused_and_not_read():
    torch.manual_seed(0)
    (field,) = random_fields([(2, True)], torch.float32)
    for ids in ([N_IDS], [-1]):
        with pytest.raises(IndexError, match="ids go from 0 to 6"):
            side_of([field], torch.tensor(ids))
    field.table.data = field.table.data[: field.greatest_row]
    with pytest.raises(IndexError, match="too short"):
        side_of([field], torch.tensor([0]))
    assert [len(one) for one in side_of([field._replace(greatest_row=0)], torch.tensor([], dtype=torch.long))] == [
        0
    ] * 3


@pytest.mark.parametrize("model", [FM, DecFM])
def test_a_model_has_the_loss_and_the_gradients_that_it_has_without_the_loops(prepared, monkeypatch, model):
    config, train_data, *_ = prepared(model.__name__, group_features="separate", dropout_prob=0.3)
    batch, found = next(iter(IdLoader(train_data))), []
    for compiled in (True, False):
        if not compiled:
            monkeypatch.setattr(sides, "can_compile", lambda fields: False)
        torch.manual_seed(1)
        one = model(config, train_data.dataset)
        loss = one.calculate_loss(batch)
        loss.backward()
        found.append({"loss": loss.detach(), **{name: value.grad for name, value in one.named_parameters()}})
    for name, expected in found[1].items():
        torch.testing.assert_close(found[0][name], expected, atol=1e-5, rtol=1e-5, msg=name)


def test_the_formulas_are_taken_where_numba_is_missing_or_is_told_not_to_compile(monkeypatch):
    fields = random_fields([(2, True)], torch.float32)
    monkeypatch.setattr("numba.config.DISABLE_JIT", 1)
    assert compiled_sides.loops.__wrapped__() is None
    monkeypatch.setitem(sys.modules, "numba", None)
    assert compiled_sides.loops.__wrapped__() is None
    monkeypatch.setattr(compiled_sides, "loops", lambda: None)
    assert not can_compile(fields)


def test_the_formulas_are_taken_where_torch_has_several_threads():
    fields = random_fields([(2, True)], torch.float32)
    assert can_compile(fields)
    torch.set_num_threads(2)
    assert not can_compile(fields)


def test_the_formulas_are_taken_where_somebody_else_waits_for_a_gradient_or_the_type_is_another():
    fields = random_fields([(2, True)], torch.float32)
    fields[0].table.requires_grad_(False)
    assert not can_compile(fields)
    assert not can_compile(random_fields([(2, True)], torch.bfloat16))
    assert not can_compile([])
