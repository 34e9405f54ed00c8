"""Makes a dataset of CSV or Parquet files: clicks, and what there is of items and users.

Columns are found by their names, or given: by name, or by number where a file has no line of names. Times are seconds,
milliseconds, ... or dates; an item's groups stand in one cell, or in several rows. What is not certain is refused, with
the option that settles it.
"""

from __future__ import annotations

import argparse
import shlex

from recbole_decrs.arguments import CommandParser, parse
from recbole_decrs.errors import DecRSError, did_you_mean

COLUMNS = {
    "user": "the column of the user who clicked",
    "item": "the column of the item that was clicked",
    "time": "the column of the time of a click",
    "rating": "the column of ratings",
    "label": "the column in which 0 says that a row is no click",
    "groups": "the column of the groups of an item, such as genres",
    "title": "the column of the title of an item",
    "item_in_items": "the column of the ids of items in ITEMS, where it is called otherwise than in CLICKS",
    "user_in_users": "the column of the ids of users in USERS, where it is called otherwise than in CLICKS",
}
"""The options that name columns, and what they name."""
FORMS = {
    "time_format": ("FORM", "seconds, milliseconds, microseconds, nanoseconds, iso, or the form of dates, as %d.%m.%Y"),
    "group_separator": ("TEXT", "what separates the groups in a cell, such as ',', or single, list, json or quoted"),
    "separator": ("TEXT", "what separates cells, such as ';'"),
    "encoding": ("NAME", "the encoding of the files, such as latin-1"),
}
"""The options that tell how files are written: what each takes, and is."""
FOUND_OUT = ("time_format", "group_separator", "separator")
"""Those of them that are found out where they are not given."""


def add_options(parser: CommandParser) -> None:
    """Declare the options of the command."""
    parser.usage = "%(prog)s CLICKS [ITEMS [USERS]] [--dataset=NAME] [--user=COLUMN --item=COLUMN ...]"
    parser.add_argument(
        "paths",
        metavar="FILE",
        nargs="*",
        default=argparse.SUPPRESS,
        help="files of clicks, of items and of users: .csv, .tsv, .parquet, ..., or one packed by gzip",
    )
    parser.add_argument(
        "--dataset", metavar="NAME", default=None, help="the name of the dataset; default that of the file of clicks"
    )
    parser.add_argument(
        "--data_path", metavar="FOLDER", default="dataset", help="the folder of datasets; default %(default)s"
    )
    for name, text in COLUMNS.items():
        parser.add_argument(f"--{name}", metavar="COLUMN", default=None, help=f"{text}; default by its name")
    for name, (metavar, text) in FORMS.items():
        found = "found out" if name in FOUND_OUT else "utf-8"
        text = text.replace("%", "%%")
        parser.add_argument(f"--{name}", metavar=metavar, default=None, help=f"{text}; default {found}")
    for name in ("separator", "group_separator"):
        parser.add_values(name, "~")


def execute(arguments: list[str], parser: CommandParser) -> None:
    """Write the dataset, and print what was read and what to type next."""
    paths = [argument for argument in arguments if not argument.startswith("--")]
    settings = parse([argument for argument in arguments if argument.startswith("--")])
    options = vars(parser.take(settings))
    for key in settings:
        hint = did_you_mean(key, options) or f"; it takes {', '.join(options)}"
        raise DecRSError(f"import takes no --{key}{hint}")
    if not 1 <= len(paths) <= 3:
        raise DecRSError(
            "import needs a file of clicks, and takes one of items and one of users: "
            "recbole-decrs import clicks.csv items.csv"
        )
    from recbole_decrs.importing import Imported, import_data
    from recbole_decrs.importing.files import name_of_dataset

    options["dataset"] = options["dataset"] or name_of_dataset(paths[0])
    given = {name: value for name, value in options.items() if value is not None}
    imported: Imported = import_data(*paths, **given)
    print("\n".join(imported.told))
    command = ["recbole-decrs", f"--dataset={imported.dataset}"]
    command += [f"--data_path={imported.data_path}"] if imported.data_path != "dataset" else []
    command += [f"--group_field={imported.group_field or 'popularity'}"]
    command += [] if imported.has_times else ["--fusion_weight=0.5"]
    print(f"next: {shlex.join(command)}")
