import numpy as np
import pytest
from hypothesis import assume, given
from scipy import sparse

from recbole_decrs.causal import estimate_confounder, expected_distribution, user_history_distribution
from strategies import clicked_data

N_USERS, N_ITEMS, N_GROUPS = 5, 6, 3


def history_of(user, clicks, membership):
    """H_u: the distinct grouped items of the user."""
    return {item for who, item in clicks if who == user and sum(membership[item]) > 0}


def eq_3(user, clicks, membership):
    history = history_of(user, clicks, membership)
    if not history:
        return [0.0] * N_GROUPS
    return [sum(membership[item][group] for item in history) / len(history) for group in range(N_GROUPS)]


def prior_by_loop(clicks, membership):
    """The sum over users of P(d_u) d_u with P(d_u) = |H_u| / sum over v of |H_v|."""
    sizes = [len(history_of(user, clicks, membership)) for user in range(N_USERS)]
    rows = [eq_3(user, clicks, membership) for user in range(N_USERS)]
    return [sum(n / sum(sizes) * row[g] for n, row in zip(sizes, rows, strict=True)) for g in range(N_GROUPS)]


def estimate(clicks, membership):
    users, items = np.array(clicks).T
    return estimate_confounder(("a", "b", "c"), membership, users, items, N_USERS, (users, items))


@given(clicked_data())
def test_user_history_distribution_is_eq_3(data):
    membership, clicks = data
    users, items = np.array(clicks).T
    matrix = sparse.csr_matrix((np.ones(len(users)), (users, items)), shape=(N_USERS, N_ITEMS))
    expected = [eq_3(user, clicks, membership) for user in range(N_USERS)]
    np.testing.assert_allclose(user_history_distribution(matrix, membership), expected, atol=1e-12)


@given(clicked_data())
def test_prior_is_the_mean_over_users_weighted_by_clicks(data):
    membership, clicks = data
    assume(any(history_of(user, clicks, membership) for user in range(N_USERS)))
    confounder = estimate(clicks, membership)
    np.testing.assert_allclose(confounder.prior, prior_by_loop(clicks, membership), atol=1e-12)
    direct = expected_distribution(confounder.user_distribution, confounder.n_clicks)
    np.testing.assert_allclose(direct, confounder.prior)
    assert confounder.prior.sum() == pytest.approx(1)


@given(clicked_data())
def test_priors_for_the_operator(data):
    membership, clicks = data
    assume(any(history_of(user, clicks, membership) for user in range(N_USERS)))
    confounder = estimate(clicks, membership)
    grouped = [row for row in membership if sum(row) > 0]
    np.testing.assert_allclose(
        confounder.prior_for("item"), [sum(column) / len(grouped) for column in zip(*grouped, strict=True)]
    )
    np.testing.assert_allclose(confounder.prior_for("uniform"), [1 / N_GROUPS] * N_GROUPS)
    np.testing.assert_array_equal(confounder.prior_for("interaction"), confounder.prior)
    of_users = confounder.prior_for("user")
    assert sparse.issparse(of_users) == (2 * np.count_nonzero(confounder.user_distribution) < N_USERS * N_GROUPS)
    np.testing.assert_array_equal(sparse.csr_matrix(of_users).toarray(), confounder.user_distribution)
    np.testing.assert_array_equal(confounder.prior_for("learned"), [1])
    with pytest.raises(ValueError, match="interaction, item, uniform, user, learned"):
        confounder.prior_for("clicks")


def test_no_grouped_click_is_an_error():
    with pytest.raises(ValueError, match="no training click"):
        estimate_confounder(("a",), np.zeros((3, 1)), np.array([1]), np.array([1]), 2)


def test_padding_weighs_nothing_even_at_alpha_0():
    membership = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]])
    confounder = estimate([(1, 1), (1, 2), (2, 1), (2, 1)], membership)
    assert confounder.normalized_drift(0)[0] == 0
    assert confounder.normalized_drift(0)[1] == 1


@given(clicked_data())
def test_rows_are_handed_out_as_the_whole_has_them(data):
    membership, clicks = data
    assume(any(history_of(user, clicks, membership) for user in range(N_USERS)))
    confounder, rows = estimate(clicks, membership), np.array([3, 0, 3])
    np.testing.assert_array_equal(confounder.membership, membership)
    np.testing.assert_array_equal(confounder.membership_of(rows), membership[rows])
    np.testing.assert_array_equal(confounder.distribution_of(rows), confounder.user_distribution[rows])
