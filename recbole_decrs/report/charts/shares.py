"""Draws the shares of one group against that in histories, in a line that fits into a row of a table."""

from __future__ import annotations

from markupsafe import Markup

from recbole_decrs.report.charts.axis import Axis
from recbole_decrs.report.charts.svg import element, marker

WIDTH, HEIGHT = 220, 22


def shares_strip(lists: dict[int, float], test: float, most: float) -> Markup:
    """Draw a group's shares in lists and in test clicks beside that in histories, which is in the middle.

    Args:
        lists: the share in the lists of recommenders minus that in histories, by the number of their style.
        test: the share in test clicks minus that in histories.
        most: the difference at the right end; the left end has its negative.
    """
    axis, middle = Axis(-most, most, 8, WIDTH - 8), HEIGHT / 2
    differences = [0.0, *lists.values(), test]
    ends = axis.place(min(differences)), axis.place(max(differences))
    content = [
        element("line", x1=axis.start, x2=axis.end, y1=middle, y2=middle, class_="grid"),
        element("line", x1=ends[0], x2=ends[1], y1=middle, y2=middle, class_="span"),
        _history(axis.place(0.0), middle),
        _test(axis.place(test), middle),
        *(marker(style, axis.place(difference), middle) for style, difference in lists.items()),
    ]
    return element("svg", *content, viewBox=f"0 0 {WIDTH} {HEIGHT}", class_="strip", aria_hidden="true")


def _history(x: float, y: float) -> Markup:
    return element("line", x1=x, x2=x, y1=y - 9, y2=y + 9, class_="history")


def _test(x: float, y: float) -> Markup:
    return element("circle", cx=x, cy=y, r=6, class_="test")


def _alone(drawn: Markup) -> Markup:
    return element("svg", drawn, viewBox="0 0 30 20", width=30, height=20, aria_hidden="true")


DOTS = {"history": _alone(_history(15, 10)), "test": _alone(_test(15, 10))}
"""The marks of histories and of test clicks alone, for a legend."""
