"""Draws means or differences with their intervals, a line each below one another, in blocks with headings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from markupsafe import Markup

from recbole_decrs.report.charts.axis import axis_around
from recbole_decrs.report.charts.svg import element, marker, text

WIDTH, LEFT, LINE, BOTTOM = 620, 190, 20, 46


@dataclass(frozen=True)
class Difference:
    """Holds a line of a forest plot."""

    heading: str
    """The block in which it stands; a new one gets a heading."""
    label: str
    style: int
    mean: float
    low: float
    high: float
    tip: str


def forest(differences: Sequence[Difference], title: str, label: str, has_zero: bool = True) -> Markup:
    """Draw the differences, or means.

    Args:
        differences: those of a block one after the other.
        title: of the x axis.
        label: what is seen, in words.
        has_zero: True for differences, which have a sign and a line at 0; False for means.
    """
    blocks = len(dict.fromkeys(one.heading for one in differences))
    bottom = 12 + LINE * (len(differences) + blocks)
    height = bottom + BOTTOM
    values = [value for one in differences for value in (one.mean, one.low, one.high) if isfinite(value)]
    x = axis_around([*values, 0.0] if has_zero else values, LEFT, WIDTH - 14)
    content = []
    for value in x.ticks():
        place = x.place(value)
        content.append(element("line", x1=place, x2=place, y1=8, y2=bottom, class_="grid"))
        content.append(text(place, bottom + 16, f"{value:+g}" if value and has_zero else f"{value:g}", "tick"))
    if has_zero:
        content.append(element("line", x1=x.place(0), x2=x.place(0), y1=8, y2=bottom, class_="zero"))
    y, heading = 8.0, None
    for one in differences:
        if one.heading != heading:
            y, heading = y + LINE, one.heading
            content.append(text(8, y, heading, "name head", "start"))
        y += LINE
        content.append(text(20, y, one.label, "name", "start"))
        if isfinite(one.low):
            ends = {"x1": x.place(one.low), "x2": x.place(one.high)}
            content.append(element("line", **ends, y1=y - 4, y2=y - 4, class_=f"cross s{one.style}"))
        if isfinite(one.mean):  # there is no improvement in percent on 0
            content.append(marker(one.style, x.place(one.mean), y - 4, one.tip, stops=True))
    content.append(text((LEFT + WIDTH) / 2, height - 6, title, "axis"))
    view = f"0 0 {WIDTH} {height:g}"
    return element("svg", *content, viewBox=view, class_="chart", role="group", aria_label=label)
