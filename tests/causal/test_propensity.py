import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from recbole_decrs.causal.propensity import capped_users, item_propensity, unbiased_log_loss, user_weights

clicks = st.lists(st.integers(0, 50), min_size=1, max_size=6).filter(any)


@given(clicks, st.floats(1, 10))
def test_user_weights_are_capped_inverse_propensities(n_clicks, cap):
    probability = [n / sum(n_clicks) for n in n_clicks]
    expected = []
    for p in probability:
        p_u = p / max(probability)
        expected.append(min(1 / p_u, cap) if p_u > 0 else cap)
    np.testing.assert_allclose(user_weights(np.array(n_clicks), cap), expected, rtol=1e-12)


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=20).filter(any), st.integers(1, 20))
def test_capped_users_have_the_greatest_weight(n_clicks, cap):
    clicking = [count for count in n_clicks if count]
    assert capped_users(np.array(n_clicks), cap) == (
        sum(Fraction(max(clicking), count) >= cap for count in clicking),
        len(clicking),
    )


@given(clicks, st.floats(0.01, 1))
def test_item_propensity(n_clicks, floor):
    expected = [max((n / max(n_clicks)) ** 0.5, floor) for n in n_clicks]
    np.testing.assert_allclose(item_propensity(np.array(n_clicks), floor), expected, rtol=1e-12)


@given(st.floats(-5, 5), st.sampled_from([0.0, 1.0]), st.floats(0.05, 1))
def test_unbiased_log_loss(logit, label, theta):
    probability = 1 / (1 + math.exp(-logit))
    clicked, not_clicked = -math.log(probability), -math.log(1 - probability)
    expected = label / theta * clicked + (1 - label / theta) * not_clicked
    loss = unbiased_log_loss(*(torch.tensor([value], dtype=torch.float64) for value in (logit, label, theta)))
    assert loss.item() == pytest.approx(expected, abs=1e-9)


def test_it_is_unbiased():
    """Over clicks that are seen with probability theta, the mean is the log loss of the relevance."""
    logit, theta, relevance = torch.tensor([0.7]), torch.tensor([0.25]), torch.tensor([1.0])
    seen, unseen = (unbiased_log_loss(logit, torch.tensor([label]), theta) for label in (1.0, 0.0))
    expected = torch.nn.functional.binary_cross_entropy_with_logits(logit, relevance)
    torch.testing.assert_close((theta * seen + (1 - theta) * unseen).squeeze(), expected)
