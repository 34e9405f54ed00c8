"""Measures what the approximation of Eq. 6 costs in a trained deconfounded model, for a sample of users."""

from __future__ import annotations

from recbole_decrs.arguments import CommandParser, whole_number
from recbole_decrs.commands.of_checkpoint import KEYS as KEYS_OF_ALL
from recbole_decrs.commands.of_checkpoint import add_checkpoint, take_checkpoint

KEYS = KEYS_OF_ALL | {
    "confounder_prior": "the prior d-bar that the expectation is compared with: interaction, item or uniform",
}
"""Configuration keys that may be other than they were in training, with what they are."""


def add_options(parser: CommandParser) -> None:
    """Declare the options of the command."""
    parser.usage = "%(prog)s CHECKPOINT [--users=100] [--seed=0] [--key=value ...]"
    parser.add_argument(
        "--users",
        metavar="N",
        type=whole_number(1),
        default=100,
        help="how many users are drawn; default %(default)s",
    )
    parser.add_argument(
        "--seed", metavar="SEED", type=whole_number(0), default=0, help="the seed of the draw; default %(default)s"
    )
    add_checkpoint(parser, KEYS)


def execute(arguments: list[str], parser: CommandParser) -> None:
    """Measure the model of the checkpoint, and print the gaps as a table."""
    path, options, changed = take_checkpoint(arguments, parser, "jensen-gap", KEYS)
    from recbole_decrs.jensen import measure_jensen_gap, table_of_gaps
    from recbole_decrs.tables import text_in_width

    gaps = measure_jensen_gap(path, options.users, options.seed, config_dict=changed)
    print(f"\n{text_in_width(table_of_gaps(gaps))}")
