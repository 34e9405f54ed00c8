"""Answers modules that are sums over a pair's two sides from the sides, without looking at the pairs.

These are the first order, a linear layer over all fields of a pair one after another, and the factorization machine
over them. docs/fast-paths.md says why the answers are right, and how it is found out where they are not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from recbole.model.abstract_recommender import ContextRecommender
from recbole.model.layers import BaseFactorizationMachine
from torch import nn

from recbole_decrs.model.pair_fields import PairFields

Answer = Callable[[torch.Tensor], torch.Tensor]
"""A function that goes over the ``forward`` of a module."""


def short_cuts(model: ContextRecommender, fields: PairFields) -> dict[nn.Module, Answer]:
    """Make an answer for each module of the model that is a sum over the two sides.

    An answer is the module's own where it is asked for anything else than the fields of the pairs.
    """
    width = fields.users[0].numel()
    answers: dict[nn.Module, Answer] = {}
    for module in model.modules():
        if "forward" in vars(module):  # somebody else's
            continue
        if module is model.first_order_linear:
            answers[module] = fields.first_order
        elif type(module).forward is nn.Linear.forward and module.in_features == width:
            answers[module] = _linear(module, fields)
        elif type(module).forward is BaseFactorizationMachine.forward:
            answers[module] = _factorization_machine(module, fields)
    return answers


@contextmanager
def answering(answers: dict[nn.Module, Answer]) -> Iterator[None]:
    """Let the modules answer from the sides meanwhile."""
    for module, answer in answers.items():
        module.__dict__["forward"] = answer  # goes over the forward of its class
    try:
        yield
    finally:
        for module in answers:
            del module.__dict__["forward"]


def _linear(layer: nn.Linear, fields: PairFields) -> Answer:
    """Answer for a linear layer: W [x_u, x_i] + b = (W [x_u, 0] + b) + W [0, x_i]."""
    of_users = layer(fields.users.flatten(1))
    of_items = nn.functional.linear(fields.items.flatten(1), layer.weight)

    def forward(features: torch.Tensor) -> torch.Tensor:
        if fields.are(features):
            return fields.sums(of_users, of_items)
        return nn.functional.linear(features, layer.weight, layer.bias)

    return forward


def _factorization_machine(machine: BaseFactorizationMachine, fields: PairFields) -> Answer:
    """Answer for a factorization machine: what is within either side, plus the product of the sides' sums."""
    (total_u, within_u), (total_i, within_i) = (
        (side.sum(dim=1), 0.5 * (side.sum(dim=1) ** 2 - (side**2).sum(dim=1))) for side in (fields.users, fields.items)
    )

    def forward(features: torch.Tensor) -> torch.Tensor:
        if not fields.are(features):
            return BaseFactorizationMachine.forward(machine, features)
        rows = fields.rows
        if not machine.reduce_sum:
            return (within_u[rows, None] + within_i + total_u[rows, None] * total_i).flatten(0, 1)
        within = within_u[rows].sum(dim=1, keepdim=True) + within_i.sum(dim=1)
        return torch.addmm(within, total_u[rows], total_i.T).view(-1, 1)

    return forward
