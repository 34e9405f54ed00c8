"""Random inputs shared by the tests of the formulas."""

import numpy as np
from hypothesis import strategies as st


@st.composite
def distributions(draw, rows=3, groups=4):
    weights = np.array(
        draw(st.lists(st.lists(st.floats(0, 1), min_size=groups, max_size=groups), min_size=rows, max_size=rows))
    )
    weights[weights < 1e-3] = 0
    weights[weights.sum(axis=1) == 0, 0] = 1
    return weights / weights.sum(axis=1, keepdims=True)


@st.composite
def clicked_data(draw, n_users=5, n_items=6, n_groups=3):
    """Membership with some items in no group, and clicks in the order of time, some of them repeated."""
    listed = draw(st.lists(st.sets(st.integers(0, n_groups - 1)), min_size=n_items - 1, max_size=n_items - 1))
    membership = np.zeros((n_items, n_groups))
    for item, groups in enumerate(listed, start=1):
        for group in groups:
            membership[item, group] = 1 / len(groups)
    clicks = draw(
        st.lists(st.tuples(st.integers(1, n_users - 1), st.integers(1, n_items - 1)), min_size=1, max_size=40)
    )
    return membership, clicks
