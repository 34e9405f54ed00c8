"""Adds methods of one's own, and those of re-rankers of one's own, to the methods of a comparison."""

from __future__ import annotations

import re

from recbole_decrs.compare.method import ROLES, Method
from recbole_decrs.compare.methods import METHODS, OF_THE_PACKAGE, method_of_reranker
from recbole_decrs.errors import DecRSError, did_you_mean
from recbole_decrs.rerank import RERANKERS


def register_method(name: str, method: Method) -> None:
    """Add a method of one's own to those of every comparison from now on; ``del METHODS[name]`` takes it out again.

    Registered once more, as when a notebook runs a cell again, it takes the place of the former. Finished pieces are
    known by the name of their method and the settings of its models: so give a method with another re-ranker or other
    weights another name, or delete the pieces of the one before.

    Args:
        name: what ``methods`` is to name it by, of letters, digits and underscores.
        method: all that a comparison must know of it.

    Raises:
        DecRSError: it is no Method, the name or the title is taken, the name has other characters, the role is that of
            the backbone, or ``trains`` names no method.
    """
    if not isinstance(method, Method):
        raise DecRSError(f"register_method takes a Method, such as Method('Mine', role='control'), not {method!r}")
    if not isinstance(name, str) or not re.fullmatch(r"\w+", name):
        raise DecRSError(f"methods: {name!r} is no name of a method; take letters, digits and underscores alone")
    others = {key: known for key, known in METHODS.items() if key != name or key in OF_THE_PACKAGE}
    taken = {"all", *others, *(known.title for known in others.values())}
    for own in (name, method.title):
        if own.lower() in {known.lower() for known in taken}:
            raise DecRSError(f"methods: the name {own} is taken; take another")
    if method.role == "backbone":
        raise DecRSError(
            f"methods: the role of {name} is 'backbone', and a comparison has one backbone for all methods; take "
            f"{', '.join(ROLES[1:-1])} or {ROLES[-1]}"
        )
    if method.trains is not None and method.trains not in METHODS:
        hint = did_you_mean(method.trains, METHODS) or f"; take one of {', '.join(METHODS)}"
        raise DecRSError(f"methods: {name} trains the models of {method.trains}, and there is no such method{hint}")
    METHODS[name] = method


def enter_rerankers() -> None:
    """Add a method for each re-ranker that has none, such as one's own, beside those of the other re-rankers.

    Raises:
        DecRSError: another method has its name or its title.
    """
    known = {method.reranker for method in METHODS.values()}
    for name in [name for name in RERANKERS if name not in known]:
        register_method(name, method_of_reranker(name))
    others = list(METHODS)
    rerankers = [name for name in others if METHODS[name].reranker]
    first = others.index(rerankers[0])
    in_order = others[:first] + rerankers
    in_order += [name for name in others[first:] if name not in rerankers]
    entries = {name: METHODS[name] for name in in_order}
    METHODS.clear()
    METHODS.update(entries)
