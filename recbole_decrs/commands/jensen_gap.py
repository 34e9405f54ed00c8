"""Measures what the approximation of Eq. 6 costs in a trained deconfounded model, for a sample of users."""

from __future__ import annotations

import argparse

from recbole_decrs.arguments import CommandParser, parse, whole_number
from recbole_decrs.errors import DecRSError, did_you_mean

KEYS = {
    "data_path": "the folder in which the dataset has its folder",
    "encoding": "the encoding of the dataset's files",
    "gpu_id": "the GPU that is used, if one is",
    "use_gpu": "True or False: compute on the GPU",
    "show_progress": "True or False: show a progress bar",
    "state": "which messages are shown: those of the level INFO, WARNING, ERROR, ... and above",
    "confounder_prior": "the prior d-bar that the expectation is compared with: interaction, item or uniform",
}
"""Configuration keys that may be other than they were in training, with what they are."""


def add_options(parser: CommandParser) -> None:
    """Declare the options of the command."""
    parser.usage = "%(prog)s CHECKPOINT [--users=100] [--seed=0] [--key=value ...]"
    parser.add_argument(
        "checkpoint",
        metavar="CHECKPOINT",
        nargs="?",
        default=argparse.SUPPRESS,
        help="what the training of a deconfounded model saved, such as saved/DecFM-....pth",
    )
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
    for key, text in KEYS.items():
        parser.add_argument(f"--{key}", metavar="VALUE", default=argparse.SUPPRESS, help=f"{text}; default as trained")


def execute(arguments: list[str], parser: CommandParser) -> None:
    """Measure the model of the checkpoint, and print the gaps as a table."""
    files = [argument for argument in arguments if not argument.startswith("--")]
    if len(files) != 1:
        raise DecRSError("jensen-gap needs one checkpoint: recbole-decrs jensen-gap saved/DecFM-....pth")
    settings = parse([argument for argument in arguments if argument.startswith("--")])
    options = parser.take(settings)
    for key in settings:
        if key not in KEYS:
            takes = [*parser.own_options(), *KEYS]
            hint = did_you_mean(key, takes) or f"; it takes {', '.join(takes)}"
            raise DecRSError(f"jensen-gap measures a trained model, and takes no --{key}{hint}")
    from recbole_decrs.jensen import measure_jensen_gap, table_of_gaps
    from recbole_decrs.plain_values import read_literal

    changed = {key: read_literal(value) for key, value in settings.items()}
    gaps = measure_jensen_gap(files[0], options.users, options.seed, config_dict=changed)
    print(f"\n{table_of_gaps(gaps)}\n")
