"""RecBole's logger, started late: nothing is written until the input is known to be good."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import colorlog
from recbole.utils import init_logger
from recbole.utils.logger import log_colors_config

from recbole_decrs.errors import DecRSError


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Without the warnings of RecBole 1.2.1 on today's packages, about which a user can do nothing."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=FutureWarning)
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        warnings.filterwarnings("ignore", module=r"recbole\.")
        yield


def check_writable(*folders: str) -> None:
    """See that files can be made in folders that may not exist yet, without making them.

    Raises:
        DecRSError: they cannot.
    """
    for folder in folders:
        existing = os.path.abspath(folder)
        while not os.path.exists(existing):
            existing = os.path.dirname(existing)
        if not os.path.isdir(existing) or not os.access(existing, os.W_OK):
            raise DecRSError(f"the folder {folder} cannot be written to ({existing}); start the run elsewhere")


class HeldLog(logging.Handler):
    """Shows records on the console as RecBole does, and holds them for the log file that is opened later.

    A warning that is there already is left out: a comparison reads the same files and settings many times.

    Args:
        show: whether it shows them.
    """

    def __init__(self, show: bool = True) -> None:
        super().__init__()
        self.show = show
        self.records: list[logging.LogRecord] = []
        self.warnings: set[str] = set()
        self.console = logging.StreamHandler()
        self.console.setFormatter(
            colorlog.ColoredFormatter(
                "%(log_color)s%(asctime)-15s %(levelname)s  %(message)s", "%d %b %H:%M", log_colors=log_colors_config
            )
        )

    def emit(self, record: logging.LogRecord) -> None:
        """Show the record, and keep it."""
        if record.levelno == logging.WARNING:
            if record.getMessage() in self.warnings:
                return
            self.warnings.add(record.getMessage())
        self.records.append(record)
        if self.show:
            self.console.handle(record)


class RunLog:
    """The log of one run: console at once, ``log/<model>/...`` from :meth:`start` on.

    RecBole's ``init_logger`` does nothing where the root logger has a handler already, so that a second run in one
    process would log into the file of the first; handlers of others are put aside for it and back again.

    Args:
        console: whether the console shows it too.
    """

    def __init__(self, console: bool = True) -> None:
        self.console = console
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

    def set_level(self, state: str | None) -> None:
        """Show what RecBole's key ``state`` asks for: debug, info, warning, error or critical."""
        level = logging.getLevelName((state or "info").upper())
        self.root.setLevel(level if isinstance(level, int) else logging.INFO)

    def start(self, config) -> None:
        """Open the log file, as RecBole names it, and write what was held."""
        self.root.removeHandler(self.held)
        others = self.root.handlers[:]
        self.root.handlers.clear()
        init_logger(config)
        if not self.console:
            for handler in self.root.handlers[:]:
                if not isinstance(handler, logging.FileHandler):
                    self.root.removeHandler(handler)
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

    def __exit__(self, *exception: object) -> None:
        for handler in self.handlers:
            self.root.removeHandler(handler)
            handler.close()
        self.root.setLevel(self.level)
