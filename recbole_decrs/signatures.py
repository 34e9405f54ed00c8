"""Sees that a function of the user's takes the arguments with which it is called."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

from recbole_decrs.errors import DecRSError, in_words, raised_by


def check_takes(what: str, function: Callable, *arguments: str) -> None:
    """See that a function can be called with so many arguments, by position.

    One whose arguments Python does not tell, as of many functions that are written in C, passes; :func:`call` tells.

    Args:
        what: what the function is for, such as ``weights of the method Mine``.
        function: a function, or anything else that can be called.
        arguments: the names of the arguments, for the sentence.

    Raises:
        DecRSError: it is no function, or does not take the arguments.
    """
    if not callable(function):
        raise DecRSError(f"{what} must be a function of ({', '.join(arguments)}), not {function!r}; give it one")
    try:
        # Not what a wrapper claims to be by functools.wraps: it may pass on other arguments than it is given.
        signature = inspect.signature(function, follow_wrapped=False)
    except (TypeError, ValueError):
        return
    try:
        signature.bind(*arguments)
    except TypeError as error:
        raise DecRSError(_does_not_take(what, function, arguments, error)) from None


def check_method_takes(what: str, owner: type, method: str, *arguments: str) -> None:
    """See that a method of a class can be called on its objects with so many arguments, by position.

    Args:
        what, arguments: as in :func:`check_takes`, without ``self``.
        owner: the class. Where it has no plain function of that name, such as a static method, nothing is looked at.
        method: the name of the method.

    Raises:
        DecRSError: it does not take the arguments.
    """
    function = inspect.getattr_static(owner, method)
    if inspect.isfunction(function):
        check_takes(what, function, "self", *arguments)


def call(what: str, function: Callable, arguments: Sequence[str], given: Sequence[Any]) -> Any:
    """Call a function with what is given, by position.

    Args:
        what, function, arguments: as in :func:`check_takes`.
        given: the values of the arguments.

    Returns:
        What the function returns; what is raised within it stays what it is.

    Raises:
        DecRSError: it does not take the arguments.
    """
    try:
        return function(*given)
    except TypeError as error:
        if raised_by(error) != __name__:
            raise
        raise DecRSError(_does_not_take(what, function, arguments, error)) from error


def unwrapped(function: Callable) -> Callable:
    """Give the function that is called in the end by a ``functools.partial``, or by a partial of one."""
    while isinstance(function, functools.partial):
        function = function.func
    return function


def _does_not_take(what: str, function: Callable, arguments: Sequence[str], error: TypeError) -> str:
    return (
        f"{_defined(function)}, {what}, is called with ({', '.join(arguments)}), in this order, and does not take "
        f"them: {in_words(error)}; mend its definition"
    )


def _defined(function: Callable) -> str:
    """Name a function, and the file and line of its definition where they are known: ``explore (mine.py, line 3)``."""
    function = inspect.unwrap(unwrapped(function))
    name = getattr(function, "__qualname__", type(function).__qualname__)
    body = function.__init__ if isinstance(function, type) else type(function).__call__
    code = getattr(function, "__code__", None) or getattr(body, "__code__", None)
    return f"{name} ({code.co_filename}, line {code.co_firstlineno})" if code else name
