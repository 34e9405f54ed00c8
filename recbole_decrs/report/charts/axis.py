"""Places values on a drawing, and finds the round numbers that are written beside its axis."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Axis:
    """Places values between two ends of a drawing, evenly or by their logarithm.

    Values beyond ``low`` and ``high`` are placed beyond the ends.
    """

    low: float
    high: float
    start: float
    """Where ``low`` is drawn, in the units of the drawing."""
    end: float
    """Where ``high`` is drawn; above ``start`` in a drawing whose heights count downwards."""
    is_logarithmic: bool = False

    def place(self, value: float) -> float:
        """Give the place of a value."""
        low, high, value = (math.log(one) if self.is_logarithmic else one for one in (self.low, self.high, value))
        return round(self.start + (self.end - self.start) * (value - low) / (high - low), 2)

    def ticks(self) -> list[float]:
        """List some round numbers on the axis."""
        if not self.is_logarithmic:
            return round_numbers(self.low, self.high)
        tens = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        found = [factor * 10.0**ten for ten in tens for factor in (1, 2, 5)]
        within = [value for value in found if self.low <= value <= self.high]
        return within if len(within) > 1 else round_numbers(self.low, self.high)


def round_numbers(low: float, high: float, about: int = 5) -> list[float]:
    """List the multiples of 1, 2, 2.5 or 5 times a power of ten from ``low`` to ``high``, about so many.

    Example:
        >>> round_numbers(0.03, 0.21, 4)
        [0.05, 0.1, 0.15, 0.2]
    """
    if not high > low:
        return [low]
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(count * step, 12) + 0.0 for count in range(first, last + 1)]


def axis_around(values: Iterable[float], start: float, end: float, margin: float = 0.06, zero: bool = False) -> Axis:
    """Make an even axis with all values on it, and some space beside them.

    Args:
        values: may have NaN among them, which count for nothing.
        start, end: where the axis is drawn.
        margin: the space on each side, as a part of the range.
        zero: True if 0 is on the axis, without space beside it where it is an end.
    """
    known = [value for value in values if math.isfinite(value)] + ([0.0] if zero else [])
    low, high = min(known, default=0.0), max(known, default=1.0)
    space = margin * (high - low) or abs(high) * 0.1 or 0.5
    return Axis(
        low if zero and low == 0 else low - space,
        high if zero and high == 0 and low < 0 else high + space,
        start,
        end,
    )
