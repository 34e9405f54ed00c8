"""The one exception that is meant for the user's eyes."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable

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
INSTALL = "in a checkout of recbole_decrs: pip install --no-deps -r requirements.txt ."
"""The command of the README, which passes RecBole's own pins."""


def how_to_install(missing: str | None) -> str:
    """Tell in one sentence how to get a package that is not installed."""
    missing = (missing or "a package").partition(".")[0]
    if missing == "recbole":
        return f"RecBole is not installed; {INSTALL}, else: pip install --no-deps recbole"
    return f"{missing} is not installed, which RecBole or recbole_decrs needs; {INSTALL}"


class DecRSError(ValueError):
    """Input that cannot be used; its message is one sentence that names what is wrong and what to do.

    It is one line, whatever the names and values have in them that it quotes.
    """

    def __init__(self, sentence: str) -> None:
        shown = (letter if letter.isprintable() else repr(letter)[1:-1] for letter in sentence)
        super().__init__("".join(shown))


def is_out_of_memory(error: BaseException) -> bool:
    """Whether it says that there is no memory left, and nothing about the input."""
    return isinstance(error, MemoryError) or any(words in str(error) for words in OUT_OF_MEMORY)


def system_says(error: OSError) -> str:
    """What the system says, and of which file: ``No space left on device: saved/a.pth``."""
    where = f": {os.fsdecode(error.filename)}" if error.filename else ""
    return f"{error.strerror or ' '.join(str(error).split()) or type(error).__name__}{where}"


def unreadable(what: str, error: OSError | UnicodeDecodeError) -> str:
    """Tell in one sentence why a text file cannot be read, and what to do; ``what`` names the file."""
    if isinstance(error, OSError):
        return f"{what} cannot be read ({error.strerror or error}); check its path"
    return f"{what} is not text in UTF-8; save it as such"


def near_misses(name: str, known: Iterable[str]) -> list[str]:
    """The ``known`` names of which ``name`` is almost certainly a misspelling."""
    lowered = {candidate.lower(): candidate for candidate in known}
    near = difflib.get_close_matches(str(name).lower().replace("-", "_"), lowered, n=3, cutoff=0.8)
    return [lowered[match] for match in near]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``"; did you mean A or B?"`` for the nearest of the ``known`` names, or nothing where none is near."""
    lowered = {candidate.lower(): candidate for candidate in known}
    near = difflib.get_close_matches(str(name).lower(), lowered, n=3, cutoff=0.6)
    return f"; did you mean {' or '.join(lowered[match] for match in near)}?" if near else ""
