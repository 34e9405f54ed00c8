"""Runs the paper's competitors and controls beside DecRS, and writes the paper's tables and figures.

What is finished is kept in the output folder: after a kill, the same command goes on where it was.
"""

from __future__ import annotations

import re
import shlex

from recbole_decrs.arguments import CommandParser, parse, typed_program, yes_or_no
from recbole_decrs.errors import DecRSError, how_to_install

MEANT = {"model": "backbones", "models": "backbones", "seed": "seeds", "out": "output", "output_dir": "output"}
"""Options of other commands, and what compare has in their place."""


def add_options(parser: CommandParser) -> None:
    """Declare the options of the command."""
    parser.usage = "%(prog)s [--backbones=FM,NFM] [--methods=all] [--seeds=3] [--dataset=ml-100k] [--key=value ...]"
    parser.add_argument(
        "--backbones",
        metavar="MODELS",
        type=_names,
        default="FM,NFM",
        help="conventional models, any of RecBole's; default %(default)s",
    )
    parser.add_argument(
        "--methods",
        metavar="METHODS",
        type=lambda text: text if text == "all" else _names(text),
        default="all",
        help="all, or some of the methods below; default %(default)s",
    )
    parser.add_argument(
        "--seeds", metavar="SEEDS", default="3", help="how many, or which, such as [2020,2021]; default %(default)s"
    )
    parser.add_argument(
        "--output",
        metavar="FOLDER",
        default=None,
        help="where tables, figures and finished pieces are written; default results/DATASET",
    )
    parser.add_argument(
        "--lists",
        metavar="NAME=FILE.csv",
        default=None,
        help="also score ranking lists made elsewhere, with the columns user_id, item_id and rank; several with "
        "commas between; default none",
    )
    parser.add_workers("how many processes make the pieces, each with one thread")
    parser.add_argument(
        "--dry_run",
        metavar="BOOL",
        type=yes_or_no,
        default=False,
        help="True to list the pieces that are done and to be done with estimated times, and make none; default "
        "%(default)s",
    )
    parser.add_keys("dataset", "config_files", "verbose")


def more_help() -> str:
    """Name the methods, one's own too, at the end of the help."""
    try:
        from recbole_decrs.compare.method_registry import enter_rerankers
        from recbole_decrs.compare.methods import METHODS
    except ImportError as error:
        return f"the methods are not known: {how_to_install(error.name)}"
    enter_rerankers()
    roles: dict[str, list[str]] = {}
    for name, method in METHODS.items():
        roles.setdefault(method.role, []).append(name)
    return f"methods: {', '.join(roles['competitor'] + roles['decrs'])}; controls: {', '.join(roles['control'])}"


def execute(arguments: list[str], parser: CommandParser) -> None:
    """Run the comparison that the arguments ask for."""
    settings = parse(arguments)
    from recbole_decrs.compare import run_comparison
    from recbole_decrs.config_files import config_files_of
    from recbole_decrs.options import refuse_unknown_options
    from recbole_decrs.plain_values import UNDO, read_literal

    own = parser.own_options()
    refuse_unknown_options(settings, (*own, "config_files", "dataset"), "compare", MEANT)
    shown = {key: value for key, value in settings.items() if key not in ("data_path", "checkpoint_dir")}
    command = shlex.join([*typed_program("compare"), *(f"--{key}={value}" for key, value in shown.items())])
    options = parser.take(settings)
    if settings.get("dataset", "given").lower() in UNDO:
        del settings["dataset"]
    run_comparison(
        backbones=options.backbones,
        dataset=settings.pop("dataset", None),
        methods=options.methods,
        seeds=read_literal(options.seeds),
        output=options.output,
        lists=_lists(options.lists),
        config_file_list=config_files_of(settings),
        command_line=settings,
        command=command,
        workers=options.workers,
        engine=options.engine,
        dry_run=options.dry_run,
    )


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.strip("[]").replace("'", "").split(",") if name.strip()]


def _lists(text: str | None) -> dict[str, str]:
    """Read ``NAME=FILE.csv,...`` into files by name."""
    lists: dict[str, str] = {}
    for given in text.split(",") if text else ():
        name, equals, path = (part.strip() for part in given.partition("="))
        if not re.fullmatch(r"[\w .-]+", name) or not equals or not path:
            raise DecRSError(f"lists must be NAME=file.csv, or several of them with commas between, not {given!r}")
        if name in lists:
            raise DecRSError(f"lists: the name {name} is taken; take another")
        lists[name] = path
    return lists
