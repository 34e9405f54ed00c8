"""Writes files whole or not at all, and lets one process at a time work on a file."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None


@contextmanager
def replaced_whole(path: str | os.PathLike) -> Iterator[BinaryIO]:
    """Write a file beside ``path`` and rename it at the end: a kill at any moment leaves the previous one whole.

    Raises:
        OSError: it cannot be written; the previous one is whole, and the file beside it gone.
    """
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        with open(temporary, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        with suppress(OSError):
            remove(temporary)


def remove(path: str) -> None:
    """Take a file away that may not be there."""
    with suppress(FileNotFoundError):
        os.remove(path)


class Claim:
    """Locks a file, a training's checkpoint for example, so that other processes keep off; ends with its process.

    It is a lock of the system on ``path`` with ``.lock`` behind it. Where the system, or its network disk, has none,
    nobody is kept off.

    Args:
        path: what is claimed; it need not exist.

    Raises:
        BlockingIOError: another process has claimed it.
    """

    def __init__(self, path: str) -> None:
        self.path = f"{path}.lock"
        self._file = None if fcntl is None else self._locked()

    def _locked(self) -> BinaryIO | None:
        while True:
            # Whoever handed the folder over may have put a link, or a pipe, in its place.
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            file = os.fdopen(os.open(self.path, flags, 0o666), "r+b", buffering=0)
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                file.close()
                raise OSError(errno.EINVAL, "not a file that can be locked", self.path)
            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                file.close()
                if isinstance(error, BlockingIOError | PermissionError):
                    raise BlockingIOError(error.errno, error.strerror, self.path) from error
                return None
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(file.fileno()), os.stat(self.path)):
                    return file
            file.close()  # whoever had it took it away between the two lines

    def __enter__(self) -> Claim:
        return self

    def __exit__(self, *exception: object) -> None:
        """Let others have it."""
        if self._file is not None:
            with suppress(OSError):
                remove(self.path)
            self._file.close()
            self._file = None
