"""Puts the results of several runs into one table, with the settings in which they differ.

FILE is a result that a run has written beside its checkpoint, or a folder with such files. --key=value shows the runs
alone that have this value.
"""

from __future__ import annotations

import argparse
import sys

from recbole_decrs.arguments import CommandParser, parse
from recbole_decrs.errors import DecRSError


def add_options(parser: CommandParser) -> None:
    """Declare the options of the command."""
    parser.usage = "%(prog)s FILE ... [--sort=METRIC] [--output=md] [--key=value ...]"
    parser.add_argument(
        "paths",
        metavar="FILE",
        nargs="*",
        default=argparse.SUPPRESS,
        help="results, or folders of them, such as saved/",
    )
    parser.add_argument(
        "--sort",
        metavar="METRIC",
        default=None,
        help="the metric by which the runs are sorted, best first, such as NDCG@20; default by name",
    )
    parser.add_argument(
        "--output", metavar="FORMAT", type=_format, default="md", help="md (Markdown) or csv; default %(default)s"
    )


def _format(text: str) -> str:
    if text not in ("md", "csv"):
        raise argparse.ArgumentTypeError(f"must be md or csv, not {text}")
    return text


def execute(arguments: list[str], parser: CommandParser) -> None:
    """Print the table of the runs that the arguments name."""
    paths = [argument for argument in arguments if not argument.startswith("-")]
    wanted = parse([argument for argument in arguments if argument.startswith("-")])
    options = parser.take(wanted)
    if not paths:
        raise DecRSError("table needs results of runs, or a folder of them: recbole-decrs table saved/")
    from recbole_decrs.runs.table import frame_of_runs, only, read_runs, text_of_runs

    runs, left_out = read_runs(paths)
    for sentence in left_out:
        print(f"WARNING: {sentence}", file=sys.stderr)
    if not runs:
        raise DecRSError(
            f"table: there is no result of a run in {', '.join(paths)}; each run writes one beside its checkpoint"
        )
    frame = frame_of_runs(only(runs, wanted), options.sort)
    print(frame.to_csv(index=False) if options.output == "csv" else f"\n{text_of_runs(frame)}\n", end="")
