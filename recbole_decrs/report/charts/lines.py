"""Draws lines over an axis, with bands around them and single points that are pointed out."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from recbole_decrs.report.charts.axis import axis_around
from recbole_decrs.report.charts.svg import element, framed, marker, polyline, sample

WIDTH, HEIGHT = 560, 300
LEFT, RIGHT, TOP, BOTTOM = 64, 12, 12, 44
MOST_MARKERS = 30
"""Lines of more points are drawn without markers."""


@dataclass(frozen=True)
class Line:
    """Holds a line: the places of its points, and perhaps a band around it."""

    label: str
    style: int
    """The number of its colour, dash and marker."""
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] | None = None
    high: Sequence[float] | None = None
    is_step: bool = False
    """True if the line keeps its height up to the next point."""


@dataclass(frozen=True)
class Flag:
    """Points out a place on the x axis by a line through the plot."""

    style: int
    x: float


def line_chart(
    lines: Sequence[Line],
    titles: tuple[str, str],
    label: str,
    flags: Sequence[Flag] = (),
    zero: bool = False,
    x_names: dict[float, str] | None = None,
) -> Markup:
    """Draw lines.

    Args:
        lines: the lines.
        titles: of the x axis and the y axis.
        label: what is seen, in words.
        flags: places that are pointed out.
        zero: True if 0 is on the y axis.
        x_names: texts in the place of numbers on the x axis, by its values.
    """
    x = axis_around([value for line in lines for value in line.x], LEFT, WIDTH - RIGHT, 0.03)
    heights = [value for line in lines for values in (line.y, line.low, line.high) for value in values or ()]
    y = axis_around(heights, HEIGHT - BOTTOM, TOP, zero=zero)
    content = []
    if y.low < 0 < y.high:
        content.append(element("line", x1=x.start, x2=x.end, y1=y.place(0), y2=y.place(0), class_="zero"))
    for flag in flags:
        place = x.place(flag.x)
        content.append(element("line", x1=place, x2=place, y1=y.start, y2=y.end, class_=f"flag s{flag.style}"))
    for line in lines:
        places = [
            (x.place(one), y.place(other)) for one, other in zip(line.x, line.y, strict=True) if math.isfinite(other)
        ]
        if line.low is not None and line.high is not None:
            content.append(_band(line, x.place, y.place))
        if line.is_step:
            ends = [*(place for place, _ in places[1:]), places[-1][0]]
            places = [place for (a, b), end in zip(places, ends, strict=True) for place in ((a, b), (end, b))]
        content.append(polyline(line.style, places))
        if len(line.x) <= MOST_MARKERS and not line.is_step:
            content += [
                marker(line.style, x.place(one), y.place(other), f"{line.label}: {_name(one, x_names)}, {other:.4f}")
                for one, other in zip(line.x, line.y, strict=True)
                if math.isfinite(other)
            ]
    return framed(x, y, titles, content, label, (WIDTH, HEIGHT), x_names)


def legend_of(lines: Sequence[Line]) -> list[tuple[Markup, str]]:
    """Give a sample and the name of each line."""
    return [(sample(line.style, has_marker=not line.is_step), line.label) for line in lines]


def _name(x: float, names: dict[float, str] | None) -> str:
    return (names or {}).get(x, f"{x:g}")


def _band(line: Line, x: Callable[[float], float], y: Callable[[float], float]) -> Markup:
    known = [(a, low, high) for a, low, high in zip(line.x, line.low, line.high, strict=True) if low <= high]  # no NaN
    outline = [(x(a), y(high)) for a, _, high in known] + [(x(a), y(low)) for a, low, _ in reversed(known)]
    return element("polygon", points=" ".join(f"{a:g},{b:g}" for a, b in outline), class_=f"band s{line.style}")
