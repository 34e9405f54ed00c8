"""Measures what M(d, u) does in a trained deconfounded model: with another d in its place, and without it."""

from __future__ import annotations

from recbole_decrs.arguments import CommandParser, whole_number
from recbole_decrs.commands.of_checkpoint import KEYS, add_checkpoint, take_checkpoint


def add_options(parser: CommandParser) -> None:
    """Declare the options of the command."""
    parser.usage = "%(prog)s CHECKPOINT [--part=valid] [--k=20] [--seed=0] [--key=value ...]"
    parser.add_argument(
        "--part", metavar="PART", default="valid", help="valid or test, whose users are ranked for; default %(default)s"
    )
    parser.add_argument(
        "--k", metavar="K", type=whole_number(1), default=20, help="length of the lists compared; default %(default)s"
    )
    parser.add_argument(
        "--seed",
        metavar="SEED",
        type=whole_number(0),
        default=0,
        help="of the draw of other users; default %(default)s",
    )
    add_checkpoint(parser, KEYS)


def execute(arguments: list[str], parser: CommandParser) -> None:
    """Measure the model of the checkpoint, and print the effects as a table."""
    path, options, changed = take_checkpoint(arguments, parser, "mechanism", KEYS)
    from recbole_decrs.mechanism import measure_mechanism, table_of_effects
    from recbole_decrs.tables import text_in_width

    effects = measure_mechanism(path, options.part, options.k, options.seed, changed)
    print(f"\n{text_in_width(table_of_effects(effects, options.k))}")
