"""Trains a model for one epoch without waiting for the device in any step."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import nullcontext
from typing import Any

import torch
from recbole.data.interaction import Interaction
from torch.nn.utils import clip_grad_norm_

from recbole_decrs.row_adagrad import RowAdagrad


def train_epoch(
    model: torch.nn.Module,
    optimizer: torch.optim.Optimizer,
    batches: Iterable[Interaction],
    clip_grad_norm: dict[str, Any] | None = None,
    set_gradients: Callable[[Interaction], torch.Tensor] | None = None,
) -> torch.Tensor:
    """Take a step of the optimizer for each batch, as RecBole's ``Trainer._train_epoch`` does.

    RecBole asks for the loss of each batch as a number, for which the processor waits until a GPU has caught up. Here
    the losses are added up on the device.

    Args:
        model: in training mode, with RecBole's ``calculate_loss``.
        optimizer: of its parameters.
        batches: on the device of the model.
        clip_grad_norm: arguments of torch's function of that name, if gradients are to be clipped.
        set_gradients: computes the gradients of a batch and returns its loss, in place of the model's ``backward``;
            see :class:`~recbole_decrs.cuda_graph.RecordedGradients`.

    Returns:
        The sum of the losses of all batches, shape [], float64, on the device; infinite or NaN if one of them is.
    """
    # Of gradients that somebody else reads, or that are summed over processes, nothing may be owed.
    read = bool(clip_grad_norm) or set_gradients is not None
    owing = nullcontext() if read or not isinstance(optimizer, RowAdagrad) else optimizer.owed_multiples()
    total = torch.zeros((), dtype=torch.float64, device=next(model.parameters()).device)
    with owing:
        for batch in batches:
            optimizer.zero_grad()
            if set_gradients is None:
                loss = model.calculate_loss(batch)
                loss.backward()
            else:
                loss = set_gradients(batch)
            if clip_grad_norm:
                clip_grad_norm_(model.parameters(), **clip_grad_norm)
            optimizer.step()
            total += loss.detach()
    return total
