"""Decides what of a run the console shows: results, warnings and files, where the log file has everything."""

from __future__ import annotations

import logging
import os
import re
import sys

import colorlog
import recbole.trainer.trainer
from recbole.utils.logger import log_colors_config
from tqdm import tqdm

SHOWN = "shown_on_console"
"""The attribute of the log's records that are meant for the console, beside warnings and errors."""
ESCAPES = re.compile(r"\x1b\[[0-9;]*m")
"""The codes by which RecBole colours its messages."""


def tell(text: str) -> None:
    """Log a line that the console shows without ``verbose``, too."""
    logging.getLogger().info(text, extra={SHOWN: True})


def is_watched() -> bool:
    """Tell whether standard error is a terminal, where bars and colours make sense, and not a file or a pipe."""
    try:
        return sys.stderr is not None and sys.stderr.isatty()
    except ValueError:  # it has been closed
        return False


def shows_bars(config) -> bool:
    """Tell whether bars are shown: RecBole's key ``show_progress`` asks for them, and somebody is there to see."""
    return bool(config["show_progress"]) and is_watched()


class Bar(tqdm):
    """Shows a progress bar that vanishes when it is full, since a training has two of them an epoch."""

    def __init__(self, *arguments, **options) -> None:
        super().__init__(*arguments, **{"leave": False, **options})


recbole.trainer.trainer.tqdm = Bar  # RecBole's Trainer makes its bars of what its module calls tqdm


class Console(logging.StreamHandler):
    """Shows log records on standard error.

    Args:
        verbose: True to show all of them as RecBole does; else warnings, and what :func:`tell` is given, without time.
        lines: False to show what :func:`tell` is given with ``verbose`` alone.
    """

    def __init__(self, verbose: bool = False, lines: bool = True) -> None:
        super().__init__()
        self.verbose, self.lines = verbose, lines
        self.colours = is_watched() and not os.environ.get("NO_COLOR")  # as https://no-color.org has it
        line = "%(log_color)s%(asctime)-15s %(levelname)s  %(message)s"
        self.as_recbole = colorlog.ColoredFormatter(line, "%d %b %H:%M", log_colors=log_colors_config)

    def emit(self, record: logging.LogRecord) -> None:
        """Show the record, if it is to be shown."""
        if self.verbose or record.levelno > logging.INFO or (self.lines and hasattr(record, SHOWN)):
            super().emit(record)

    def format(self, record: logging.LogRecord) -> str:
        """Write a record as a line; colours are for terminals alone."""
        if self.verbose:
            text = self.as_recbole.format(record)
            return text if self.colours else ESCAPES.sub("", text)
        kind = f"{record.levelname}: " if record.levelno > logging.INFO else ""
        return kind + ESCAPES.sub("", record.getMessage())
