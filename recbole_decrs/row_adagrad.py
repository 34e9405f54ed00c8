"""Makes Adagrad's step take as long as the batch has rows, not as long as the tables have."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch.autograd.graph import increment_version
from torch.optim.adagrad import adagrad

from recbole_decrs.model.compiled_sides import can_loop_over, loops
from recbole_decrs.model.owed_multiples import Owed, owed_of
from recbole_decrs.model.touched_rows import clear, named_rows, remember, touched_rows


class RowAdagrad(torch.optim.Adagrad):
    """Makes the updates of torch's fused Adagrad, of the rows of a table alone whose gradient is not 0.

    A gradient of 0 adds 0 to the accumulator and takes 0 off the parameter, so leaving such rows out is exact (unless
    ``weight_decay`` moves them, with which every row is updated). Which rows these are, the gradient must know
    (:mod:`recbole_decrs.model.touched_rows`); where it does not, every row is updated. Arguments and state are those of
    ``torch.optim.Adagrad``.
    """

    def __init__(self, params, **options) -> None:
        super().__init__(params, **options, fused=True)
        self._step_supports_amp_scaling = False  # so that a GradScaler divides the gradients itself, single rows too

    def zero_grad(self, set_to_none: bool = False) -> None:
        """Set gradients to zero in their places in memory, so that no step allocates them anew."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if (owed := owed_of(parameter)) is not None:
                    owed.multiple = 0.0
        if set_to_none:
            super().zero_grad(set_to_none=True)
            return
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    clear(parameter.grad)

    @contextmanager
    def owed_multiples(self) -> Iterator[None]:
        """Let tables owe the multiples of themselves that their gradients have; nobody else may read these meanwhile.

        A step in which there are some leaves gradients of 0.
        """
        usual = [group for group in self.param_groups if not group["weight_decay"] and not group["maximize"]]
        tables = [one for group in usual for one in group["params"] if one.dim() == 2 and can_loop_over(one)]
        for table in tables:
            table._owed = Owed(np.zeros(len(table), dtype=bool))
        try:
            yield
        finally:
            for table in tables:
                del table._owed

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """Update the parameters by their gradients, as torch does."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        done = []
        try:
            for group in self.param_groups:
                for parameter in group["params"]:
                    if self._step_of_owed(group, parameter) or self._step_of_rows(group, parameter):
                        done.append((parameter, parameter.grad))
                        parameter.grad = None  # so that torch's step leaves it alone
            super().step()
        finally:
            for parameter, gradient in done:
                parameter.grad = gradient
            self._count_changes()
        return loss

    def _count_changes(self) -> None:
        """Let torch count the changes of the parameters, as neither its fused Adagrad nor numpy does.

        What is kept of them, such as the item side of full sort, goes by that count.
        """
        for group in self.param_groups:
            for parameter in group["params"]:
                increment_version(parameter)
                if (owed := owed_of(parameter)) is not None:
                    owed.version = parameter._version

    def _step_of_rows(self, group: dict, parameter: torch.nn.Parameter) -> bool:
        """Update the touched rows of a parameter; False if they are not known or are not all that would change."""
        state = self.state[parameter]
        if parameter.grad is None or group["weight_decay"] or not state:
            return False
        rows = touched_rows(parameter.grad)
        if rows is None:
            return False
        weights, gradient, total = (whole.index_select(0, rows) for whole in (parameter, parameter.grad, state["sum"]))
        adagrad(
            [weights],
            [gradient],
            [total],
            [state["step"]],
            fused=True,
            lr=group["lr"],
            weight_decay=0.0,
            lr_decay=group["lr_decay"],
            eps=group["eps"],
            maximize=group["maximize"],
        )
        parameter.index_copy_(0, rows, weights)
        state["sum"].index_copy_(0, rows, total)
        return True

    def _step_of_owed(self, group: dict, table: torch.nn.Parameter) -> bool:
        """Update every row of a table that owes a multiple of itself, in one pass; False if it owes none."""
        owed = owed_of(table)
        if owed is None:
            return False
        owed.squares = None
        if not owed.multiple:
            return False
        state = self.state[table]
        state["step"] += 1
        rate = group["lr"] / (1 + (state["step"].item() - 1) * group["lr_decay"])
        arrays = [one.detach().numpy() for one in (table, table.grad, state["sum"])]
        squares = np.zeros(table.shape[1])
        named = named_rows(table.grad)
        for rows in [slice(None)] if named is None else (one.numpy() for one in named):
            owed.marks[rows] = True  # by the numbers of rows, or all of them
        loops().adagrad(*arrays, *map(arrays[0].dtype.type, (owed.multiple, rate, group["eps"])), owed.marks, squares)
        remember(table.grad)
        owed.multiple, owed.squares = 0.0, float(squares.sum())
        return True
