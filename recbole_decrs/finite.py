"""Refuses parameters and scores that a training has blown up, or a damaged checkpoint holds, for nothing shows them.

A NaN among the scores comes before every item of a list, and an infinite variance of a batch normalisation makes all
scores the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch

from recbole_decrs.errors import DecRSError

REMEDY = "lower learning_rate, or set clip_grad_norm"


def infinities(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Find where tensors of a new model are infinite by design, as masks are: name -> bool of its shape."""
    return {name: value.isinf() for name, value in _tensors(model.state_dict()) if value.isinf().any()}


def not_finite(values: Mapping[str, Any], by_design: Mapping[str, torch.Tensor] | None = None) -> str | None:
    """Name the first tensor with a NaN, or infinite where it is not so by design; None if there is none.

    Args:
        values: tensors by name, or plain data with tensors in it.
        by_design: see :func:`infinities`.
    """
    by_design = by_design or {}
    for name, value in _tensors(values):
        finite = value.isfinite()
        if name in by_design:
            finite |= value.isinf() & by_design[name]
        if name.endswith("running_var"):
            finite &= value >= 0
        if not finite.all():
            return name
    return None


def _tensors(value: Any, name: str = "") -> Iterator[tuple[str, torch.Tensor]]:
    """Go through the dense tensors in plain data, each with the outermost name that it lies under."""
    if isinstance(value, torch.Tensor):
        if value.layout == torch.strided:
            yield name, value
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield from _tensors(part, name or str(key))
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _tensors(part, name)


def check_scores(scores: torch.Tensor, model: str) -> None:
    """See that scores can be ranked; -inf marks an item that is no candidate.

    Args:
        scores: of any shape.
        model: its name, for the message.

    Raises:
        DecRSError: one of them is NaN or +inf.
    """
    if scores.numel() and not scores.amax() < torch.inf:  # the maximum of what holds a NaN is NaN
        raise DecRSError(f"{model} gives scores that are infinite or not a number, which have no order; {REMEDY}")
