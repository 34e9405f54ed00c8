"""Tells which of the processes of a run this is, and has the few things that all of them do together.

A program that runs by itself is its own first process, of one, and every function here does then what its name says
without any other.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import torch
from torch import distributed

from recbole_decrs.errors import DecRSError

FOREVER = timedelta(days=7)
"""How long a process waits for the others: a long download or epoch is no fault, and one that has ended is noticed."""
FAILURE = "failure"
"""The key of the store under which the process that fails first says why."""

Value = TypeVar("Value")


class LostProcess(DecRSError):
    """Tells that another process of the run has ended, which is seen by the connection to it."""

    def __init__(self) -> None:
        super().__init__(
            "another process of this run has ended without saying why (killed, or short of memory?); the command with "
            "--resume=auto goes on from the last epoch"
        )


@dataclass(frozen=True)
class Place:
    """Holds which process of a run this one is."""

    rank: int
    """Its number among all; 0 is the first one, which writes."""
    size: int
    """How many there are."""
    local_rank: int
    """Its number on its machine, and of the GPU that it takes."""
    local_size: int
    """How many there are on its machine."""
    store: distributed.Store
    """Through which they find each other, and the first fault is told."""

    def tell_failure(self, sentence: str) -> bool:
        """Leave word of why this process fails; returns True if none has failed before it."""
        with suppress(RuntimeError):  # the store has ended with its process
            is_first_to_fail = self.store.add(f"{FAILURE}s", 1) == 1
            if is_first_to_fail:
                self.store.set(FAILURE, sentence)
            return is_first_to_fail
        return True


_place: Place | None = None
_alone = False


def place() -> Place | None:
    """Get the place of this process among several; None where it runs by itself."""
    return None if _alone else _place


def is_first() -> bool:
    """Tell if this process is the one that writes files, log lines and progress."""
    return _place is None or _place.rank == 0


@contextmanager
def at_place(where: Place) -> Iterator[None]:
    """Take a place in a run of several processes, until the block ends; they are connected by :func:`connect`."""
    global _place
    _place = where
    try:
        yield
        if distributed.is_initialized():
            with _told_of_loss():
                distributed.barrier()  # whoever is through does not take the connection away from others
            distributed.destroy_process_group()
    finally:
        _place = None


def connect(device: torch.device) -> None:
    """Connect the processes of the run, once each knows where it computes; nothing where there is one."""
    if _place is None:
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    backend = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
    with _told_of_loss():
        distributed.init_process_group(
            backend, store=_place.store, rank=_place.rank, world_size=_place.size, timeout=FOREVER
        )


@contextmanager
def _told_of_loss() -> Iterator[None]:
    """Say in words that a connection has broken.

    Raises:
        LostProcess: in place of what torch raises.
    """
    try:
        yield
    except RuntimeError as error:
        raise LostProcess from error


def sum_over_all(tensor: torch.Tensor) -> torch.Tensor:
    """Add up in place what the processes have in a tensor; each gets the same sum, to the last digit."""
    if place() is not None:
        with _told_of_loss():
            distributed.all_reduce(tensor)
    return tensor


def of_all(tensor: torch.Tensor) -> list[torch.Tensor]:
    """Get the tensors of all processes, which have one shape, in the order of the processes."""
    if place() is None:
        return [tensor]
    found = [torch.empty_like(tensor) for _ in range(place().size)]
    with _told_of_loss():
        distributed.all_gather(found, tensor)
    return found


def joined(tensor: torch.Tensor) -> torch.Tensor:
    """Put the rows of all processes below each other, in the order of the processes.

    Args:
        tensor: on the CPU, of any type; shape [n rows of this process, ...].
    """
    if place() is None:
        return tensor
    lengths = [int(length) for length in of_all(torch.tensor(len(tensor)))]
    row = tensor.shape[1:]
    padded = tensor.new_zeros(max(lengths), *row)
    padded[: len(tensor)] = tensor
    of_each = of_all(padded.flatten().view(torch.uint8))  # gloo does not know every type
    rows = (one.view(tensor.dtype).view(-1, *row)[:length] for one, length in zip(of_each, lengths, strict=True))
    return torch.cat(list(rows))


def told_by_first(find: Callable[[], Value]) -> Value:
    """Find something out in the first process alone, and hand it to all.

    Args:
        find: returns plain data, as ``torch.load(weights_only=True)`` reads; what it raises ends the run.
    """
    if place() is None:
        return find()
    if not is_first():
        return torch.load(io.BytesIO(_bytes_of_first(b"")), map_location="cpu", weights_only=True)
    value, file = _find_alone(find), io.BytesIO()
    torch.save(value, file)
    _bytes_of_first(file.getvalue())
    return value


def _find_alone(find: Callable[[], Value]) -> Value:
    global _alone
    _alone = True
    try:
        return find()
    finally:
        _alone = False


def _bytes_of_first(content: bytes) -> bytes:
    length = torch.tensor(len(content))
    with _told_of_loss():
        distributed.broadcast(length, 0)
        data = torch.frombuffer(bytearray(content), dtype=torch.uint8) if content else torch.empty(0, dtype=torch.uint8)
        data = data if is_first() else torch.empty(int(length), dtype=torch.uint8)
        distributed.broadcast(data, 0)
    return data.numpy().tobytes()


@contextmanager
def one_before_others(is_needed: bool) -> Iterator[None]:
    """Let one process of each machine go through the block before the others, if any process finds that needed."""
    here = place()
    if here is None or not sum_over_all(torch.tensor(int(is_needed))):
        yield
        return
    if here.local_rank != 0:
        with _told_of_loss():
            distributed.barrier()
    yield
    if here.local_rank == 0:
        with _told_of_loss():
            distributed.barrier()
