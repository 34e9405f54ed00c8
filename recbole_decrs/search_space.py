"""Reads the search space of a RecBole parameter file, and makes the trials of a grid or of a random search in it."""

from __future__ import annotations

import ast
import itertools
import math
from typing import Any

import numpy as np

from recbole_decrs.checks import LARGEST
from recbole_decrs.errors import DecRSError, unreadable

MAX_EVALS = 100
"""How many settings are tried at most, where nobody says and they are not those of a grid."""
KINDS = ("choice", "uniform", "quniform", "loguniform")

Space = dict[str, tuple[str, list[Any]]]
"""The kind and the values of each key: the choices, or the bounds (and step) of a range."""


def read_params_file(path: str) -> Space:
    """Read the search space of a RecBole parameter file, lines ``name kind values``, without ``eval``.

    Returns:
        name -> (kind, values): the choices, or the bounds (and step) of a range. As in RecBole's HyperTuning, the
        bounds of ``loguniform`` are logarithms.

    Raises:
        DecRSError: the file cannot be read, or a line of it.
    """
    try:
        with open(path, encoding="utf-8-sig") as file:  # Windows writes a byte-order mark
            lines = file.read().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DecRSError(unreadable(f"params_file: {path}", error)) from error
    space: Space = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, kind, text = [*line.split(None, 2), "", ""][:3]
        where = f"params_file: line {number} of {path}"
        if kind not in KINDS:
            raise DecRSError(f"{where} must be 'name kind values' with kind one of {', '.join(KINDS)}")
        try:
            values = list(ast.literal_eval(text.strip()))
        except (ValueError, SyntaxError, TypeError) as error:
            raise DecRSError(f"{where}: cannot read the values {text!r}; write [a,b,...] or low,high") from error
        if kind != "choice":
            count = 3 if kind == "quniform" else 2
            if (
                len(values) != count
                or not all(isinstance(value, int | float) for value in values)
                or not values[0] < values[1]
                or not all(step > 0 for step in values[2:])
            ):
                step = " and a step above 0" if kind == "quniform" else ""
                raise DecRSError(f"{where}: {kind} takes {count} numbers, the low before the high{step}, not {text!r}")
        if kind == "loguniform" and values[1] > math.log(LARGEST):
            raise DecRSError(
                f"{where}: the bounds of loguniform are natural logarithms, as in RecBole, and e to the {values[1]} is "
                "too large; for 0.001 to 0.1 write -6.9,-2.3"
            )
        if not values:
            raise DecRSError(f"{where} gives no value to choose from; write [a,b,...]")
        if name in space:
            raise DecRSError(f"{where} names {name} a second time; keep one line")
        space[name] = (kind, values)
    if not space:
        raise DecRSError(
            f"params_file: {path} holds no line 'name kind values'; write one, such as learning_rate choice [0.01,0.05]"
        )
    return space


def whole(value: Any) -> Any:
    """Make an integer of a whole float."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def whole_numbers(trial: dict[str, Any]) -> dict[str, Any]:
    """Make integers of whole floats, as ``quniform`` gives them: sizes and counts take no float."""
    return {key: whole(value) for key, value in trial.items()}


def grid(space: Space) -> list[dict[str, Any]]:
    """List every combination of the choices, the last key's fastest.

    Args:
        space: all of its kinds are ``choice``.
    """
    return [dict(zip(space, values, strict=True)) for values in itertools.product(*(v for _, v in space.values()))]


def draws(space: Space, number: int, seed: int) -> list[dict[str, Any]]:
    """Draw trials at random; the first ones are the same whatever their number.

    Args:
        space: where they are drawn from, each key by itself.
        number: how many are drawn; what comes twice counts once.
        seed: of the random numbers.
    """
    random = np.random.default_rng(seed)
    drawn = [{key: _draw(random, *of_key) for key, of_key in space.items()} for _ in range(number)]
    return [trial for place, trial in enumerate(drawn) if trial not in drawn[:place]]


def bounds(kind: str, values: list[Any]) -> list[Any]:
    """List the values that stand for all when a space is checked: the choices, or the ends of a range and one within.

    The one within is no whole number, unless all of the range are.
    """
    if kind == "choice":
        return values
    if kind == "quniform":
        low, high, step = values
        return [float(place * step) for place in (round(low / step), round(low / step) + 1, round(high / step))]
    low, high = values
    some = [low, high, low + (high - low) * math.sqrt(0.5)]
    return [math.exp(value) for value in some] if kind == "loguniform" else some


def _draw(random: np.random.Generator, kind: str, values: list[Any]) -> Any:
    if kind == "choice":
        return values[random.integers(len(values))]
    value = float(random.uniform(*values[:2]))
    if kind == "quniform":
        return float(round(value / values[2]) * values[2])
    return math.exp(value) if kind == "loguniform" else value
