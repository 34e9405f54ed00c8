"""Recommends items to users by a trained model of any kind, and to new users by their clicks.

The lists are those of save_topk: what the test leaves out is left out.
"""

from __future__ import annotations

import os
from logging import getLogger

from recbole_decrs.arguments import CommandParser, whole_number, yes_or_no
from recbole_decrs.commands.of_checkpoint import KEYS as KEYS_OF_ALL
from recbole_decrs.commands.of_checkpoint import add_checkpoint, take_checkpoint
from recbole_decrs.errors import DecRSError, unreadable

KEYS = KEYS_OF_ALL | {
    "drift_alpha": "the exponent of Eq. 12 by which both halves are fused",
    "fusion_weight": "one weight in [0, 1] in place of the drift's for everyone",
    "inference": "the ranking: fused, deconfounded or conventional",
    "encoding": "the encoding of the file of --clicks, or without it of the dataset's files",
}
"""Configuration keys that may be other than they were in training, with what they are."""
READING = {
    "user": "the column of users in --clicks, or its number where the first line holds no names",
    "item": "that of items",
    "time": "that of times",
    "rating": "that of ratings",
    "label": "that in which 0 says that a row is no click",
    "time_format": "how times are written in --clicks, as in import",
    "separator": "what separates the cells of --clicks",
}
"""The options of import that say how clicks are read, beside the key ``encoding``, and what they are."""


def add_options(parser: CommandParser) -> None:
    """Declare the options of the command."""
    parser.usage = (
        "%(prog)s CHECKPOINT [--users=1,5,9 | --all=True | --clicks=new.csv] [--k=20] [--output=FILE] [--key=value ...]"
    )
    parser.add_argument(
        "--users",
        metavar="IDS",
        default=None,
        help="ids of users with commas between, or a file with one a line; default none",
    )
    parser.add_argument(
        "--all", metavar="BOOL", type=yes_or_no, default=False, help="True for all users; default %(default)s"
    )
    parser.add_argument(
        "--clicks",
        metavar="FILE",
        default=None,
        help="a file of clicks of users that the model has never seen, to recommend to these: CSV, atomic or Parquet, "
        "packed by gzip or not; default none",
    )
    parser.add_argument(
        "--k", metavar="K", type=whole_number(1), default=20, help="length of the lists; default %(default)s"
    )
    parser.add_argument(
        "--output", metavar="FILE", default=None, help="a .csv or .parquet file to write; default shows some lists"
    )
    parser.add_argument(
        "--exclude",
        metavar="WHAT",
        type=str.lower,
        default="history",
        help="history leaves out what the test leaves out, clicked all that the user has clicked, none nothing; "
        "default %(default)s",
    )
    parser.add_values("exclude", "none")
    parser.add_argument(
        "--items",
        metavar="IDS",
        default=None,
        help="ids of the items to choose from with commas between, or a file with one a line; default all",
    )
    parser.add_argument(
        "--groups",
        metavar="NAMES",
        default=None,
        help="groups to choose from with commas between, or a file with one a line; default all",
    )
    parser.add_argument(
        "--seed",
        metavar="SEED",
        type=whole_number(0),
        default=0,
        help="of the negatives by which new users are folded in; default %(default)s",
    )
    for name, text in READING.items():
        metavar = "TEXT" if name in ("time_format", "separator") else "COLUMN"
        parser.add_argument(f"--{name}", metavar=metavar, default=None, help=f"{text}; default found out")
    parser.add_values("separator", "~")
    for names in ("users", "items", "groups"):  # one may be called so
        parser.add_values(names, "none", "null")
    add_checkpoint(parser, KEYS, "what the training of any model saved, such as saved/DecFM-....pth")


def execute(arguments: list[str], parser: CommandParser) -> None:
    """Write or show the lists."""
    path, options, changed = take_checkpoint(arguments, parser, "recommend", KEYS)
    if (options.users is not None) + options.all + (options.clicks is not None) != 1:
        raise DecRSError(
            "recommend needs to know to whom: give one, and one alone, of --users=1,5,9, --all=True and "
            "--clicks=new.csv, the clicks of new users"
        )
    reading = {name: getattr(options, name) for name in READING if getattr(options, name) is not None}
    if options.clicks is not None and "encoding" in changed:  # of that file: the checkpoint knows that of its data
        reading["encoding"] = changed.pop("encoding")
    users, items, groups = (_listed(name, getattr(options, name)) for name in ("users", "items", "groups"))
    from recbole_decrs.checks import one_of
    from recbole_decrs.serving import recommend
    from recbole_decrs.serving.batches import EXCLUDE
    from recbole_decrs.serving.output import check_output, text_of_lists, write_lists

    one_of(*EXCLUDE).require("exclude", options.exclude)
    if options.output is not None:
        check_output(options.output)
    about = {"exclude": options.exclude, "items": items, "groups": groups, "clicks": options.clicks}
    frame = recommend(path, users, options.k, **about, seed=options.seed, config_dict=changed, **reading)
    if options.output is not None:
        write_lists(frame, options.output)
    print(f"\n{text_of_lists(frame, options.output)}")


def _with_commas(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _listed(name: str, text: str | None) -> list[str] | None:
    """Read ids with commas between, or a file of them."""
    if text is None:
        return None
    if os.path.isfile(text):
        try:
            with open(text, encoding="utf-8-sig") as file:
                ids = [line.strip() for line in file if line.strip()]
        except (OSError, UnicodeDecodeError) as error:
            raise DecRSError(f"{name}: {unreadable(text, error)}") from error
        if not os.path.splitext(text)[1]:  # an id may be written so
            getLogger().warning(f"{name}: {len(ids)} are read from the file {text}; move it away if an id is meant")
    elif text.endswith((".txt", ".csv", ".tsv")) and "," not in text:
        raise DecRSError(f"{name}: there is no file {text}; check its path, or write ids with commas between")
    else:
        ids = _with_commas(text)
    if not ids:
        raise DecRSError(f"{name}: {text} names none; write ids with commas between, or a file with one a line")
    return ids
