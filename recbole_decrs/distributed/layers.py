"""Makes layers compute of a part of a batch what torch's compute of it within the whole batch.

BatchNorm takes mean and variance over the whole batch, and dropout draws its mask for the whole batch, so both differ
where a batch is shared out between processes.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from recbole_decrs.distributed.group import of_all, sum_over_all
from recbole_decrs.dropout import QuickDropout


@dataclass
class Part:
    """Holds which rows of a batch this process has: of each block of ``whole`` rows those from ``start`` to ``stop``.

    A batch has ``times`` blocks: the positives, and as many negatives of each.
    """

    start: int = 0
    stop: int = 0
    whole: int = 0
    times: int = 1

    def of(self, rows: torch.Tensor) -> torch.Tensor:
        """Take this process's rows out of those of the whole batch: [times * whole, ...] -> [times * n, ...]."""
        blocks = rows.view(self.times, self.whole, *rows.shape[1:])
        return blocks[:, self.start : self.stop].flatten(0, 1)


class WholeDropout(QuickDropout):
    """Extends dropout to a part of a batch, with the mask that one process would draw for the whole.

    Args:
        p: the probability with which a value is dropped.
        part: which part of the batch comes.
    """

    def __init__(self, p: float, part: Part) -> None:
        super().__init__(p)
        self.part = part

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Drop values of this process's rows, shape [times * n, H]."""
        if not self.training:
            return values
        ones = values.new_ones(self.part.times * self.part.whole, *values.shape[1:])
        return values * self.part.of(super().forward(ones))


class WholeBatchNorm(nn.BatchNorm1d):
    """Extends BatchNorm to a part of a batch, with mean and variance over the parts of all processes.

    Args:
        layer: whose parameters, running statistics and settings it takes over.
    """

    def __init__(self, layer: nn.BatchNorm1d) -> None:
        super().__init__(layer.num_features, layer.eps, layer.momentum)
        self.weight, self.bias = layer.weight, layer.bias
        self.running_mean, self.running_var = layer.running_mean, layer.running_var
        self.num_batches_tracked = layer.num_batches_tracked
        self.train(layer.training)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Normalise this process's rows, shape [n, H].

        Raises:
            ValueError: the whole batch has a single row, which has no variance.
        """
        if not self.training:
            return super().forward(values)
        normed, mean, variance, n = _Normed.apply(values, self.weight, self.bias, self.eps)
        if len(values) <= 1 and n <= 1:  # a GPU is not waited for unless it may be so
            raise ValueError("BatchNorm needs more than one row in a batch")
        with torch.no_grad():
            self.num_batches_tracked.add_(1)
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * (n / (n - 1)), self.momentum)
        return normed


class _Normed(torch.autograd.Function):
    """With x^ the normalised rows and g the gradient by them, d / d x = (g - mean(g) - x^ mean(g x^)) / deviation."""

    @staticmethod
    def forward(ctx, values, weight, bias, eps):
        own_mean = values.sum(0) / max(len(values), 1)
        own = torch.cat([own_mean, (values - own_mean).square().sum(0), own_mean.new_tensor([len(values)])])
        of_each = torch.stack(of_all(own))
        means, squares, counts = of_each.split([len(own_mean), len(own_mean), 1], dim=1)
        n = counts.sum()
        mean = (means * counts).sum(0) / n
        variance = (squares + (means - mean).square() * counts).sum(0) / n
        inverse = torch.rsqrt(variance + eps)
        normed = (values - mean) * inverse
        ctx.save_for_backward(normed, weight, inverse, n)
        ctx.mark_non_differentiable(mean, variance, n)
        return torch.addcmul(bias, normed, weight), mean, variance, n

    @staticmethod
    def backward(ctx, gradient, *_):
        normed, weight, inverse, n = ctx.saved_tensors
        of_bias, of_weight = gradient.sum(0), (gradient * normed).sum(0)
        mean, with_normed = sum_over_all(torch.stack([of_bias, of_weight])) / n
        of_values = (gradient - mean).addcmul_(normed, with_normed, value=-1).mul_(weight * inverse)
        return of_values, of_weight, of_bias, None


def take_parts(model: nn.Module, part: Part) -> None:
    """Replace dropout and BatchNorm within a model by those over the whole batch; its state keeps its names.

    Raises:
        ValueError: it has another layer that looks at a batch as a whole or draws random numbers.
    """
    for module in list(model.modules()):
        for name, layer in list(module.named_children()):
            if type(layer) in (nn.Dropout, QuickDropout):
                setattr(module, name, WholeDropout(layer.p, part))
            elif type(layer) is nn.BatchNorm1d and layer.affine and layer.track_running_stats and layer.momentum:
                setattr(module, name, WholeBatchNorm(layer))
            elif isinstance(layer, nn.modules.batchnorm._NormBase | nn.modules.dropout._DropoutNd):
                raise ValueError(f"{name} is a {type(layer).__name__}")
