"""Group coverage and the entropy of a list's groups, against the formulas written out."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import sparse

from recbole_decrs.causal import aggregate_group_coverage, group_coverage, group_entropy

SHARES = arrays.arrays(
    np.float64,
    st.tuples(st.integers(1, 6), st.integers(1, 5)),
    elements=st.sampled_from([0.0, 0.0, 0.1, 0.25, 0.5, 1.0]),
)
"""Means of q^i over lists, of which some have items without a group, or none with one."""


def coverage_of(row):
    return sum(share > 0 for share in row) / len(row)


def entropy_of(row):
    total = sum(row)
    if total == 0:
        return math.nan
    return -sum(share / total * math.log(share / total) for share in row if share > 0)


@given(SHARES)
def test_each_list_by_itself(recommended):
    for kind in (np.asarray, sparse.csr_matrix):
        given_as = kind(recommended)
        np.testing.assert_allclose(group_coverage(given_as), [coverage_of(row) for row in recommended], atol=1e-12)
        np.testing.assert_allclose(group_entropy(given_as), [entropy_of(row) for row in recommended], atol=1e-12)


@given(SHARES)
def test_all_lists_together(recommended):
    shown = {group for row in recommended for group, share in enumerate(row) if share > 0}
    for kind in (np.asarray, sparse.csr_matrix):
        assert aggregate_group_coverage(kind(recommended)) == len(shown) / recommended.shape[1]


@given(SHARES)
def test_entropy_lies_between_0_and_that_of_groups_alike(recommended):
    found = group_entropy(recommended)
    known = ~np.isnan(found)
    most = np.log(np.maximum((recommended > 0).sum(axis=1), 1))
    assert (found[known] >= 0).all()
    assert (found[known] <= most[known] + 1e-12).all()


def test_a_zero_that_is_stored_is_no_group():
    stored = sparse.csr_matrix((np.array([0.0, 1.0, 0.0]), np.array([0, 1, 0]), np.array([0, 2, 3])), shape=(2, 2))
    assert group_coverage(stored).tolist() == [0.5, 0.0]
    np.testing.assert_equal(group_entropy(stored), [0.0, np.nan])
