"""Trains and tests a recommender with RecBole.

DecFM and DecNFM train the conventional and the deconfounded recommender (DecRS, KDD 2021), fuse them and print who
wins; any other RecBole model is run and measured the same way.
"""

from __future__ import annotations

import os
import shlex
from contextlib import AbstractContextManager, nullcontext

from recbole_decrs.arguments import CommandParser, parse, typed_program


def add_options(parser: CommandParser) -> None:
    """Declare the options of the command."""
    parser.usage = '%(prog)s [--model=DecFM] [--dataset=ml-100k] [--config_files="a.yaml b.yaml"] [--key=value ...]'
    parser.add_keys("model", "dataset", "config_files", "verbose")


def execute(arguments: list[str], parser: CommandParser) -> None:
    """Train and test the model that the arguments name."""
    with _place():
        settings = parse(arguments)
        from recbole_decrs.config_files import config_files_of
        from recbole_decrs.quick_start import run_recbole_decrs

        command = shlex.join([*typed_program(), *arguments])
        run_recbole_decrs(config_file_list=config_files_of(settings), command_line=settings, command=command)


def _place() -> AbstractContextManager[None]:
    """Take the place that torchrun gives this process, so that a mistake is told once; else torch is not imported."""
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        return nullcontext()
    from recbole_decrs.distributed.launch import taken_place

    return taken_place()
