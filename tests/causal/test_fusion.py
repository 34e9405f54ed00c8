import torch
from hypothesis import given
from hypothesis import strategies as st

from recbole_decrs.causal import fuse_scores


@given(st.integers(1, 4), st.integers(1, 5), st.integers(0, 1000))
def test_fused_score_is_eq_11(n_users, n_items, seed):
    torch.manual_seed(seed)
    conventional, deconfounded = torch.rand(n_users, n_items), torch.rand(n_users, n_items)
    weight = torch.rand(n_users)
    fused = fuse_scores(conventional, deconfounded, weight)
    for u in range(n_users):
        for i in range(n_items):
            expected = (1 - weight[u]) * conventional[u, i] + weight[u] * deconfounded[u, i]
            torch.testing.assert_close(fused[u, i], expected)
