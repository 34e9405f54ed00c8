"""Keeps TensorBoard's files of a training apart from those of others, and closes them when it ends."""

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


def writer_of_half(writer: SummaryWriter, half: str) -> SummaryWriter:
    """Open a folder for each half: in the one that RecBole opens for a run, the curves of both would mix.

    Args:
        writer: RecBole's, which is closed, and whose empty file is removed.
        half: the name of the folder below RecBole's.
    """
    folder = writer.log_dir
    if folder is None:
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
