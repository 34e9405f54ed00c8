"""Finds the state of a training that was killed, and tells whether it is this training's, and what it holds.

A training has two files: the checkpoint, of the epoch that is best on validation, and beside it, until the training has
come to its end, the last state, of the epoch that was finished last.
"""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from logging import getLogger
from typing import Any

from recbole_decrs.checkpoint import Checkpoint, trained_on_same
from recbole_decrs.checkpoint_file import UnreadableCheckpoint, read_checkpoint, read_header
from recbole_decrs.distributed.group import is_first, told_by_first
from recbole_decrs.errors import DecRSError
from recbole_decrs.files import Claim, remove
from recbole_decrs.key_facts import CHANGE_NO_NUMBER


def last_path(path: str) -> str:
    """Name the file of the last state of a training whose checkpoint is at ``path``."""
    stem, ending = os.path.splitext(path)
    return f"{stem}-last{ending}"


def _best_path(path: str) -> str:
    """Name the file of the checkpoint of which ``path`` is the last state; ``path`` where it is none."""
    stem, ending = os.path.splitext(path)
    return f"{stem.removesuffix('-last')}{ending}"


@dataclass(frozen=True)
class SavedTraining:
    """Holds the two files of a training, each read once."""

    path: str
    """Of the checkpoint."""
    best: Checkpoint | None
    """The checkpoint; None before the first validation."""
    last: Checkpoint | None
    """The state of the epoch that was finished last; None after the end of the training, or where it is damaged."""

    @classmethod
    def read(cls, path: str) -> SavedTraining:
        """Read the files of the training whose checkpoint is at ``path``; to be done once they are claimed.

        Of several processes the first one reads, and hands the others what it has read.

        Raises:
            DecRSError: there is none that can be read.
        """
        contents = told_by_first(lambda: cls._contents(path))
        files = (path, last_path(path))
        return cls(
            path, *(content and Checkpoint(file, content) for file, content in zip(files, contents, strict=True))
        )

    @staticmethod
    def _contents(path: str) -> list[dict[str, Any] | None]:
        last_file = last_path(path)
        has_last = os.path.isfile(last_file)
        best = Checkpoint.read(path) if os.path.isfile(path) or not has_last else None
        try:
            last = Checkpoint.read(last_file) if has_last else None
        except UnreadableCheckpoint as error:
            if best is None:
                raise
            getLogger().warning(f"{error.fault}; training goes on from what {path} holds")
            last = None
        return [checkpoint and checkpoint.content for checkpoint in (best, last)]

    @property
    def checkpoints(self) -> list[Checkpoint]:
        """List the checkpoint and the last state, as far as they are there."""
        return [checkpoint for checkpoint in (self.best, self.last) if checkpoint is not None]

    def latest(self, half: str | None = None) -> Checkpoint:
        """Choose the checkpoint that a training, or a half of one, goes on from: that of its later epoch."""
        if self.best is None or self.last is None:
            return self.best or self.last
        best, last = (checkpoint.state(half) or {} for checkpoint in (self.best, self.last))
        return self.best if best.get("finished") or last.get("epoch", -1) < best.get("epoch", -1) else self.last


def checkpoint_to_resume(config, part) -> str | None:
    """Find the checkpoint that ``resume`` asks for; for ``auto`` the newest that has these data and these settings.

    It need not be there as long as its last state is.

    Args:
        config: the configuration.
        part: the training part of the dataset.

    Returns:
        its path; None where no key asks for one, or ``auto`` finds none.

    Raises:
        DecRSError: it is not there, cannot be read, or is of a training with other settings.
    """
    wanted = config["resume"]
    return None if wanted is None else told_by_first(lambda: _found(wanted, config, part))


def _found(wanted: str, config, part) -> str | None:
    if wanted == "auto":
        return _newest(config, part)
    path = _best_path(wanted)
    there = [file for file in (path, last_path(path)) if os.path.isfile(file)]
    if not there:
        raise DecRSError(f"resume: there is no checkpoint {wanted}; check its path, or take --resume=auto")
    header = read_header(there[0])
    if header is None:
        raise DecRSError(f"resume: {wanted} was not written by this version of recbole_decrs; train anew")
    settings = header["config"]
    # Of two recommenders that were trained one after the other, only the second could be trained for longer. And of
    # fewer epochs than eval_step the last one was validated, which it is not in a longer training.
    epochs, step = settings.get("epochs"), settings.get("eval_step")
    single = not config.deconfounded and isinstance(epochs, int) and isinstance(step, int)
    longer = single and step <= epochs < config["epochs"]
    others = differing(settings, config.settings, {"epochs"} if longer else ())
    if others:
        key = others[0]
        raise DecRSError(
            f"resume: {wanted} was trained with {key}: {settings.get(key)!r}, not {config.settings.get(key)!r}; give "
            "the settings of then, or train anew"
        )
    return path


def _newest(config, part) -> str | None:
    logger = getLogger()
    pattern = os.path.join(glob.escape(config["checkpoint_dir"]), f"{glob.escape(config['model'])}-*.pth")
    found = []
    for file in glob.glob(pattern):
        try:
            status = os.stat(file)
        except OSError:  # another run has finished and taken its last state away
            continue
        if stat.S_ISREG(status.st_mode):
            found.append((status.st_mtime_ns, file))
    for _, file in sorted(found, reverse=True):
        path = _best_path(file)
        try:
            header = read_header(file)
            if header is None or differing(header["config"], config.settings):
                continue
            if header["fingerprint"] != part.fingerprint or not trained_on_same(header, part):
                logger.warning(f"resume: {file} has these settings, but was made for other data, and is passed over")
                continue
            for one in {file, path}:
                if os.path.isfile(one):
                    read_checkpoint(one)
        except UnreadableCheckpoint as error:
            logger.warning(f"resume: {error.fault}, and is passed over")
            continue
        return path
    logger.info(f"resume: {config['checkpoint_dir']} has no checkpoint with these settings, so training begins anew")
    return None


def differing(one: dict[str, Any], other: dict[str, Any], but: Iterable[str] = ()) -> list[str]:
    """List the settings that differ, less those that change no number."""
    keys = sorted(one.keys() | other.keys())
    return [key for key in keys if key not in CHANGE_NO_NUMBER and key not in but and one.get(key) != other.get(key)]


def claim(path: str) -> AbstractContextManager:
    """Keep other processes off a training's files, until it is released or this process ends.

    What a kill has left of files that were being written is taken away. Of the processes of one run the first one
    claims them.

    Raises:
        DecRSError: another process trains it.
    """
    if not is_first():
        return nullcontext()
    try:
        claimed = Claim(path)
        for file in (path, last_path(path)):
            for half_written in glob.glob(f"{glob.escape(file)}.*.tmp"):
                remove(half_written)
        return claimed
    except BlockingIOError as error:
        raise DecRSError(
            f"resume: {path} is being trained by another process; wait until that has ended, or leave resume out"
        ) from error


@contextmanager
def claimed_for_later(path: str) -> Iterator[AbstractContextManager]:
    """Claim a training's files, and keep them claimed beyond the block unless it fails."""
    claimed = claim(path)
    try:
        yield claimed
    except BaseException:
        claimed.__exit__()
        raise
