"""Computes the backdoor adjustment operator M(d-bar, u) (Sec. 2.3, Eq. 7 and Eq. 8)."""

from __future__ import annotations

import torch
from scipy import sparse
from torch import nn

from recbole_decrs.causal.user_prior import UserPrior

OPERATORS = ("fm", "fm_all_pairs", "product")
"""The ways in which :class:`BackdoorOperator` may combine groups and user."""


class BackdoorOperator(nn.Module):
    """Computes M(d-bar, u), the group-level representation of a user under the distribution d-bar over N groups.

    The sum over groups does not depend on the sample, so it is taken once a batch: the cost of a row does not grow
    with N.

    Args:
        prior: d-bar, shape [N]; or one distribution a user, shape [n_users, N], a tensor or a CSR
            matrix, for M(d_u, u).
        embedding_size: H.
        operator: ``product``: Eq. 7, the sum over groups a and user features b of p(g_a) v_a * x_b u_b;
            ``fm``: Eq. 8 over the pairs a < b of w = [d-bar, x_u] and c = [v, u], as FM and the authors' code have
            it; ``fm_all_pairs``: Eq. 8 as printed, over all ordered pairs, a = b included.
        init_std: standard deviation of the initial group embeddings.
        training: what stands for d in training mode, if that is not ``prior``: shape [n_users, N], or [n_rows, N].
        by_click: True where each sample names its row of ``training``; else it is that of its user.

    Attributes:
        prior: d-bar, or one distribution a user, as a tensor; None where that is a CSR matrix.
        group_embeddings: v_1 ... v_N, a parameter of shape [N, H].

    Raises:
        ValueError: ``operator`` is none of these.

    Example:
        A user with one feature u = (1, 2), and two groups with v = (1, 0) and (0, 1). Eq. 7 is (0.75 * 1, 0.25 * 2);
        in Eq. 8 the two groups with each other would add v_1 * v_2 = 0, so here it is the same.

        >>> operator = BackdoorOperator(torch.tensor([0.75, 0.25]), embedding_size=2, operator="product")
        >>> operator.group_embeddings.data = torch.eye(2)
        >>> operator(torch.tensor([[[1.0, 2.0]]])).tolist()
        [[0.75, 0.5]]
        >>> operator.operator = "fm"
        >>> operator(torch.tensor([[[1.0, 2.0]]])).tolist()
        [[0.75, 0.5]]
    """

    def __init__(
        self,
        prior: torch.Tensor | sparse.csr_matrix,
        embedding_size: int,
        operator: str = "fm",
        init_std: float = 0.01,
        training: torch.Tensor | sparse.csr_matrix | None = None,
        by_click: bool = False,
    ) -> None:
        super().__init__()
        if operator not in OPERATORS:
            raise ValueError(f"backdoor_operator must be one of {', '.join(OPERATORS)}, not {operator!r}")
        self.operator = operator
        self.by_click = by_click
        self._keep("prior", prior)
        self._keep("prior_of_training", training)
        # A bare parameter, not an nn.Embedding: RecBole's backbones initialise every nn.Embedding in
        # their own way after this constructor has run.
        self.group_embeddings = nn.Parameter(init_std * torch.randn(prior.shape[-1], embedding_size))

    def forward(
        self, user_embeddings: torch.Tensor, users: torch.Tensor | None = None, rows: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Compute M(d-bar, u) of the user in each row.

        Args:
            user_embeddings: x_b u_b of each user feature, shape [B, K, H].
            users: ids of the users, shape [B]; needed only where there is one distribution a user.
            rows: the rows of ``training`` in training mode, shape [B]; needed only with ``by_click``.

        Returns:
            [B, H].
        """
        total = user_embeddings.sum(dim=1)
        within = 0.5 * (total**2 - (user_embeddings**2).sum(dim=1))
        return self.of_sums(total, within, users, rows)

    def of_sums(
        self,
        total: torch.Tensor,
        within: torch.Tensor,
        users: torch.Tensor | None = None,
        rows: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Compute M(d-bar, u) from the two sums over the user features x_b u_b that it depends on.

        Args:
            total: their sum, shape [B, H].
            within: the sum over pairs b < b' of their products, shape [B, H].
            users, rows: as in :meth:`forward`.

        Returns:
            [B, H].
        """
        prior = self._distribution(users, rows)
        groups = prior @ self.group_embeddings  # [H], or [B, H] with one distribution a user
        if self.operator == "product":
            return groups * total
        if self.operator == "fm_all_pairs":
            return (groups + total) ** 2
        within_groups = 0.5 * (groups**2 - prior**2 @ self.group_embeddings**2)
        return within_groups + torch.addcmul(within, groups, total)

    def _keep(self, name: str, distributions) -> None:
        """Keep distributions as a buffer, or as a CSR matrix whose rows are made for each batch."""
        is_sparse = sparse.issparse(distributions)
        dense = None if is_sparse or distributions is None else torch.as_tensor(distributions, dtype=torch.float32)
        self.register_buffer(name, dense, persistent=False)
        setattr(self, f"rows_of_{name}", UserPrior(distributions) if is_sparse else None)

    def _distribution(self, users: torch.Tensor | None, rows: torch.Tensor | None) -> torch.Tensor:
        """Choose d: shape [N], or [B, N] where each row has its own."""
        if not self.training or (self.prior_of_training is None and self.rows_of_prior_of_training is None):
            if self.rows_of_prior is not None:
                return self.rows_of_prior(users)
            return self.prior if self.prior.dim() == 1 else self.prior[users]
        if self.by_click and rows is None:
            raise ValueError("a distribution goes with each click here, and it is not said which")
        asked = rows if self.by_click else users
        if self.rows_of_prior_of_training is not None:
            return self.rows_of_prior_of_training(asked)
        return self.prior_of_training[asked]
