import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import sparse

from recbole_decrs.causal import membership_from_labels, membership_from_weights


@given(st.lists(st.lists(st.integers(0, 5), max_size=6), min_size=1, max_size=8))
def test_labels_share_probability_equally(labels_of_items):
    items = [item for item, labels in enumerate(labels_of_items) for _ in labels]
    groups = [group for labels in labels_of_items for group in labels]
    membership = membership_from_labels(
        np.array(items, dtype=int), np.array(groups, dtype=int), len(labels_of_items), 6
    )
    for item, labels in enumerate(labels_of_items):
        for group in range(6):
            expected = 1 / len(set(labels)) if group in labels else 0
            assert membership[item, group] == pytest.approx(expected)


@given(arrays(np.float64, (4, 3), elements=st.floats(0, 10)))
def test_weights_are_normalised(weights):
    membership = membership_from_weights(weights)
    for row, given_row in zip(membership, weights, strict=True):
        total = sum(given_row)
        for value, weight in zip(row, given_row, strict=True):
            assert value == pytest.approx(weight / total if total > 0 else 0)


@given(arrays(np.float64, (4, 11), elements=st.one_of(st.just(0.0), st.floats(0, 10))))
def test_sparse_weights_come_to_the_same_to_the_last_digit(weights):
    found = membership_from_weights(sparse.csr_matrix(weights))
    np.testing.assert_array_equal(found.toarray(), membership_from_weights(weights))


@pytest.mark.parametrize("kind", [np.array, sparse.csr_matrix])
@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
def test_weights_must_be_finite_and_not_negative(kind, bad):
    with pytest.raises(ValueError, match="finite numbers >= 0"):
        membership_from_weights(kind([[0.5, bad]]))
