"""Records what the gradients of a batch launch on a GPU, and launches it as a whole for the batches to come.

A step of an FM is some hundred small operations, which take a GPU less time than the processor takes to launch them.
"""

from __future__ import annotations

from logging import getLogger

import torch
from recbole.data.interaction import Interaction

WARM_UPS = 3
"""Times that the operations run before they are recorded, as torch asks for, so that libraries have set up."""
ATTEMPTS = 2
"""Times that a recording is tried; the first one of a process has been seen to fail where the second did not."""


class RecordedGradients:
    """Computes the loss of a batch and its gradients, from the second batch of the same size on by a CUDA graph.

    The numbers are those of single launches. Where the operations cannot be recorded, they are launched one by one.

    Args:
        model: on a GPU, in training mode when it is called; its parameters keep their places in memory.
    """

    def __init__(self, model: torch.nn.Module) -> None:
        self.model = model
        self.graph: torch.cuda.CUDAGraph | None = None
        self.sizes: dict[str, torch.Size] | None = None
        self.attempts = 0

    def __call__(self, batch: Interaction) -> torch.Tensor:
        """Set the gradients of all parameters, and return the loss, shape []; it is overwritten by the next call."""
        sizes = {name: column.shape for name, column in batch.interaction.items()}
        if self.graph is None and self.attempts < ATTEMPTS and sizes == self.sizes:
            self._record(batch)
        if self.graph is not None and sizes == self.sizes:
            for name, column in self.inputs.items():
                column.copy_(batch[name])
            self.graph.replay()
            for parameter, gradient in self.gradients:
                parameter.grad = gradient
            return self.loss
        if self.graph is None:
            self.sizes = sizes
        return self._launch(batch)

    def _launch(self, batch: Interaction) -> torch.Tensor:
        loss = self.model.calculate_loss(batch)
        loss.backward()
        return loss.detach()  # what holds on to the history of a loss holds its gradients to the stream of then

    def _record(self, batch: Interaction) -> None:
        """Record the operations; random numbers and running means stay as they were."""
        self.attempts += 1
        self.inputs = {name: column.clone() for name, column in batch.interaction.items()}
        inputs = Interaction(self.inputs)
        buffers = [(buffer, buffer.clone()) for buffer in self.model.buffers()]
        random_state = torch.cuda.get_rng_state()
        graph = torch.cuda.CUDAGraph()
        try:
            beside = torch.cuda.Stream()
            beside.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(beside):
                for _ in range(WARM_UPS):
                    self.model.zero_grad(set_to_none=True)
                    self._launch(inputs)
            torch.cuda.current_stream().wait_stream(beside)
            self.model.zero_grad(set_to_none=True)  # so that the graph has gradients of its own
            with torch.cuda.graph(graph):
                self.loss = self._launch(inputs)
            self.gradients = [(one, one.grad) for one in self.model.parameters() if one.grad is not None]
            self.graph = graph
        except RuntimeError as error:
            self.model.zero_grad(set_to_none=True)
            if self.attempts == ATTEMPTS:
                getLogger().info(f"Steps are launched operation by operation: a CUDA graph cannot be made, {error}")
        with torch.no_grad():
            for buffer, before in buffers:
                buffer.copy_(before)
        torch.cuda.set_rng_state(random_state)
