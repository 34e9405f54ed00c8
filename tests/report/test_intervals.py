import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbole_decrs.report.intervals import NORMAL, mean_over_users


@given(values=st.lists(st.floats(-10, 10), min_size=2, max_size=30))
def test_with_one_list_a_user_it_is_the_textbooks(values):
    found = mean_over_users(np.array(values), np.arange(len(values)))
    margin = NORMAL * np.std(values, ddof=1) / math.sqrt(len(values))
    assert found.mean == pytest.approx(np.mean(values), abs=1e-12)
    assert found.high - found.mean == pytest.approx(margin, abs=1e-9)
    assert found.n_users == len(values)


@given(values=st.lists(st.floats(-10, 10), min_size=2, max_size=12), times=st.integers(2, 5))
def test_lists_of_a_user_that_are_the_same_tell_no_more_than_one(values, times):
    once = mean_over_users(np.array(values), np.arange(len(values)))
    often = mean_over_users(np.repeat(values, times), np.repeat(np.arange(len(values)), times))
    assert often == pytest.approx(once, abs=1e-9)


def test_what_is_not_known_is_left_out():
    found = mean_over_users(np.array([1.0, np.nan, 3.0]), np.array([5, 6, 7]))
    assert (found.mean, found.n_users) == (2, 2)
    assert math.isnan(mean_over_users(np.array([np.nan]), np.array([1])).mean)
    assert math.isnan(mean_over_users(np.array([1.0]), np.array([1])).low)
