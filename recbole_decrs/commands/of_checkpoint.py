"""Reads what the commands that measure a trained model take: a checkpoint, and keys that may be other than trained."""

from __future__ import annotations

import argparse
from typing import Any

from recbole_decrs.arguments import CommandParser, parse
from recbole_decrs.errors import DecRSError, did_you_mean

KEYS = {
    "data_path": "the folder in which the dataset has its folder",
    "encoding": "the encoding of the dataset's files",
    "gpu_id": "the GPU that is used, if one is",
    "use_gpu": "True or False: compute on the GPU",
    "show_progress": "True or False: show a progress bar",
    "state": "which messages are shown: those of the level INFO, WARNING, ERROR, ... and above",
}
"""Configuration keys that may be other than they were in training, with what they are."""


SAVED = "what the training of a deconfounded model saved, such as saved/DecFM-....pth, or a .pth in pieces/ of compare"
"""What a command that measures a deconfounded model takes."""


def add_checkpoint(parser: CommandParser, keys: dict[str, str], what: str = SAVED) -> None:
    """Declare the checkpoint, in the words of ``what``, and the configuration keys that a command takes."""
    parser.add_argument(
        "checkpoint",
        metavar="CHECKPOINT",
        nargs="?",
        default=argparse.SUPPRESS,
        help=what,
    )
    for key, text in keys.items():
        parser.add_argument(f"--{key}", metavar="VALUE", default=argparse.SUPPRESS, help=f"{text}; default as trained")


def take_checkpoint(
    arguments: list[str], parser: CommandParser, name: str, keys: dict[str, str], needs: str = "one checkpoint"
) -> tuple[str, argparse.Namespace, dict[str, Any]]:
    """Read the arguments of a command that measures the model of one checkpoint.

    Returns:
        The path, the command's own options, and settings over the saved ones.

    Raises:
        DecRSError: there is no checkpoint or more than one, or another key.
    """
    files = [argument for argument in arguments if not argument.startswith("--")]
    if len(files) != 1:
        raise DecRSError(f"{name} needs {needs}: recbole-decrs {name} saved/DecFM-....pth")
    settings = parse([argument for argument in arguments if argument.startswith("--")])
    options = parser.take(settings)
    for key in settings:
        if key not in keys:
            takes = [*parser.own_options(), *keys]
            hint = did_you_mean(key, takes) or f"; it takes {', '.join(takes)}"
            raise DecRSError(f"{name} works on what is trained already, and takes no --{key}{hint}")
    from recbole_decrs.options import read_setting

    return files[0], options, {key: read_setting(key, value) for key, value in settings.items()}
