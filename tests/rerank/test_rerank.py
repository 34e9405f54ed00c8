import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

import literal
from recbole_decrs.causal import calibration_kl, estimate_confounder
from recbole_decrs.rerank import RERANKERS
from recbole_decrs.rerank.candidates import groups_of, scaled_to_unit
from rerank_problems import N_CANDIDATES, problems


@pytest.mark.parametrize("name", literal.RERANKERS)
@settings(max_examples=150, deadline=None)
@given(problem=problems(), length=st.integers(1, N_CANDIDATES))
def test_as_the_literal_loop(name, problem, length):
    confounder, scores, items, users, weight = problem
    ranking = RERANKERS[name](scores, items, confounder, users, weight, length)
    expected = [
        literal.RERANKERS[name](row.tolist(), row_items.tolist(), confounder, int(user), weight, length)
        for row, row_items, user in zip(scores, items, users, strict=True)
    ]
    assert ranking.tolist() == expected


@pytest.mark.parametrize("weight", [step / 100 for step in range(1, 21)])
def test_ties_among_many_candidates(weight):
    """(1 - theta) * place + theta * rank has ties that no rounding may part; in whole numbers there is none."""
    rng = np.random.default_rng(7)
    n_items, n_groups = 101, 6
    membership = np.eye(n_groups)[rng.integers(n_groups, size=n_items)]
    confounder = estimate_confounder(tuple("abcdef"), membership, np.array([1]), np.array([1]), 2)
    scores = torch.linspace(1, 0, 100, dtype=torch.float64).unsqueeze(0)
    items = torch.arange(1, 101).unsqueeze(0)
    found = RERANKERS["diversity"](scores, items, confounder, torch.tensor([1]), weight, 20)[0].tolist()
    hundredths, groups = round(100 * weight), membership[1:].argmax(axis=1)
    chosen = [0]
    while len(chosen) < 20:
        left = [place for place in range(100) if place not in chosen]
        unlike_first = sorted(left, key=lambda place: (sum(groups[place] == groups[other] for other in chosen), place))
        ranks = {place: rank for rank, place in enumerate(unlike_first)}
        chosen.append(min(left, key=lambda place: ((100 - hundredths) * place + hundredths * ranks[place], place)))
    assert found == chosen


def test_calibration_of_equals_that_rounding_would_part():
    """After item 3 (groups a and b) items 1 (b and d) and 2 (d) leave the same C_KL; the first of them is taken."""
    bd, a, ab, d = [0, 0.5, 0, 0.5], [1, 0, 0, 0], [0.5, 0.5, 0, 0], [0, 0, 0, 1]
    membership = np.array([[0, 0, 0, 0], bd, d, ab, ab, a, a, a])
    user, clicked = np.ones(6, dtype=int), np.arange(2, 8)
    confounder = estimate_confounder(tuple("abcd"), membership, user, clicked, 2)
    assert np.allclose(confounder.user_distribution[1], [2 / 3, 1 / 6, 0, 1 / 6])
    for items, scores in (([2, 3, 1], [1, 0.75, 0.5]), ([1, 3, 2], [1, 0.75, 0.5])):
        found = RERANKERS["calibration"](
            torch.tensor([scores]), torch.tensor([items]), confounder, torch.tensor([1]), 1.0, 2
        )
        assert found.tolist() == [[1, 0]]


def test_calibration_by_hand():
    """A history of one group in four clicks: without calibration the other group would not be listed at all."""
    membership = np.array([[0, 0], [1, 0], [1, 0], [1, 0], [0, 1]], dtype=float)
    confounder = estimate_confounder(("a", "b"), membership, np.array([1, 1, 1, 1]), np.array([1, 2, 3, 4]), 2)
    scores, items = torch.tensor([[0.9, 0.8, 0.7, 0.1]]), torch.tensor([[1, 2, 3, 4]])
    plain = RERANKERS["calibration"](scores, items, confounder, torch.tensor([1]), 0.0, 2)
    calibrated = RERANKERS["calibration"](scores, items, confounder, torch.tensor([1]), 0.9, 2)
    assert plain.tolist() == [[0, 1]]
    assert calibrated.tolist() == [[0, 3]]
    before, after = (
        calibration_kl(confounder.user_distribution[1], membership[items[0, row]].mean(axis=0))
        for row in (plain[0], calibrated[0])
    )
    assert after < before


@pytest.mark.parametrize(
    ("score", "weight", "expected"),
    [
        (0.3, 1.0, [0, 1, 2, 3]),  # b's exposure / merit is 1.44, more than a's 0.89, however many items a has
        (0.6, 1.0, [0, 1, 3, 2]),  # b's is 0.72, so that its item gets 0.6 + 0.17
        (0.6, 2.0, [3, 0, 1, 2]),
    ],
)
def test_fairco_by_hand(score, weight, expected):
    """Group a has three items with 1 + 0.63 + 0.5 of exposure and 2.4 of merit, group b one item below them."""
    membership = np.array([[0, 0], [1, 0], [1, 0], [1, 0], [0, 1]], dtype=float)
    confounder = estimate_confounder(("a", "b"), membership, np.array([1]), np.array([1]), 2)
    scores, items = torch.tensor([[0.9, 0.8, 0.7, score]]), torch.tensor([[1, 2, 3, 4]])
    assert RERANKERS["fairco"](scores, items, confounder, torch.tensor([1]), weight, 4).tolist() == [expected]


def test_scores_are_scaled_per_user():
    scores = torch.tensor([[3.0, 1.0, -1.0], [2.0, 2.0, -torch.inf]])
    assert scaled_to_unit(scores).tolist() == [[1.0, 0.5, 0.0], [1.0, 1.0, -torch.inf]]


def test_groups_of_items():
    membership = np.array([[0, 0, 0], [0, 0.25, 0.75], [1, 0, 0]])
    groups, weights = groups_of(sparse.csr_matrix(membership), torch.tensor([[1, 2, 0]]))
    dense = torch.zeros(3, 3, dtype=torch.float64).scatter_add_(1, groups[0], weights[0])
    assert dense.tolist() == membership[[1, 2, 0]].tolist()
