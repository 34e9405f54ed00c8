"""Mends RecBole's download of a dataset from outside."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from zipfile import BadZipFile

import torch

from recbole_decrs.errors import DecRSError


def download(dataset, recbole_download: Callable[[], None]) -> None:
    """Run RecBole's download into a folder beside the dataset's, and rename it once it is whole.

    RecBole's own calls ``torch.distributed.barrier()``, which raises where there is no process group, and where there
    is one lets processes go on that wait for the folder to be whole
    (:func:`~recbole_decrs.distributed.group.one_before_others`). It leaves an empty folder behind when the download
    fails, which the next run takes for the dataset.

    Args:
        dataset: a RecBole Dataset; its ``dataset_path`` is where the files are wanted.
        recbole_download: its own ``_download``.

    Raises:
        DecRSError: the download failed.
    """
    wanted = dataset.dataset_path
    dataset.dataset_path = f"{wanted.rstrip(os.sep)}.part"
    shutil.rmtree(dataset.dataset_path, ignore_errors=True)
    try:
        with _no_barrier():
            recbole_download()
    except SystemExit as stop:  # RecBole's way to say that the user declined, or has a knowledge graph to convert
        if stop.code == 0:
            os.rename(dataset.dataset_path, wanted)
        raise
    except (OSError, EOFError, RuntimeError, BadZipFile, TypeError) as error:
        raise DecRSError(
            f"the dataset {dataset.dataset_name} is not in {wanted} and could not be downloaded ({error}); "
            "check the network, or put its atomic files there"
        ) from error
    else:
        os.rename(dataset.dataset_path, wanted)
    finally:
        shutil.rmtree(dataset.dataset_path, ignore_errors=True)
        dataset.dataset_path = wanted


@contextmanager
def _no_barrier() -> Iterator[None]:
    barrier = torch.distributed.barrier
    torch.distributed.barrier = lambda: None
    try:
        yield
    finally:
        torch.distributed.barrier = barrier
