"""Holds the one exception that is meant for the user's eyes, and makes the sentences of it."""

from __future__ import annotations

import difflib
import os
import sys
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

OUT_OF_MEMORY = (
    "not enough memory",
    "out of memory",
    "Cannot allocate memory",
    "failed to map segment",
    "bad_alloc",
    "can't start new thread",
    "error return without exception set",
)
"""What torch, numpy, Python and the system say when there is no memory left."""
FAILURES = (ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
"""What a library raises where it is given what it cannot use; NotImplementedError is a RuntimeError."""
MOST_LETTERS = 300
"""How much of what a library says is shown."""
BELOW_MODELS = ("torch", "numpy", "scipy", "pandas")
"""Packages that models are made of."""
INSTALL = "in a checkout of recbole_decrs: pip install --no-deps -r requirements.txt ."
"""The command of the README, which passes RecBole's own pins."""


def how_to_install(missing: str | None) -> str:
    """Tell in one sentence how to get a package that is not installed."""
    missing = (missing or "a package").partition(".")[0]
    if missing == "recbole":
        return f"RecBole is not installed; {INSTALL}, else: pip install --no-deps recbole"
    return f"{missing} is not installed, which RecBole or recbole_decrs needs; {INSTALL}"


class DecRSError(ValueError):
    """Refuses input that cannot be used, in one sentence that names what is wrong and what to do.

    It is one line, whatever the names and values have in them that it quotes.
    """

    def __init__(self, sentence: str) -> None:
        shown = (letter if letter.isprintable() else repr(letter)[1:-1] for letter in sentence)
        super().__init__("".join(shown))


def is_out_of_memory(error: BaseException) -> bool:
    """Tell if an exception says that there is no memory left, and nothing about the input."""
    return isinstance(error, MemoryError) or any(words in str(error) for words in OUT_OF_MEMORY)


def in_words(error: BaseException) -> str:
    """Put what an exception of a library says into one line."""
    if isinstance(error, KeyError):
        return f"no {error.args[0]!s}"
    return " ".join(str(error).split())[:MOST_LETTERS] or type(error).__name__


@contextmanager
def told_as(sentence: str, remedy: str = "", also: tuple[type[Exception], ...] = ()) -> Iterator[None]:
    """Tell in one sentence what RecBole, torch or pandas make of input that they cannot use.

    Args:
        sentence: what cannot be done, such as ``RecBole cannot read the dataset a``; what the library says comes after.
        remedy: what to do.
        also: errors that say so here, beside those that say so everywhere.

    Raises:
        DecRSError: instead of what a library raises; what says that there is no memory left stays what it is.
    """
    try:
        yield
    except DecRSError:
        raise
    except (*FAILURES, *also) as error:
        if is_out_of_memory(error):
            raise
        raise DecRSError(f"{sentence}: {in_words(error)}" + (f"; {remedy}" if remedy else "")) from error


@contextmanager
def told_of_recboles_model(model: object, doing: str) -> Iterator[None]:
    """Tell in one sentence what a model of RecBole's raises because of its settings; other faults stay what they are.

    Args:
        model: any object of the model's class.
        doing: what is being done with it, such as ``trained``.

    Raises:
        DecRSError: instead of what is raised from within the model.
    """
    try:
        yield
    except FAILURES as error:
        in_model = raised_by(error).startswith("recbole.model.")
        if not in_model or isinstance(error, DecRSError) or is_out_of_memory(error):
            raise
        sentence = f"RecBole's {type(model).__name__} cannot be {doing} with these settings"
        raise DecRSError(f"{sentence}: {in_words(error)}; change those of the model") from error


def raised_by(error: BaseException) -> str:
    """Name the innermost module of a traceback that is none of torch's and its kin; a worker's is noted by it."""
    if noted := getattr(error, "raised_by", None):
        return noted
    frames = traceback.walk_tb(error.__traceback__)
    names = [str(frame.f_globals.get("__name__")) for frame, _ in frames]
    return next((name for name in reversed(names) if name.partition(".")[0] not in BELOW_MODELS), "")


def system_says(error: OSError) -> str:
    """Quote what the system says, and of which file: ``No space left on device: saved/a.pth``."""
    where = f": {os.fsdecode(error.filename)}" if error.filename else ""
    return f"{error.strerror or ' '.join(str(error).split()) or type(error).__name__}{where}"


def unreadable(what: str, error: OSError | UnicodeDecodeError) -> str:
    """Tell in one sentence why a text file cannot be read, and what to do; ``what`` names the file."""
    if isinstance(error, OSError):
        return f"{what} cannot be read ({error.strerror or error}); check its path"
    return f"{what} is not text in UTF-8; save it as such"


def alternatives(names: Iterable[str]) -> str:
    """Name several things as ``a, b or c``, each once."""
    *others, last = dict.fromkeys(names)
    return f"{', '.join(others)} or {last}" if others else last


def near_misses(name: str, known: Iterable[str]) -> list[str]:
    """Find the ``known`` names of which ``name`` is almost certainly a misspelling."""
    lowered = {candidate.lower(): candidate for candidate in known}
    near = difflib.get_close_matches(str(name).lower().replace("-", "_"), lowered, n=3, cutoff=0.8)
    return [lowered[match] for match in near]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Write ``"; did you mean A or B?"`` of the nearest ``known`` names, or nothing where none is near."""
    lowered = {candidate.lower(): candidate for candidate in known}
    near = difflib.get_close_matches(str(name).lower(), lowered, n=3, cutoff=0.6)
    return f"; did you mean {' or '.join(lowered[match] for match in near)}?" if near else ""


def sentence_of(error: Exception) -> str:
    """Say in one sentence what ended the program, be it a fault of the input, the system or the code."""
    if isinstance(error, DecRSError):
        return str(error)
    if isinstance(error, ModuleNotFoundError):
        return how_to_install(error.name)
    reason = " ".join(str(error).split()) or type(error).__name__
    if is_out_of_memory(error):
        return f"out of memory ({reason[:200]}); lower eval_batch_size, train_batch_size or embedding_size"
    if isinstance(error, OSError):
        where = "" if error.filename else ", where its output goes"
        return f"{system_says(error)}{where}; what was saved before is whole"
    place = raised_by(error)
    if place.partition(".")[0] not in ("recbole", "recbole_decrs", ""):
        return (
            f"{type(error).__name__}: {reason[:500]}; it is raised in {place}, and the traceback is shown by "
            f"python -X dev {sys.argv[0]}"
        )
    return (
        f"{type(error).__name__}: {reason[:500]}; this is a fault of recbole_decrs or RecBole: its traceback is in the "
        "log file of the run, if there is one, and is shown by python -X dev -m recbole_decrs.cli"
    )
