import math

import numpy as np
import pytest
from hypothesis import given
from scipy import sparse

from recbole_decrs.causal import calibration_kl, euclidean, hellinger
from strategies import distributions


@given(distributions(), distributions())
def test_distances_are_their_definitions(p, q):
    for row, (a, b) in enumerate(zip(p, q, strict=True)):
        kl = sum(x * math.log(x / (0.99 * y + 0.01 * x)) for x, y in zip(a, b, strict=True) if x >= 1e-5)
        assert calibration_kl(p, q)[row] == pytest.approx(kl, abs=1e-9)
        h = math.sqrt(sum((math.sqrt(x) - math.sqrt(y)) ** 2 for x, y in zip(a, b, strict=True)) / 2)
        assert hellinger(p, q)[row] == pytest.approx(h, abs=1e-9)
        e = math.sqrt(sum((x - y) ** 2 for x, y in zip(a, b, strict=True)))
        assert euclidean(p, q)[row] == pytest.approx(e, abs=1e-9)


def test_perfect_calibration_is_0():
    p = np.array([0.7, 0.3, 0.0])
    assert calibration_kl(p, p) == pytest.approx(0)
    assert hellinger(p, p) == 0
    assert euclidean(p, p) == 0


def test_the_example_of_the_introduction():
    """70% of a user's movies are action, 90% of the recommendations (paper, Figure 1a)."""
    kl = 0.7 * math.log(0.7 / (0.99 * 0.9 + 0.007)) + 0.3 * math.log(0.3 / (0.99 * 0.1 + 0.003))
    assert calibration_kl(np.array([0.7, 0.3]), np.array([0.9, 0.1])) == pytest.approx(kl)


@given(distributions(), distributions())
def test_sparse_distributions_are_as_far_apart_as_dense_ones(p, q):
    p[0, 0], p[1] = 1e-6, 0  # a probability that takes no part, and a user without a history
    for distance in (calibration_kl, hellinger, euclidean):
        found = distance(sparse.csr_matrix(p), sparse.csr_matrix(q))
        np.testing.assert_allclose(found, distance(p, q), rtol=0, atol=1e-12)
