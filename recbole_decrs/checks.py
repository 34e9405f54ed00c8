"""Checks tell which values a setting may hold, and have the words for a refusal: KEY must be WORDS, not VALUE."""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from recbole_decrs.errors import DecRSError

LARGEST = 1e30
"""The bound of what becomes a float32, with room to calculate."""


@dataclass(frozen=True)
class Check:
    """Tells the values that pass from those that do not, and names the first in words.

    Attributes:
        passes: the test.
        words: the values that pass, in words, or a function that finds them when they are asked for.
    """

    passes: Callable[[Any], bool]
    words: str | Callable[[], str]

    @property
    def takes(self) -> str:
        """Name the values that pass."""
        return self.words if isinstance(self.words, str) else self.words()

    def require(self, name: str, value: Any) -> None:
        """Refuse a value that does not pass.

        Args:
            name: of the setting or argument, for the sentence.
            value: what it is.

        Raises:
            DecRSError: it does not pass; the sentence says what the setting takes.
        """
        if not self.passes(value):
            raise DecRSError(f"{name} must be {self.takes}, not {value!r}")

    def or_none(self) -> Check:
        """Let None pass too, which the words name last."""
        return Check(lambda value: value is None or self.passes(value), lambda: f"{self.takes} or none")

    def none_or(self) -> Check:
        """Let None pass too, which the words name first, as before a long explanation."""
        return Check(lambda value: value is None or self.passes(value), lambda: f"none or {self.takes}")


def is_number(value: Any) -> bool:
    """Tell a finite number; True and False are none."""
    return isinstance(value, numbers.Real) and not isinstance(value, bool) and math.isfinite(value)


def is_text(value: Any) -> bool:
    """Tell a text that is not empty."""
    return isinstance(value, str) and value != ""


def is_path(value: Any) -> bool:
    """Tell a text that a file or folder can have as its name."""
    return is_text(value) and value.isprintable()


def is_list_of(passes: Callable[[Any], bool], value: Any) -> bool:
    """Tell a list that is not empty, of which every element passes."""
    return isinstance(value, list | tuple) and len(value) > 0 and all(map(passes, value))


def number(low: float, high: float = math.inf, above: bool = False) -> Check:
    """Take finite numbers from ``low`` to ``high``, with ``above`` not ``low`` itself."""
    if above:
        takes = f"a number above {low:g}" + ("" if high == math.inf else f" and at most {high:g}")
    else:
        takes = f"a number >= {low:g}" if high == math.inf else f"a number in [{low:g}, {high:g}]"
    return Check(lambda value: is_number(value) and (low < value if above else low <= value) and value <= high, takes)


def whole_number(low: int, high: int | None = None) -> Check:
    """Take whole numbers from ``low`` to ``high``; if none, to what 64 bits hold with room to calculate."""
    takes = f"a whole number >= {low}" if high is None else f"a whole number in [{low}, {high}]"
    most = 2**62 if high is None else high
    return Check(
        lambda value: isinstance(value, numbers.Integral) and not isinstance(value, bool) and low <= value <= most,
        takes,
    )


def one_of(*choices: str) -> Check:
    """Take one of the texts."""
    return one_in(choices)


def one_in(names: Collection[str]) -> Check:
    """Take one of the names that a registry has when the value is checked; it may gain some until then."""
    return Check(lambda value: isinstance(value, str) and value in names, lambda: f"one of {', '.join(names)}")


def text(takes: str) -> Check:
    """Take any text but the empty one; ``takes`` says of what."""
    return Check(is_text, takes)


def path(takes: str) -> Check:
    """Take the names that files and folders can have; ``takes`` says of what."""
    return Check(is_path, takes)


def list_of(passes: Callable[[Any], bool], takes: str) -> Check:
    """Take lists that are not empty, of which every element passes; ``takes`` says of what."""
    return Check(lambda value: is_list_of(passes, value), takes)


BOOLEAN = Check(lambda value: isinstance(value, bool), "True or False")


def settings_by_key(config_dict: Mapping[str, Any] | None) -> dict[str, Any]:
    """Take settings as they are given in Python: a dictionary, or None for none.

    Raises:
        DecRSError: they are something else.
    """
    if not isinstance(config_dict, Mapping | None):
        raise DecRSError(f"config_dict must be a dictionary such as {{'epochs': 3}}, not {config_dict!r}")
    return dict(config_dict or {})
