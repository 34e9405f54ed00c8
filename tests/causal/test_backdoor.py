import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from recbole_decrs.causal import OPERATORS, BackdoorOperator


def eq_7(prior, v, u):
    """The sum over groups a and features b of p(g_a) v_a * x_b u_b."""
    total = torch.zeros_like(v[0])
    for a in range(len(v)):
        for b in range(len(u)):
            total += prior[a] * v[a] * u[b]
    return total


def eq_8(prior, v, u, all_pairs):
    """The sum over pairs of w_a c_a * w_b c_b with w = [prior, x] and c = [v, u]; x is inside u."""
    weighted = [prior[a] * v[a] for a in range(len(v))] + list(u)
    total = torch.zeros_like(v[0])
    for a in range(len(weighted)):
        for b in range(len(weighted)):
            if all_pairs or a < b:
                total += weighted[a] * weighted[b]
    return total


def literal(operator, prior, v, u):
    return eq_7(prior, v, u) if operator == "product" else eq_8(prior, v, u, operator == "fm_all_pairs")


@settings(deadline=None)
@given(st.sampled_from(OPERATORS), st.integers(1, 4), st.integers(1, 3), st.integers(0, 1000))
def test_operator_is_its_equation(operator, n_groups, n_features, seed):
    torch.manual_seed(seed)
    prior = torch.softmax(torch.randn(n_groups), dim=0)
    module = BackdoorOperator(prior, 5, operator, init_std=1.0)
    users = torch.randn(4, n_features, 5)
    expected = torch.stack([literal(operator, prior, module.group_embeddings, u) for u in users])
    torch.testing.assert_close(module(users), expected, atol=1e-5, rtol=1e-4)


@settings(deadline=None)
@given(st.sampled_from(OPERATORS), st.integers(0, 1000))
def test_one_distribution_a_user(operator, seed):
    torch.manual_seed(seed)
    per_user = torch.softmax(torch.randn(6, 3), dim=1)
    module = BackdoorOperator(per_user, 5, operator, init_std=1.0)
    users, features = torch.tensor([2, 2, 5]), torch.randn(3, 2, 5)
    expected = torch.stack(
        [literal(operator, per_user[i], module.group_embeddings, u) for i, u in zip(users, features, strict=True)]
    )
    torch.testing.assert_close(module(features, users), expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("operator", OPERATORS)
def test_gradient_reaches_groups_and_users(operator):
    torch.manual_seed(0)
    module = BackdoorOperator(torch.tensor([0.7, 0.3]), 4, operator)
    users = torch.randn(3, 2, 4, requires_grad=True)
    module(users).sum().backward()
    assert module.group_embeddings.grad.abs().sum() > 0
    assert users.grad.abs().sum() > 0


def test_initial_values():
    torch.manual_seed(0)
    module = BackdoorOperator(torch.full((400,), 1 / 400), 50, init_std=0.3)
    assert module.group_embeddings.shape == (400, 50)
    assert module.group_embeddings.std().item() == pytest.approx(0.3, rel=0.02)


def test_a_feature_of_two_values_weighs_half_each():
    """The paper's example of two jobs with x = 0.5: the pooled embedding enters once."""
    jobs = torch.randn(2, 4)
    module = BackdoorOperator(torch.tensor([1.0]), 4, "product")
    pooled = module(jobs.mean(dim=0)[None, None])
    torch.testing.assert_close(pooled[0], eq_7(torch.tensor([1.0]), module.group_embeddings, 0.5 * jobs))


def test_unknown_operator():
    with pytest.raises(ValueError, match="fm, fm_all_pairs, product"):
        BackdoorOperator(torch.tensor([1.0]), 4, "sum")


@settings(deadline=None)
@given(st.sampled_from(OPERATORS), st.integers(0, 1000), st.floats(0, 1))
def test_sparse_distributions_of_users_are_the_dense_ones(operator, seed, density):
    torch.manual_seed(seed)
    per_user = torch.rand(6, 9, dtype=torch.float64) * (torch.rand(6, 9) < density)
    dense = BackdoorOperator(per_user, 5, operator, init_std=1.0)
    few = BackdoorOperator(sparse.csr_matrix(per_user.numpy()), 5, operator, init_std=1.0)
    few.load_state_dict(dense.state_dict())
    users, features = torch.tensor([5, 0, 2, 5]), torch.randn(4, 2, 5)
    for module in (dense, few):
        module(features, users).sum().backward()
    assert torch.equal(few(features, users), dense(features, users))
    assert torch.equal(few.group_embeddings.grad, dense.group_embeddings.grad)


def test_sparse_distributions_stay_on_the_device():
    module = BackdoorOperator(sparse.csr_matrix(torch.eye(4).numpy()), 5).to("meta")
    asked = torch.zeros(3, 2, 5, device="meta"), torch.zeros(3, dtype=torch.long, device="meta")
    assert module(*asked).device.type == "meta"
