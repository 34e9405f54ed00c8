"""Reads command lines, and gives each command a parser in which it declares its options."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from recbole_decrs.errors import DecRSError

AS_RECBOLE = ("model", "dataset", "config_files", "params_file")
"""Options that RecBole's own scripts take with a blank before the value."""
ANY_KEY = (
    "Any configuration key of RecBole or of the plugin can be set as well, as --key=value; the command line goes over "
    "the config files."
)
FLAGS = ("dry_run", "verbose")
"""Options that are True where they have no value."""
KEYS = {
    "model": ("MODEL", "the model, of RecBole or of the plugin; default DecFM"),
    "dataset": ("DATASET", "the dataset, in data_path or of those that RecBole knows; default ml-100k"),
    "config_files": ('"FILE ..."', "YAML files with settings, of which a later one goes over those before it"),
    "verbose": ("BOOL", "True to show all that the log file has; default False, which shows results and warnings"),
}
"""Configuration keys that a command's help names, with what they take and are."""


class _Formatter(argparse.HelpFormatter):
    """Writes ``--key=VALUE``, as an option has to be typed here, where argparse writes ``--key VALUE``."""

    def _format_action_invocation(self, action: argparse.Action) -> str:
        invocation = super()._format_action_invocation(action)
        return invocation.replace(" ", "=", 1) if action.option_strings and action.nargs != 0 else invocation


class CommandParser(argparse.ArgumentParser):
    """Parses the arguments of a command whose options stand among configuration keys, which it does not know.

    An option that is added with a default, be it None, is the command's own. One that is added without
    (``argparse.SUPPRESS``) is a configuration key: the help shows it, and it stays among the settings.
    """

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments, allow_abbrev=False, formatter_class=_Formatter)
        self._values: dict[str, tuple[str, ...]] = {}

    def error(self, message: str) -> NoReturn:
        """Raise the mistake as one sentence, where argparse prints its usage and ends the process."""
        raise DecRSError(message.removeprefix("argument ").replace(": ", " ", 1))

    def add_keys(self, *keys: str) -> None:
        """Let the help name configuration keys, of :data:`KEYS`."""
        for key in keys:
            metavar, text = KEYS[key]
            self.add_argument(f"--{key}", metavar=metavar, default=argparse.SUPPRESS, help=text)
        self.epilog = ANY_KEY

    def add_workers(self, text: str) -> None:
        """Declare ``--workers`` and ``--engine``; ``text`` says what the workers do."""
        self.add_argument(
            "--workers", metavar="N", type=whole_number(1), default=1, help=f"{text}; default %(default)s"
        )
        self.add_argument(
            "--engine",
            metavar="ENGINE",
            default="loky",
            help="what carries several processes: loky on this machine, or ray, dask or spark, where installed, also "
            "on a cluster with a shared disk; default %(default)s",
        )

    def add_values(self, option: str, *texts: str) -> None:
        """Let an option take texts as its value that undo other options, as in ``--separator=~``."""
        self._values[option] = texts

    def own_options(self) -> list[str]:
        """List the names of the command's own options, without the dashes."""
        return list(vars(self.parse_args([])))

    def take(self, settings: dict[str, str]) -> argparse.Namespace:
        """Take the command's own options out of the settings and read them; configuration keys are left.

        An option with the text that undoes a key, such as ``--output=none``, has its default, where that is no value
        of it (:meth:`add_values`).

        Raises:
            DecRSError: an option has a value that it does not take.
        """
        from recbole_decrs.plain_values import UNDO  # not for a help, which needs no numpy

        typed = {key: settings.pop(key) for key in self.own_options() if key in settings}
        typed = {
            key: value
            for key, value in typed.items()
            if value.lower() not in UNDO or value.lower() in self._values.get(key, ())
        }
        for key, value in typed.items():
            if value == "--":  # up to Python 3.12, argparse drops it and takes the default in silence
                raise DecRSError(f"--{key} cannot be --, which is no value; write --{key}=VALUE")
        return self.parse_args([f"--{key}={value}" for key, value in typed.items()])


def whole_number(least: int) -> Callable[[str], int]:
    """Make the ``type`` of an option that takes a whole number from ``least`` on."""

    def read(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"must be a whole number >= {least}, not {text}")
        return int(text)

    return read


def yes_or_no(text: str) -> bool:
    """Read the value of an option that is True or False, as its ``type``."""
    if text.lower() not in ("true", "false"):
        raise argparse.ArgumentTypeError(f"must be True or False, not {text}")
    return text.lower() == "true"


def parse(arguments: list[str]) -> dict[str, str]:
    """Read arguments ``--key=value`` by key; ``--model``, ``--dataset`` and ``--config_files`` also take the next one.

    argparse cannot read them: keys that it does not know may have values with blanks, such as
    ``--eval_args={'order': 'TO'}``, which it takes for words of their own.

    Raises:
        DecRSError: an argument is not of this form, or a key is given two values.
    """
    settings: dict[str, str] = {}
    rest = list(arguments)
    while rest:
        argument = rest.pop(0)
        key, equals, value = argument.removeprefix("--").partition("=")
        if not argument.startswith("--") or not key:
            raise DecRSError(f"cannot read the argument {argument}; write settings as --key=value")
        if not equals and key in FLAGS:
            value = "True"
        elif not equals:
            if key not in AS_RECBOLE or not rest or rest[0].startswith("--"):
                raise DecRSError(f"the argument --{key} has no value; write --{key}=VALUE")
            value = rest.pop(0)
        if settings.get(key, value) != value:
            raise DecRSError(f"--{key} is given twice, as {settings[key]} and as {value}; leave one out")
        settings[key] = value
    return settings


def typed_program(*command: str) -> list[str]:
    """Give the words before the options as they were typed: the program, or the script of one's own that called it.

    Args:
        command: the name of the command, where it has one; a script may add it, so that it is not typed.
    """
    if not sys.argv[0].endswith(".py") or sys.modules["__main__"].__spec__ is not None:
        return ["recbole-decrs", *command]
    return ["python", sys.argv[0], *(word for word in command if word in sys.argv[1:2])]
