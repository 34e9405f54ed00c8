"""Sees that a name in a registry belongs to one definition."""

from __future__ import annotations

from collections.abc import Callable

from recbole_decrs.errors import DecRSError
from recbole_decrs.signatures import unwrapped


def check_name_is_free(name: str, kind: str, new: type | Callable, known: type | Callable | None) -> None:
    """See that nothing else has a name.

    The same definition may come again, as when a notebook runs a cell once more, and takes the place of the former.

    Args:
        name: the name under which ``new`` is to be known.
        kind: the kind of thing that it is, in words.
        new: a class, a function, or anything else that can be called.
        known: the one that has the name; None if there is none.

    Raises:
        DecRSError: another one has the name.
    """
    if known is not None and _home(new) != _home(known):
        (former, _), (latter, _) = _home(known), _home(new)
        raise DecRSError(f"there is a {kind} named {name} already, in {former}; give the one in {latter} another name")


def _home(definition: type | Callable) -> tuple[str, str]:
    """Name the module of a definition and its place in there: of a partial its function's, of an object its class's."""
    definition = unwrapped(definition)
    if not hasattr(definition, "__qualname__"):
        definition = type(definition)
    return str(getattr(definition, "__module__", None)), definition.__qualname__
