"""Confounders of given matrices, for metrics, which look at nothing else."""

import numpy as np
from scipy import sparse

from recbole_decrs.causal import Confounder


def confounder_of(membership, user_distribution):
    """A Confounder of q^i and d_u, and of one click a user who has a d_u."""
    return Confounder(
        group_names=tuple(map(str, range(membership.shape[1]))),
        sparse_membership=sparse.csr_matrix(membership),
        sparse_user_distribution=sparse.csr_matrix(user_distribution),
        n_clicks=user_distribution.any(axis=1).astype(np.float64),
        prior=user_distribution.mean(axis=0),
        drift=None,
        drifting=None,
    )
