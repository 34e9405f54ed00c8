"""The fold-in against formulas that are slow or closed."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_decrs.serving.fold_in import (
    LEVEL_STD,
    Prior,
    click_loss,
    most_probable,
    negative_weights,
    prior_of,
    with_free_level,
)


@settings(max_examples=8)
@given(seed=st.integers(0, 99), n=st.integers(1, 4), size=st.integers(1, 4))
def test_the_most_probable_vector_of_a_normal_likelihood_is_ridge_regressions(seed, n, size):
    generator = torch.Generator().manual_seed(seed)
    design = torch.randn(5, size, generator=generator)
    seen = torch.randn(n, 5, generator=generator)
    prior = prior_of(torch.randn(20, size, generator=generator))
    found = most_probable(lambda x: 0.5 * ((x @ design.T - seen) ** 2).sum(), prior, n, steps=400)
    precision = torch.linalg.inv(prior.factor @ prior.factor.T)
    expected = torch.linalg.solve(design.T @ design + precision, (seen @ design + prior.mean @ precision).T).T
    torch.testing.assert_close(found, expected, atol=5e-3, rtol=5e-3)


@settings(max_examples=5)
@given(seed=st.integers(0, 99))
def test_users_do_not_depend_on_each_other(seed):
    generator = torch.Generator().manual_seed(seed)
    design, seen = torch.randn(6, 3, generator=generator), torch.rand(4, 6, generator=generator)
    prior = Prior(torch.zeros(3), torch.eye(3))

    def found(rows):
        return most_probable(lambda x: click_loss((x @ design.T).flatten(), x @ design.T, seen[rows]), prior, len(rows))

    together = found([0, 1, 2, 3])
    torch.testing.assert_close(torch.cat([found([row]) for row in range(4)]), together, atol=1e-5, rtol=1e-5)


@given(seed=st.integers(0, 99), n=st.integers(2, 30))
def test_a_prior_has_the_moments_of_the_vectors(seed, n):
    vectors = torch.randn(n, 3, generator=torch.Generator().manual_seed(seed))
    prior = prior_of(vectors)
    torch.testing.assert_close(prior.mean, vectors.mean(dim=0))
    covariance = np.cov(vectors.numpy(), rowvar=False, bias=True)
    np.testing.assert_allclose((prior.factor @ prior.factor.T).numpy(), covariance, atol=1e-3)
    free = with_free_level(prior).factor
    added = (free @ free.T - prior.factor @ prior.factor.T).numpy()
    np.testing.assert_allclose(added, np.diag([0, 0, LEVEL_STD**2]), atol=1e-3)


@given(
    clicked=st.lists(st.lists(st.booleans(), min_size=4, max_size=4), min_size=1, max_size=3),
    each=st.sampled_from([0.5, 1, 3]),
)
def test_negatives_count_as_much_as_so_many_for_each_click(clicked, each):
    clicked = torch.tensor(clicked)
    n_clicks = clicked.sum(dim=1) + 2
    weights = negative_weights(clicked, n_clicks, each)
    for row, clicks, n in zip(weights.tolist(), clicked.tolist(), n_clicks.tolist(), strict=True):
        unclicked = [weight for weight, is_clicked in zip(row, clicks, strict=True) if not is_clicked]
        assert all(weight == 0 for weight, is_clicked in zip(row, clicks, strict=True) if is_clicked)
        assert not unclicked or np.isclose(sum(unclicked), each * n)
        assert len({round(weight, 6) for weight in unclicked}) <= 1
