"""Computes the gradients of a batch by several processes, of which each has a part of it."""

from __future__ import annotations

from collections.abc import Callable

import torch
from recbole.data.interaction import Interaction

from recbole_decrs.cuda_graph import RecordedGradients
from recbole_decrs.data.id_loader import CLICK_ROW
from recbole_decrs.distributed.group import is_first, place, sum_over_all
from recbole_decrs.distributed.layers import Part, take_parts
from recbole_decrs.errors import DecRSError
from recbole_decrs.model.training_options import PaperTrainingOptions

LOSSES = ("calculate_loss", "log_loss", "norm_loss", "log_loss_of")
"""The methods of a model that make its loss."""


class SharedGradients:
    """Computes the loss of a batch and its gradients as one process would, but for the order of additions.

    Every process is given the whole batch and takes the users of its part, with their positives and negatives. The
    losses of the parts are divided by the size of the whole, the norm of the embeddings is counted by the first process
    alone, and the sum of the gradients over all processes is that of the batch.

    Args:
        model: trained by ids; its dropout and BatchNorm are replaced by those of the whole batch.

    Raises:
        DecRSError: the model has layers or a loss of its own, of which a part is not known.
    """

    def __init__(self, model: PaperTrainingOptions) -> None:
        name = type(model).__name__
        if any(getattr(type(model), one) is not getattr(PaperTrainingOptions, one) for one in LOSSES):
            raise DecRSError(f"nproc: {name} has a loss of its own, which is not shared out; leave nproc out")
        self.model, self.part = model, Part()
        try:
            take_parts(model, self.part)
        except ValueError as error:
            raise DecRSError(
                f"nproc: {name} has a layer that several processes do not share ({error}); leave nproc out"
            ) from error
        self.parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]

    def __call__(self, batch: Interaction) -> torch.Tensor:
        """Set the gradients of all parameters to those of the whole batch, and return its loss, shape []."""
        own = self._part_of(batch)
        loss = self.model.log_loss(own, n_samples=len(batch[self.model.LABEL]))
        if is_first():
            loss = loss + self.model.norm_loss()
        loss.backward()
        return self._summed(loss.detach())

    def _part_of(self, batch: Interaction) -> Interaction:
        """Take the rows of this process, about as many as the others have; none where there are too few."""
        users = batch[self.model.USER_ID]
        here, n = place(), len(users)
        self.part.start, self.part.stop = n * here.rank // here.size, n * (here.rank + 1) // here.size
        self.part.whole, self.part.times = n, len(batch[self.model.ITEM_ID]) // n
        items, labels = (self.part.of(batch[field]) for field in (self.model.ITEM_ID, self.model.LABEL))
        own = slice(self.part.start, self.part.stop)
        columns = {self.model.USER_ID: users[own], self.model.ITEM_ID: items, self.model.LABEL: labels}
        if CLICK_ROW in batch.interaction:
            columns[CLICK_ROW] = batch[CLICK_ROW][own]
        return Interaction(columns)

    def _summed(self, loss: torch.Tensor) -> torch.Tensor:
        """Add up gradients and losses of all processes in one message; a gradient that none has stays away."""
        gradients = [parameter.grad for parameter in self.parameters]
        flat = [
            torch.zeros_like(parameter).flatten() if gradient is None else gradient.flatten()
            for parameter, gradient in zip(self.parameters, gradients, strict=True)
        ]
        there = loss.new_tensor([gradient is not None for gradient in gradients])
        message = sum_over_all(torch.cat([*flat, there, loss.view(1)]))
        *flat, there, loss = message.split([*(len(one) for one in flat), len(there), 1])
        for parameter, summed, n_there in zip(self.parameters, flat, there, strict=True):
            if parameter.grad is not None:
                parameter.grad.copy_(summed.view_as(parameter))
            elif n_there:
                parameter.grad = summed.view_as(parameter).clone()
        return loss[0]


def gradients_for(model: torch.nn.Module, config) -> Callable[[Interaction], torch.Tensor] | None:
    """Choose the way to the gradients of a batch: shared, recorded on a GPU, or None for the model's ``backward``."""
    if place() is not None:
        return SharedGradients(model)
    if config["device"].type == "cuda" and not config["torch_compile"]:
        return RecordedGradients(model)
    return None
