"""Keeps TensorBoard's files of a training apart from those of others, closes them, and remembers the curves in them."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from recbole.trainer import trainer
from torch.utils.tensorboard import SummaryWriter

from recbole_decrs.distributed.group import is_first


class NoCurves:
    """Takes what a SummaryWriter takes, and writes nothing."""

    log_dir = None

    def add_scalar(self, *arguments: Any) -> None:
        """Write no value."""

    def add_hparams(self, *arguments: Any) -> None:
        """Write no settings."""

    def close(self) -> None:
        """Close no file."""


class RememberedCurves:
    """Passes on to a writer of TensorBoard what RecBole's trainer draws, and remembers the points.

    Args:
        writer: a SummaryWriter, or one that writes nothing.

    Attributes:
        points: the points [epoch, value] by RecBole's names, ``Loss/Train`` and ``Vaild_score``, in plain numbers.
    """

    def __init__(self, writer: SummaryWriter | NoCurves) -> None:
        self.writer = writer
        self.points: dict[str, list[list[float]]] = {}

    def add_scalar(self, name: str, value: float, epoch: int) -> None:
        """Draw a point, and remember it."""
        self.points.setdefault(name, []).append([int(epoch), float(value)])
        self.writer.add_scalar(name, value, epoch)

    def __getattr__(self, name: str) -> Any:
        if name == "writer":  # it is not there yet, as in a copy that is being made
            raise AttributeError(name)
        return getattr(self.writer, name)


SCORE = "Vaild_score"
"""RecBole's name of the validation score in TensorBoard, as RecBole spells it."""


def chosen_epoch(points: list[list[float]], bigger: bool) -> int:
    """Find the epoch whose parameters are kept: the last of those with the best score on validation, as in RecBole.

    Args:
        points: the epoch and the score of each evaluation.
        bigger: whether a greater score is better.
    """
    best = (max if bigger else min)(score for _, score in points)
    return int(max(epoch for epoch, score in points if score == best))


@contextmanager
def drawn_by_first() -> Iterator[None]:
    """Let RecBole's trainers make no TensorBoard folder in the block, but in the first of several processes."""
    if is_first():
        yield
        return
    make = trainer.get_tensorboard
    trainer.get_tensorboard = lambda logger: NoCurves()
    try:
        yield
    finally:
        trainer.get_tensorboard = make


def writer_of_half(writer: SummaryWriter, half: str | None) -> SummaryWriter:
    """Open a folder for each half: in the one that RecBole opens for a run, the curves of both would mix.

    Args:
        writer: RecBole's, which is closed, and whose empty file is removed.
        half: the name of the folder below RecBole's; None of a model that is the only one.
    """
    folder = writer.log_dir
    if half is None or folder is None:
        return writer
    writer.close()
    for empty in glob.glob(os.path.join(glob.escape(folder), "events.out.tfevents.*")):
        os.remove(empty)
    return SummaryWriter(os.path.join(folder, half))


@contextmanager
def closed_at_the_end(writer: SummaryWriter) -> Iterator[None]:
    """Close a writer's files, of which RecBole leaves the thread that writes them to write on."""
    try:
        yield
    except BaseException:
        with suppress(OSError):
            writer.close()
        raise
    writer.close()
