"""Fits RecBole's optimizer to the plugin's models, and reads its state back with care."""

from __future__ import annotations

from typing import Any

import torch

from recbole_decrs.model.in_place_gradients import keep_gradients
from recbole_decrs.model.training_options import PaperTrainingOptions
from recbole_decrs.row_adagrad import RowAdagrad


def fitted_optimizer(optimizer: torch.optim.Optimizer, model: torch.nn.Module, config) -> torch.optim.Optimizer:
    """Give RecBole's optimizer of a model what the plugin's models and keys need of it.

    Args:
        optimizer: as RecBole makes it.
        model: whose parameters it changes; those of other models are updated as by RecBole.
        config: its key ``adagrad_initial_accumulator``.
    """
    group = optimizer.param_groups[0]
    on_cpu = all(parameter.device.type == "cpu" for parameter in group["params"])
    ours = isinstance(model, PaperTrainingOptions) and on_cpu
    if isinstance(optimizer, torch.optim.Adagrad):
        options = {
            "lr": group["lr"],
            "weight_decay": group["weight_decay"],
            "initial_accumulator_value": config["adagrad_initial_accumulator"] or 0,
        }
        # Gradients that come from other processes are not seen to touch rows.
        if ours and not (torch.distributed.is_available() and torch.distributed.is_initialized()):
            return RowAdagrad(group["params"], **options)
        # The same update in one pass; on a GPU torch goes over all parameters at once, unless it is told not to fuse.
        optimizer = torch.optim.Adagrad(group["params"], **options, fused=ours or None)
    if ours:
        keep_gradients(optimizer)
    return optimizer


def load_optimizer(optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> None:
    """Load the state of an optimizer, which torch does not hold against the parameters.

    Raises:
        ValueError: it is none of this optimizer.
    """
    if not isinstance(optimizer, torch.optim.Optimizer):
        raise ValueError("the state of an optimizer that there is none of")
    kinds = [{key: isinstance(value, int | float) for key, value in group.items()} for group in optimizer.param_groups]
    optimizer.load_state_dict(state)
    for group, numbers in zip(optimizer.param_groups, kinds, strict=True):
        if any(is_number and not isinstance(group.get(key), int | float) for key, is_number in numbers.items()):
            raise ValueError("a setting of the optimizer is no number")
        for parameter in group["params"]:
            for value in optimizer.state[parameter].values():
                if isinstance(value, torch.Tensor) and value.dim() and value.shape != parameter.shape:
                    raise ValueError("a state of the optimizer is not of the shape of its parameter")
