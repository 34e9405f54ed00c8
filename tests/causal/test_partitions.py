import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import sparse

from recbole_decrs.causal import combine, estimate_confounder, statistics_of_users
from strategies import clicked_data

N_USERS = 5


@given(clicked_data(n_users=N_USERS), st.data(), st.sampled_from([0.0, 0.2, 1.0]), st.booleans())
def test_any_partition_of_the_users_gives_what_the_whole_gives(data, choice, alpha, is_sparse):
    membership, clicks = data
    users, items = np.array(clicks).T
    assume(membership[items].any())
    whole = estimate_confounder(("a", "b", "c"), membership, users, items, N_USERS, (users, items))
    part_of_user = np.array(choice.draw(st.lists(st.integers(0, 3), min_size=N_USERS, max_size=N_USERS)))
    q = sparse.csr_matrix(membership) if is_sparse else membership
    within = [part_of_user[users] == part for part in np.unique(part_of_user[users])]
    parts = [statistics_of_users(users[rows], items[rows], q) for rows in within]
    everybody = combine(part.summary for part in parts)

    assert everybody.n_clicks == whole.n_clicks.sum()
    np.testing.assert_allclose(everybody.prior, whole.prior, rtol=0, atol=1e-12)
    for part in parts:
        np.testing.assert_allclose(part.user_distribution, whole.user_distribution[part.users], rtol=0, atol=1e-12)
        np.testing.assert_array_equal(part.n_clicks, whole.n_clicks[part.users])
        np.testing.assert_allclose(part.drift, whole.drift[part.users], rtol=0, atol=1e-12)
        np.testing.assert_array_equal(part.drifting, whole.drifting[part.users])
        weight = everybody.normalized_drift(part.drift, alpha)
        np.testing.assert_allclose(weight, whole.normalized_drift(alpha)[part.users], rtol=0, atol=1e-12)


def test_without_a_grouped_click_there_is_no_prior():
    part = statistics_of_users(np.array([3]), np.array([0]), np.zeros((1, 2)))
    with pytest.raises(ValueError, match="no training click"):
        _ = combine([part.summary]).prior
