"""Puts another distribution over groups in the place of d in a trained model's M(d, u), for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn

from recbole_decrs.causal import BackdoorOperator


@contextmanager
def in_place_of_d(model: nn.Module, d: np.ndarray | None) -> Iterator[None]:
    """Put another distribution into the operators of a model, or zeros in the place of M, and back.

    Args:
        model: a deconfounded model; one without an operator stays as it is.
        d: one distribution, shape [N], or one a user, shape [n_users, N]; None for zeros in the place of M.
    """
    operators = [module for module in model.modules() if isinstance(module, BackdoorOperator)]
    before = [(operator.prior, operator.rows_of_prior) for operator in operators]
    for operator in operators:
        if d is None:
            operator.of_sums = lambda total, *_: torch.zeros_like(total)
        else:
            operator.prior = torch.as_tensor(d, dtype=torch.float32, device=operator.group_embeddings.device)
            operator.rows_of_prior = None
    try:
        yield
    finally:
        for operator, (prior, rows_of_prior) in zip(operators, before, strict=True):
            operator.prior, operator.rows_of_prior = prior, rows_of_prior
            vars(operator).pop("of_sums", None)
