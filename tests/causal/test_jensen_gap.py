import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from recbole_decrs.causal import BackdoorOperator, expected_scores, jensen_gap


@st.composite
def settings_of_eq_6(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, n_groups = draw(st.integers(1, 6)), draw(st.integers(1, 4))
    distributions = rng.dirichlet(np.ones(n_groups), size=n)
    if n > 2:
        distributions[1] = distributions[0]
    probability = rng.dirichlet(np.ones(n))
    return distributions, probability, rng


@given(settings_of_eq_6())
def test_the_expectation_by_loop(problem):
    distributions, probability, rng = problem
    weights = torch.tensor(rng.normal(size=(distributions.shape[1], 3, 5)))

    def scores_under(distribution):
        return torch.einsum("n,nui->ui", torch.as_tensor(distribution), weights).tanh()

    expected = torch.zeros(3, 5, dtype=torch.float64)
    for distribution, p in zip(distributions, probability, strict=True):
        expected += p * scores_under(distribution)
    torch.testing.assert_close(expected_scores(scores_under, distributions, probability), expected)


@given(settings_of_eq_6())
def test_no_gap_where_f_is_linear_in_d(problem):
    """M by Eq. 7 is linear in d, and so is a product with it."""
    distributions, probability, rng = problem
    users, items = (torch.tensor(rng.normal(size=(size, 2, 4))) for size in (3, 6))
    operator = BackdoorOperator(torch.as_tensor(distributions[0]), 4, "product", 1.0).double()

    def scores_under(distribution):
        operator.prior = torch.as_tensor(distribution)
        with torch.no_grad():
            return operator(users) @ items.sum(dim=1).T

    expected = expected_scores(scores_under, distributions, probability)
    at_prior = scores_under(probability @ distributions)
    gap = jensen_gap(expected, at_prior, torch.ones(3, 6, dtype=torch.bool), k=2)
    assert gap.mean == pytest.approx(0, abs=1e-12)
    assert gap.quantiles[1.0] == pytest.approx(0, abs=1e-12)
    assert gap.relative == pytest.approx(0, abs=1e-10)
    assert gap.changed_lists == gap.changed_items == 0


def test_by_hand():
    expected = torch.tensor([[1.0, 2.0, 4.0, 9.0], [1.0, 2.0, 3.0, 0.0]])
    at_prior = torch.tensor([[2.0, 1.0, 3.0, 0.0], [1.0, 2.0, 3.0, 0.0]])
    candidates = torch.tensor([[True, True, True, False], [True, True, True, True]])
    gap = jensen_gap(expected, at_prior, candidates, k=2)
    absolute = [1, 1, 1, 0, 0, 0, 0]
    assert gap.mean == pytest.approx((-1 + 1 + 1) / 7)
    assert gap.quantiles == {share: pytest.approx(np.quantile(absolute, share)) for share in (0.5, 0.95, 0.99, 1.0)}
    spread = (np.std([2, 1, 3], ddof=1) + np.std([1, 2, 3, 0], ddof=1)) / 2
    assert gap.relative == pytest.approx(np.mean(absolute) / spread)
    assert gap.changed_lists == 0.5  # {4, 2} against {3, 2} of the first user, whose last item is no candidate
    assert gap.changed_items == 0.5
    assert gap.k == 2


def test_a_user_with_one_candidate_has_no_spread():
    rng = np.random.default_rng(0)
    expected, at_prior = torch.tensor(rng.normal(size=(2, 4, 6)))
    candidates = torch.ones(4, 6, dtype=torch.bool)
    candidates[2] = torch.arange(6) == 3
    of_others = [scores.std(correction=1).item() for row, scores in enumerate(at_prior) if row != 2]
    absolute = (expected - at_prior)[candidates].abs().mean().item()
    assert jensen_gap(expected, at_prior, candidates).relative == pytest.approx(absolute / np.mean(of_others))
    assert np.isnan(jensen_gap(expected[2:3], at_prior[2:3], candidates[2:3]).relative)


@pytest.mark.parametrize(("expected", "relative"), [([[1.0, 2.0]], np.inf), ([[0.5, 0.5]], 0)])
def test_a_gap_is_infinitely_much_of_scores_that_are_all_alike(expected, relative):
    at_prior = torch.full((1, 2), 0.5)
    assert jensen_gap(torch.tensor(expected), at_prior, torch.ones(1, 2, dtype=torch.bool)).relative == relative


def test_fewer_candidates_than_places():
    rng = np.random.default_rng(0)
    expected, at_prior = torch.tensor(rng.normal(size=(2, 30, 400)))
    candidates = torch.tensor(rng.permuted(np.arange(400) < 5)).expand(30, 400)
    assert jensen_gap(expected, at_prior, candidates, k=20).changed_items == 0
