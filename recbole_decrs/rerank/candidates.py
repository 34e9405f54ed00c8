"""Computes what re-rankers share: scores on one scale, the groups of candidates, the next of a greedy choice."""

from __future__ import annotations

import numpy as np
import torch
from scipy import sparse


def scaled_to_unit(scores: torch.Tensor) -> torch.Tensor:
    """Scale scores that are no probabilities to [0, 1], per user over the candidates: [B, C] -> [B, C].

    A missing candidate keeps its -inf; where all scores of a user are equal they become 1.
    """
    valid = torch.isfinite(scores)
    low = scores.masked_fill(~valid, torch.inf).amin(dim=1, keepdim=True)
    high = scores.amax(dim=1, keepdim=True)
    scaled = torch.where(high > low, (scores - low) / (high - low), 1.0)
    return scaled.masked_fill(~valid, -torch.inf)


def groups_of(membership: sparse.csr_matrix, items: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """List the groups of each item, so that the cost of an item does not grow with the number of all groups.

    Args:
        membership: q^i, shape [n_items, N].
        items: ids, shape [B, C].

    Returns:
        Groups and the items' weights in them, shape [B, C, L] each with L the most groups of one of these items; weight
        0 where an item has fewer.
    """
    of_items = membership[items.flatten().cpu().numpy()]
    counts = np.diff(of_items.indptr)
    rows = np.repeat(np.arange(len(counts)), counts)
    place = np.arange(of_items.nnz) - of_items.indptr[rows]
    groups = np.zeros((len(counts), counts.max(initial=1)), dtype=np.int64)
    weights = np.zeros(groups.shape)
    groups[rows, place], weights[rows, place] = of_items.indices, of_items.data
    return tuple(torch.from_numpy(table).view(*items.shape, -1).to(items.device) for table in (groups, weights))


def at_groups(values: torch.Tensor, groups: torch.Tensor) -> torch.Tensor:
    """Look ``values`` of groups, shape [B, N], up at the groups of each candidate: [B, C, L]."""
    return values.gather(1, groups.flatten(1)).view_as(groups)


def add_at_groups(totals: torch.Tensor, groups: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """Add ``values`` [B, C, L] to the totals by group [B, N], at the groups of each candidate: [B, N]."""
    return totals.scatter_add(1, groups.flatten(1), values.flatten(1))


def in_steps(values: torch.Tensor) -> torch.Tensor:
    """Round float64 values [B, C] to whole steps, so that what is equal but for rounding becomes equal.

    A step is 1e-9, or 1e-13 of a row's largest value: far above rounding, far below what tells two items apart.
    """
    return torch.round(values / (values.abs().amax(dim=1, keepdim=True) * 1e-13).clamp_min(1e-9))


def take_best(objective: torch.Tensor, scores: torch.Tensor, taken: torch.Tensor) -> torch.Tensor:
    """Find the place of the best candidate that is not taken yet, and mark it in ``taken``: [B, C] -> [B].

    The first of equals is taken, whatever rounding made of them; missing candidates (score -inf) come after all others.
    """
    missing = ~torch.isfinite(scores)
    steps = in_steps(objective.masked_fill(missing, 0)).masked_fill(missing, torch.finfo(objective.dtype).min)
    best = steps.masked_fill(taken, -torch.inf).argmax(dim=1)
    taken.scatter_(1, best.unsqueeze(1), True)
    return best
