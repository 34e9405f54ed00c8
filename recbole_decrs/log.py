"""Starts RecBole's logger late: nothing is written until the input is known to be good."""

from __future__ import annotations

import logging
import os
import sys
import threading
import traceback
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from functools import partial

import psutil
import torch
from recbole.utils import init_logger
from tensorboard.summary.writer.event_file_writer import _AsyncWriterThread

from recbole_decrs.console import Console
from recbole_decrs.errors import DecRSError


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Silence the warnings of RecBole 1.2.1 on today's packages, about which a user can do nothing.

    TensorBoard's thread prints no traceback on a full disk either: the run itself raises its error and tells it.
    """
    hook = threading.excepthook

    def show(failure: threading.ExceptHookArgs) -> None:
        if not (isinstance(failure.exc_value, OSError) and isinstance(failure.thread, _AsyncWriterThread)):
            hook(failure)

    with warnings.catch_warnings():
        threading.excepthook = show
        warnings.filterwarnings("ignore", category=FutureWarning)
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        warnings.filterwarnings("ignore", module=r"recbole\.")
        try:
            yield
        finally:
            threading.excepthook = hook


def check_writable(*folders: str) -> None:
    """See that files can be made in folders that may not exist yet, without making them.

    Raises:
        DecRSError: they cannot.
    """
    for folder in folders:
        existing = os.path.abspath(folder)
        while not os.path.exists(existing):
            existing = os.path.dirname(existing)
        if not os.path.isdir(existing):
            raise DecRSError(
                f"the folder {folder} cannot be made, since {existing} is a file; move it away, or name another"
            )
        if not os.access(existing, os.W_OK):
            raise DecRSError(f"the folder {folder} cannot be written to ({existing}); start the run elsewhere")


def tell_threads() -> None:
    """Log how many threads compute, on which the last digits of results depend, and whether they get in the way."""
    n_threads, n_cores = torch.get_num_threads(), os.cpu_count() or 1
    logging.getLogger().info(f"Computing with {n_threads} threads (OMP_NUM_THREADS), on which the last digits depend")
    busy = psutil.cpu_percent(interval=0.1) / 100 * n_cores  # while this program waits
    if n_threads > 1 and busy + n_threads > n_cores + 0.5:
        logging.getLogger().warning(
            f"other programs keep {busy:.1f} of {n_cores} cores busy, beside which several threads are slower than "
            "one; set OMP_NUM_THREADS=1"
        )


def _stop(handler: logging.Handler, path: str, record: logging.LogRecord) -> None:
    """Raise when a log file cannot be written, where logging would print and go on.

    A text with fewer places than arguments, as RecBole's RaCT and DGCF log it, is written with these behind it.
    """
    error = sys.exc_info()[1]
    if isinstance(error, OSError):
        raise OSError(error.errno, error.strerror, path) from error
    if not record.args or _with_all_arguments(record).args:
        raise
    handler.emit(record)


def _with_all_arguments(record: logging.LogRecord) -> logging.LogRecord:
    """Put arguments behind a text that has not places for them."""
    try:
        record.getMessage()
    except TypeError:
        record.msg, record.args = f"{record.msg} {record.args}", None
    return record


class HeldLog(logging.Handler):
    """Passes records on to the console, and holds them for the log file that is opened later.

    A warning that is there already is left out: a comparison reads the same files and settings many times.

    Args:
        console: where they are shown; None if nowhere.
    """

    def __init__(self, console: Console | None) -> None:
        super().__init__()
        self.console = console
        self.records: list[logging.LogRecord] = []
        self.warnings: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        """Show the record, and keep it."""
        record = _with_all_arguments(record)
        if record.levelno == logging.WARNING:
            if record.getMessage() in self.warnings:
                return
            self.warnings.add(record.getMessage())
        self.records.append(record)
        if self.console:
            self.console.handle(record)


class _OwnName:
    """Lets RecBole make another log file's name of a configuration than of the same one in the same second."""

    def __init__(self, config) -> None:
        self.config = config
        self.final_config_dict = {**config.final_config_dict, "run": uuid.uuid4()}

    def __getitem__(self, key: str):
        return self.config[key]


class RunLog:
    """Writes the log of one run: a few lines on the console, all into ``log/<model>/...`` from :meth:`start` on.

    RecBole's ``init_logger`` does nothing where the root logger has a handler already, so that a second run in one
    process would log into the file of the first; handlers of others are put aside for it and back again.

    Args:
        console: whether the console shows it too.
        file: False if nothing is written, as by all but the first of several processes.
        lines: False if the console shows warnings alone, as of a trial among many.

    Attributes:
        path: of the log file, once it is open.
    """

    def __init__(self, console: bool = True, file: bool = True, lines: bool = True) -> None:
        self.console = Console(lines=lines) if console else None
        self.file = file
        self.path: str | None = None
        self.root = logging.getLogger()
        self.handlers: list[logging.Handler] = []
        self.level = self.root.level

    def __enter__(self) -> RunLog:
        self.held = HeldLog(self.console)
        self.handlers = [self.held]
        self.root.addHandler(self.held)
        if self.root.level > logging.INFO or self.root.level == logging.NOTSET:
            self.root.setLevel(logging.INFO)
        return self

    def follow(self, config) -> None:
        """Log what RecBole's key ``state`` asks for (debug, info, warning, ...), and show it all if ``verbose``."""
        level = logging.getLevelName((config["state"] or "info").upper())
        self.root.setLevel(level if isinstance(level, int) else logging.INFO)
        if self.console:
            self.console.verbose = config["verbose"]

    def start(self, config) -> None:
        """Open the log file, as RecBole names it, and write what was held; one that is open stays."""
        if not self.file or self.path:
            return
        self.root.removeHandler(self.held)
        others = self.root.handlers[:]
        self.root.handlers.clear()
        # RecBole looks whether a folder is there and makes it otherwise, between which another run may make it.
        for folder in (os.path.join("log", config["model"]), "log_tensorboard", config["checkpoint_dir"]):
            os.makedirs(folder, exist_ok=True)
        init_logger(_OwnName(config))
        for handler in self.root.handlers[:]:
            if isinstance(handler, logging.FileHandler):
                self.path = os.path.relpath(handler.baseFilename)
                handler.handleError = partial(_stop, handler, self.path)
            else:
                self.root.removeHandler(handler)
        if self.console:
            self.root.addHandler(self.console)
        self.handlers = self.root.handlers[:]
        for handler in others:
            self.root.addHandler(handler)
        for record in self.held.records:
            self._to_file(record)

    def to_file(self, text: str) -> None:
        """Write a text into the log file alone."""
        self._to_file(logging.LogRecord("root", logging.INFO, __file__, 0, text, None, None))

    def _to_file(self, record: logging.LogRecord) -> None:
        for handler in self.handlers:
            if isinstance(handler, logging.FileHandler) and record.levelno >= handler.level:
                handler.handle(record)

    def __exit__(self, kind: type | None, exception: BaseException | None, trace: object) -> None:
        if isinstance(exception, Exception) and not isinstance(exception, DecRSError | OSError | MemoryError):
            self.to_file("".join(traceback.format_exception(exception)))
        for handler in self.handlers:
            self.root.removeHandler(handler)
            with suppress(OSError) if exception else nullcontext():  # a full disk is told once
                handler.close()
        self.root.setLevel(self.level)
