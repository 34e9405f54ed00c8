"""Draws points with a cross of two intervals, and curves of points that belong together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from recbole_decrs.report.charts.axis import Axis, axis_around
from recbole_decrs.report.charts.svg import N_STYLES, element, framed, marker, polyline, sample

WIDTH, HEIGHT = 640, 420
LEFT, RIGHT, TOP, BOTTOM = 66, 14, 12, 44
MARGIN = 0.2
"""The space beside the outermost points, as a part of the range."""


@dataclass(frozen=True)
class Point:
    """Holds a point with its intervals, and the curve that it lies on."""

    label: str
    style: int
    x: float
    y: float
    x_ends: tuple[float, float] | None = None
    y_ends: tuple[float, float] | None = None
    curve: Sequence[tuple[float, float, str]] = field(default_factory=tuple)
    """Places on its curve in their order, each with the text that is shown there."""


def scatter(points: Sequence[Point], titles: tuple[str, str], label: str) -> Markup:
    """Draw points; the axes are fitted to them, and of crosses and curves what lies on the axes is drawn.

    Args:
        points: the points.
        titles: of the x axis and the y axis.
        label: what is seen, in words.
    """
    x = axis_around([one.x for one in points], LEFT, WIDTH - RIGHT, MARGIN)
    y = axis_around([one.y for one in points], HEIGHT - BOTTOM, TOP, MARGIN)
    content = [drawn for one in points for drawn in _curve(one, x, y)]
    for one in points:
        content += _cross(one, x, y)
    content += [marker(one.style, x.place(one.x), y.place(one.y), _told(one, titles), stops=True) for one in points]
    return framed(x, y, titles, content, label, (WIDTH, HEIGHT), is_group=True)


def legend_of(points: Sequence[Point]) -> list[tuple[Markup, str]]:
    """Give the marker and the name of each point."""
    return [(sample(one.style, has_line=bool(one.curve)), one.label) for one in points]


def _told(point: Point, titles: tuple[str, str]) -> str:
    return f"{point.label}: {titles[1]} {point.y:.4f}, {titles[0]} {point.x:.4f}"


def _cross(point: Point, x: Axis, y: Axis) -> list[Markup]:
    lines = []
    style = f"cross faint s{point.style % N_STYLES}"
    if point.x_ends:
        ends, place = [x.place(min(max(end, x.low), x.high)) for end in point.x_ends], y.place(point.y)
        lines.append(element("line", x1=ends[0], x2=ends[1], y1=place, y2=place, class_=style))
    if point.y_ends:
        ends, place = [y.place(min(max(end, y.low), y.high)) for end in point.y_ends], x.place(point.x)
        lines.append(element("line", x1=place, x2=place, y1=ends[0], y2=ends[1], class_=style))
    return lines


def _curve(point: Point, x: Axis, y: Axis) -> list[Markup]:
    """Draw the curve of a point as far as it lies on the axes, with a spot at each place."""
    style, lines, spots = point.style % N_STYLES, [[]], []
    for a, b, told in point.curve:
        if not (x.low <= a <= x.high and y.low <= b <= y.high):
            lines.append([])  # the line is broken where it leaves the axes
            continue
        place = x.place(a), y.place(b)
        lines[-1].append(place)
        spot = {"cx": place[0], "cy": place[1], "r": 2.6, "class_": f"marker weight s{style}", "data_tip": told}
        spots.append(element("circle", **spot))
    return [*(polyline(style, line) for line in lines if len(line) > 1), *spots]
