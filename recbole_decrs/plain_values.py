"""Settings are plain values: text is read as the literal that it spells, and anything else becomes plain data."""

from __future__ import annotations

import ast
import enum
from typing import Any

import numpy as np

UNDO = ("", "none", "null", "~")
"""Text that undoes a key, as None does; in any case of letters."""


def read_literal(value: Any) -> Any:
    """Read a setting given as text as a Python literal (``0.1``, ``[10, 20]``, ``{'a': 1}``), or leave it as text."""
    if not isinstance(value, str):
        return value
    if value.lower() in ("true", "false"):
        return value.lower() == "true"
    try:
        return ast.literal_eval(value.strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return value


def repeated_key(value: Any) -> Any:
    """Find a key that stands twice in a dictionary of a literal, of which Python would drop the first; else None."""
    try:
        parts = ast.walk(ast.parse(value.strip(), mode="eval")) if isinstance(value, str) else ()
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    for part in parts:
        if isinstance(part, ast.Dict):
            keys = [key.value for key in part.keys if isinstance(key, ast.Constant)]
            if twice := [key for place, key in enumerate(keys) if key in keys[:place]]:
                return twice[0]
    return None


def as_plain(value: Any) -> Any:
    """Reduce a value to None, bool, int, float, str, list, tuple and dict; anything else becomes its text."""
    if isinstance(value, dict):
        return {key: as_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(as_plain(item) for item in value)
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, enum.Enum):
        return value.name
    if value is None or type(value) in (bool, int, float, str):
        return value
    return str(value)
