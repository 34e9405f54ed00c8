"""Writes the page of a checkpoint again, or that of a comparison from what lies in its folder.

A checkpoint is loaded and tested anew, for which its data must be there.
"""

from __future__ import annotations

import os

from recbole_decrs.arguments import CommandParser, whole_number
from recbole_decrs.commands import of_checkpoint
from recbole_decrs.commands.of_checkpoint import add_checkpoint, take_checkpoint
from recbole_decrs.errors import DecRSError

KEYS = {**of_checkpoint.KEYS, "user_groups": "drift, activity, or a column of the .user file: the groups of users"}
"""The configuration keys that may be other than they were in training, with what they are."""
A_FOLDER = "the folder of a comparison, such as results/ml-100k"


def add_options(parser: CommandParser) -> None:
    """Declare the options of the command."""
    parser.usage = "%(prog)s CHECKPOINT | FOLDER [--users=200] [--key=value ...]"
    parser.add_argument(
        "--users",
        metavar="N",
        type=whole_number(1),
        default=200,
        help="how many users can be looked up on the page of a checkpoint; default %(default)s",
    )
    add_checkpoint(parser, KEYS, f"what the training of any model saved, or {A_FOLDER}")


def execute(arguments: list[str], parser: CommandParser) -> None:
    """Write the page, and print where it is."""
    path, options, changed = take_checkpoint(arguments, parser, "report", KEYS, f"one checkpoint, or {A_FOLDER}")
    if os.path.isdir(path):
        given = [argument[2:].partition("=")[0] for argument in arguments if argument.startswith("--")]
        if given:
            raise DecRSError(f"report reads {path} as it was written, and takes no --{given[0]}; leave it out")
        from recbole_decrs.report.comparison.of_folder import write_page_of_folder

        print(write_page_of_folder(path))
        return
    checkpoint = f"{os.path.splitext(path)[0]}.pth"
    if path != checkpoint and os.path.isfile(checkpoint):
        raise DecRSError(f"report: {path} is a file beside a checkpoint; name {checkpoint}")
    from recbole_decrs.report.page import write_page
    from recbole_decrs.report.run import page_of_run, report_path
    from recbole_decrs.report.run.of_checkpoint import run_of_checkpoint

    page = report_path(path)
    write_page(page_of_run(run_of_checkpoint(path, changed), options.users), page)
    print(page)
