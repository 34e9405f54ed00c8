"""Keeps TensorBoard's files of a training apart from those of others, and closes them when it ends."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from torch.utils.tensorboard import SummaryWriter


def writer_of_half(writer: SummaryWriter, half: str) -> SummaryWriter:
    """Open a folder for each half: in the one that RecBole opens for a run, the curves of both would mix.

    Args:
        writer: RecBole's, which is closed, and whose empty file is removed.
        half: the name of the folder below RecBole's.
    """
    folder = writer.log_dir
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
