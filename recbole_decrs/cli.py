"""Runs the command line: ``recbole-decrs`` and ``run_recbole_decrs.py``."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from contextlib import suppress

from recbole_decrs import __version__
from recbole_decrs.arguments import CommandParser
from recbole_decrs.commands import COMMANDS, DEFAULT
from recbole_decrs.errors import DecRSError, did_you_mean, sentence_of

PROGRAM = "recbole-decrs"


def build_parsers() -> tuple[CommandParser, dict[str, CommandParser]]:
    """Make the parser of the whole program, which has the options of the default command, and those of the commands."""
    default = importlib.import_module(COMMANDS[DEFAULT][0])
    program = CommandParser(prog=PROGRAM, description=default.__doc__)
    program.add_argument("--version", action="store_true", default=argparse.SUPPRESS, help="show the version and exit")
    default.add_options(program)
    program.usage = f"{program.usage}\n       %(prog)s COMMAND [--option=VALUE ...] [--key=value ...]"
    more = f"{PROGRAM} COMMAND --help shows the options of one"
    commands = program.add_subparsers(title="commands", description=more, prog=PROGRAM, metavar="COMMAND")
    for name, (module, line) in COMMANDS.items():
        command = importlib.import_module(module)
        command.add_options(commands.add_parser(name, help=line, description=command.__doc__))
    return program, commands.choices


def main(arguments: list[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: without the program's name; default those of the process.

    Returns:
        exit status: 0, or 2 where the input cannot be used, which one sentence on standard error explains.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        _run(arguments)
        if sys.stdout is not None:  # it may have been closed before
            sys.stdout.flush()
    except BrokenPipeError:  # whoever reads the output has read enough
        _give_up_output()
        return 141
    except KeyboardInterrupt:
        _tell("stopped", "")
        return 130
    except Exception as error:
        if sys.flags.dev_mode:
            raise
        _tell(sentence_of(error))
        if isinstance(error, OSError):
            _give_up_output()
        return 2
    return 0


def _run(arguments: list[str]) -> None:
    named = bool(arguments) and not arguments[0].startswith("-")
    name = arguments[0] if named else DEFAULT
    if name not in COMMANDS:
        known = f"; the commands are {', '.join(COMMANDS)}, and settings are written as --key=value"
        raise DecRSError(f"there is no command {name}{did_you_mean(name, COMMANDS) or known}")
    program, commands = build_parsers()
    if any(argument in ("-h", "--help") for argument in arguments):
        parser = commands[name] if named else program
        more_help = getattr(importlib.import_module(COMMANDS[name][0]), "more_help", None)
        if named and more_help:
            parser.epilog = f"{more_help()}. {parser.epilog}"
        print(parser.format_help(), end="")
    elif "--version" in arguments:
        print(f"{PROGRAM} {__version__}")
    elif name != DEFAULT and "TORCHELASTIC_RUN_ID" in os.environ:
        raise DecRSError(f"torchrun starts a run in several processes, and {name} is none; start it without torchrun")
    else:
        importlib.import_module(COMMANDS[name][0]).execute(arguments[named:], commands[name])


def _tell(sentence: str, kind: str = "error: ") -> None:
    with suppress(OSError):
        print(f"{PROGRAM}: {kind}{sentence}", file=sys.stderr)


def _give_up_output() -> None:
    """Let nothing more be written where nothing can be, as Python would when it ends."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
