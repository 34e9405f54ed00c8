"""Hands out the rows of d_u on the device of a model, for M(d_u, u), from what is not zero in them."""

from __future__ import annotations

import numpy as np
import torch
from scipy import sparse
from torch import nn


class UserPrior(nn.Module):
    """Hands out d_u of the users of a batch, in float32.

    All its operations have sizes that follow from the number of users alone, so that a GPU is never asked for one.

    Args:
        distributions: d_u, CSR, shape [n_users, N].

    Attributes:
        n_groups: N.

    Example:
        >>> prior = UserPrior(sparse.csr_matrix([[0.0, 0.0, 0.0], [0.25, 0.0, 0.75]]))
        >>> prior(torch.tensor([1, 0])).tolist()
        [[0.25, 0.0, 0.75], [0.0, 0.0, 0.0]]
    """

    def __init__(self, distributions: sparse.csr_matrix) -> None:
        super().__init__()
        self.n_groups = distributions.shape[1]
        counts = np.diff(distributions.indptr)
        self.most = int(counts.max(initial=1))
        # One more value than there are, so that a user after whom no other comes has one to be given in place of none.
        values = np.append(distributions.data, 0.0).astype(np.float32)
        groups = np.append(distributions.indices, 0).astype(np.int32)
        for name, array in (("values", values), ("groups", groups), ("counts", counts)):
            self.register_buffer(name, torch.from_numpy(array), persistent=False)
        self.register_buffer("starts", torch.from_numpy(distributions.indptr[:-1].astype(np.int64)), persistent=False)

    def forward(self, users: torch.Tensor) -> torch.Tensor:
        """Make the rows of users, ids of shape [B]: [B, N]."""
        number = torch.arange(self.most, device=users.device)
        there = number < self.counts[users].unsqueeze(1)
        places = torch.where(there, self.starts[users].unsqueeze(1) + number, len(self.values) - 1)
        rows = self.values.new_zeros(len(users), self.n_groups)
        return rows.scatter_add_(1, self.groups[places].long(), self.values[places])
