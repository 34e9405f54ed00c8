"""Folds layers that follow one another to as few linear maps with activations between them as there can be.

While a model is evaluated dropout does nothing and BatchNorm is a scale and a shift, so either belongs to the linear
map next to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import NamedTuple

import torch
from recbole.model.layers import MLPLayers
from torch import nn

from recbole_decrs.distributed.layers import WholeBatchNorm, WholeDropout
from recbole_decrs.dropout import QuickDropout


class Layer(NamedTuple):
    """Holds a linear map and the activation after it."""

    weight: torch.Tensor
    """Shape [n outputs, n inputs]."""
    bias: torch.Tensor
    """Shape [n outputs]."""
    activation: Callable[[torch.Tensor], torch.Tensor] | None = None
    """Changes its argument in place and returns it; None after the last layer."""

    def rescaled(self, scale: torch.Tensor, shift: torch.Tensor) -> Layer:
        """Multiply the outputs by ``scale`` and add ``shift``, shapes [n outputs] or [1]."""
        return Layer(scale[:, None] * self.weight, scale * self.bias + shift)

    def summed(self) -> Layer:
        """Add up the outputs to a single one."""
        return Layer(self.weight.sum(dim=0, keepdim=True), self.bias.sum(dim=0, keepdim=True))


def fold(modules: Iterable[nn.Module], vectors: torch.Tensor) -> list[Layer] | None:
    """Fold modules that follow one another, as they are evaluated.

    Weights are multiplied in double precision, so that folding adds no more than one rounding to them.

    Args:
        modules: linear layers, BatchNorm, dropout, identities, activations, and sequences of these.
        vectors: what the first module may be given, shape [n, n inputs]; tells length, type and device, not values.

    Returns:
        The layers, the last of them without an activation; None if a module is of another kind, is being trained, or
        somebody has hooked on to it or put another ``forward`` over its own.
    """
    layers: list[Layer] = []
    latest = _identity(vectors.shape[1], vectors)
    for module in _leaves(modules):
        if module.training or _is_changed(module):
            return None
        if type(module) is nn.Linear:
            weight = module.weight.double()
            bias = latest.bias.new_zeros(len(weight)) if module.bias is None else module.bias.double()
            latest = Layer(weight @ latest.weight, weight @ latest.bias + bias)
        elif type(module) in (nn.BatchNorm1d, WholeBatchNorm) and module.affine and module.track_running_stats:
            scale = module.weight.double() / (module.running_var.double() + module.eps).sqrt()
            latest = latest.rescaled(scale, module.bias.double() - scale * module.running_mean.double())
        elif type(module) in _ACTIVATIONS:
            layers.append(latest._replace(activation=_ACTIVATIONS[type(module)](module)))
            latest = _identity(len(latest.bias), vectors)
        elif type(module) is nn.Tanh:
            two = latest.bias.new_full((1,), 2.0)
            layers.append(latest.rescaled(two, 0 * two)._replace(activation=_half_tanh_of_half))
            latest = _identity(len(latest.bias), vectors).rescaled(two, 0 * two)
        elif type(module) not in (nn.Identity, nn.Dropout, QuickDropout, WholeDropout):
            return None
    return [Layer(each.weight.to(vectors), each.bias.to(vectors), each.activation) for each in (*layers, latest)]


_ACTIVATIONS = {
    nn.Sigmoid: lambda module: torch.sigmoid_,
    nn.ReLU: lambda module: torch.relu_,
    nn.LeakyReLU: lambda module: partial(nn.functional.leaky_relu_, negative_slope=module.negative_slope),
}


def _half_tanh_of_half(values: torch.Tensor) -> torch.Tensor:
    """Compute tanh(z / 2) / 2 = sigmoid(z) - 1/2 in place; torch's tanh takes six times as long on a processor."""
    return values.sigmoid_().sub_(0.5)


def _identity(size: int, like: torch.Tensor) -> Layer:
    weight = torch.eye(size, dtype=torch.float64, device=like.device)
    return Layer(weight, weight.new_zeros(size))


def _leaves(modules: Iterable[nn.Module]) -> Iterator[nn.Module]:
    """List the modules of sequences one by one; a sequence that does something else as well is one module."""
    for module in modules:
        if type(module) is MLPLayers and not _is_changed(module):
            yield from _leaves([module.mlp_layers])
        elif type(module) is nn.Sequential and not _is_changed(module):
            yield from _leaves(module)
        else:
            yield module


def _is_changed(module: nn.Module) -> bool:
    """Tell whether somebody has hooked on to the module or put another ``forward`` over its own."""
    return bool(module._forward_hooks or module._forward_pre_hooks or "forward" in vars(module))
