"""Problems for re-rankers, and what each of them promises (``RegisteredReranker.__call__``)."""

import numpy as np
import torch
from hypothesis import strategies as st

from recbole_decrs.causal import estimate_confounder

N_USERS, N_ITEMS, N_CANDIDATES = 4, 15, 9


@st.composite
def problems(draw, weights=(0.0, 0.01, 0.2, 0.5, 0.99, 1.0)):
    """Candidates of some users, with ties, missing candidates, items without a group and users without a history."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_groups = draw(st.integers(1, 5))
    labels = rng.random((N_ITEMS, n_groups)) < draw(st.sampled_from([0.2, 0.5]))
    membership = labels * (rng.random(labels.shape) if draw(st.booleans()) else 1.0)
    membership[0] = 0
    membership[1, 0] = 1
    sums = membership.sum(axis=1, keepdims=True)
    membership = np.divide(membership, sums, out=np.zeros_like(membership), where=sums > 0)
    users, items = rng.integers(1, N_USERS, 12), rng.integers(1, N_ITEMS, 12)
    users, items = np.append(users, 1), np.append(items, 1)
    confounder = estimate_confounder(tuple(map(str, range(n_groups))), membership, users, items, N_USERS)
    rows = draw(st.integers(1, 3))
    candidates = np.array([rng.permutation(np.arange(1, N_ITEMS))[:N_CANDIDATES] for _ in range(rows)])
    steps = draw(st.sampled_from([4, 1000]))  # few distinct scores make ties
    scores = -np.sort(-np.round(rng.random((rows, N_CANDIDATES)) * steps) / steps, axis=1)
    scores[0, draw(st.integers(3, N_CANDIDATES)) :] = -np.inf
    weight = draw(st.sampled_from(weights))
    return confounder, torch.tensor(scores), torch.tensor(candidates), torch.arange(rows) + 1, weight


def check_promises(rerank, problem, length):
    """Hold a re-ranker to everything that it promises, on one problem."""
    confounder, scores, items, users, weight = problem
    n_rows, n_candidates = scores.shape
    given = [tensor.clone() for tensor in (scores, items, users)]
    ranking = rerank(scores, items, confounder, users, weight, n_candidates)
    assert all(map(torch.equal, given, (scores, items, users))), "it changes what it is given"

    everyone = list(range(n_candidates))
    assert ranking.shape == scores.shape
    assert all(sorted(row) == everyone for row in ranking.tolist()), "it does not name every candidate once"
    shorter = rerank(scores, items, confounder, users, weight, length)
    assert shorter.tolist() == ranking[:, :length].tolist(), "a shorter ranking is not the beginning of a longer one"
    unchanged = rerank(scores, items, confounder, users, 0.0, n_candidates)
    assert unchanged.tolist() == [everyone] * n_rows, "weight 0 changes the order of relevance"

    for row in range(n_rows):
        rows = slice(row, row + 1)
        alone = rerank(scores[rows], items[rows], confounder, users[rows], weight, n_candidates)
        assert alone.tolist() == ranking[rows].tolist(), "a row depends on others"
        order, n_there = ranking[row].tolist(), int(scores[row].isfinite().sum())
        assert order[n_there:] == everyone[n_there:], "missing candidates do not come last"
        groups = confounder.membership[items[row].numpy()]
        alike = {}
        for place in order[:n_there]:
            alike.setdefault((float(scores[row, place]), tuple(groups[place])), []).append(place)
        assert all(places == sorted(places) for places in alike.values()), "ties do not keep the order of relevance"
