"""A name in a registry belongs to one definition."""

from __future__ import annotations

from collections.abc import Callable

from recbole_decrs.errors import DecRSError


def check_name_is_free(name: str, kind: str, new: type | Callable, known: type | Callable | None) -> None:
    """See that nothing else has a name.

    The same definition may come again, as when a notebook runs a cell once more, and takes the place of the former.

    Args:
        name: the name under which ``new`` is to be known.
        kind: the kind of thing that it is, in words.
        new: a class or function.
        known: the class or function that has the name; None if there is none.

    Raises:
        DecRSError: another one has the name.
    """
    if known is not None and _home(new) != _home(known):
        raise DecRSError(
            f"there is a {kind} named {name} already, in {known.__module__}; give the one in {new.__module__} another "
            "name"
        )


def _home(definition: type | Callable) -> tuple[str, str]:
    return definition.__module__, definition.__qualname__
