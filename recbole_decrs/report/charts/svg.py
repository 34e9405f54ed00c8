"""Elements of a drawing, markers and lines that are told apart without colour, and the frame around a plot."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from recbole_decrs.report.charts.axis import Axis

N_STYLES = 8
"""How many colours and dashes there are; the style sheet has a class ``s0``, ... for each."""
SHAPES = (
    "M-4,0a4,4 0 1,0 8,0a4,4 0 1,0 -8,0Z",
    "M-3.6,-3.6h7.2v7.2h-7.2Z",
    "M0,-5L5,0L0,5L-5,0Z",
    "M0,-4.8L4.6,3.6H-4.6Z",
    "M0,4.8L4.6,-3.6H-4.6Z",
    "M-1.5,-5h3v3.5h3.5v3h-3.5v3.5h-3v-3.5h-3.5v-3h3.5Z",
    "M-4.8,0L3.6,-4.6V4.6Z",
    "M0,-5.4L1.5,-1.6L5.2,-1.6L2.2,0.8L3.3,4.6L0,2.3L-3.3,4.6L-2.2,0.8L-5.2,-1.6L-1.5,-1.6Z",
)


def element(name: str, *children: Markup | str, **attributes: object) -> Markup:
    """Make an element, whose attributes and texts are escaped; ``class_`` and ``data_tip`` are class and data-tip."""
    given = {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items() if value is not None}
    written = Markup("").join(Markup(' {}="{}"').format(key, value) for key, value in given.items())
    return Markup("<{}{}>{}</{}>").format(Markup(name), written, Markup("").join(children), Markup(name))


def marker(number: int, x: float, y: float, tip: str | None = None, stops: bool = False) -> Markup:
    """Draw the marker of a series.

    Args:
        number: of the series, from 0; the first eight are filled, later ones are hollow, and from the 17th on a
            colour has another shape.
        x, y: the place of its middle.
        tip: the text that is shown while the pointer is on it.
        stops: True if the keyboard stops there, and shows the text too.
    """
    shape = number + 3 * max(number // N_STYLES - 1, 0)
    return element(
        "path",
        d=SHAPES[shape % len(SHAPES)],
        transform=f"translate({x},{y})",
        class_=f"marker s{number % N_STYLES}" + (" hollow" if number >= N_STYLES else ""),
        data_tip=tip,
        tabindex=0 if stops else None,
        role="img" if stops else None,
        aria_label=tip if stops else None,
    )


def polyline(number: int, points: Sequence[tuple[float, float]]) -> Markup:
    """Draw the line of a series through places."""
    return element("polyline", points=" ".join(f"{x:g},{y:g}" for x, y in points), class_=f"line s{number % N_STYLES}")


def sample(number: int, has_line: bool = True, has_marker: bool = True) -> Markup:
    """Draw the sample of a series for a legend."""
    parts = [polyline(number, [(0, 7), (30, 7)])] if has_line else []
    parts += [marker(number, 15, 7)] if has_marker else []
    return element("svg", *parts, viewBox="0 0 30 14", width=30, height=14, aria_hidden="true")


def text(x: float, y: float, words: str, class_: str = "", anchor: str = "middle", turned: bool = False) -> Markup:
    """Write words at a place, in the lines that they have; ``turned`` has them run upwards."""
    first, *more = words.split("\n")
    words = Markup("").join([first, *(element("tspan", line, x=x, dy="1.15em") for line in more)])
    turn = f"rotate(-90,{x},{y})" if turned else None
    return element("text", words, x=x, y=y, class_=class_ or None, text_anchor=anchor, transform=turn)


def framed(
    x: Axis,
    y: Axis,
    titles: tuple[str, str],
    content: Sequence[Markup],
    label: str,
    size: tuple[float, float],
    x_names: dict[float, str] | None = None,
    is_group: bool = False,
) -> Markup:
    """Draw a plot with a grid, numbers beside both axes, and their titles.

    Args:
        x, y: the axes.
        titles: of both axes.
        content: what is drawn on the grid.
        label: what is seen, for those who do not see it.
        size: width and height.
        x_names: texts in the place of numbers on the x axis.
        is_group: True if the content has places where the keyboard stops.
    """
    width, height = size
    grid = []
    for value in y.ticks():
        place = y.place(value)
        grid.append(element("line", x1=x.start, x2=x.end, y1=place, y2=place, class_="grid"))
        grid.append(text(x.start - 6, place + 4, f"{value:g}", "tick", "end"))
    for value, name in (x_names or {value: f"{value:g}" for value in x.ticks()}).items():
        place = x.place(value)
        grid.append(element("line", x1=place, x2=place, y1=y.start, y2=y.end, class_="grid"))
        grid.append(text(place, y.start + 16, name, "tick"))
    grid.append(text((x.start + x.end) / 2, height - 4, titles[0], "axis"))
    grid.append(text(12, (y.start + y.end) / 2, titles[1], "axis", turned=True))
    return element(
        "svg",
        *grid,
        *content,
        viewBox=f"0 0 {width} {height}",
        class_="chart",
        role="group" if is_group else "img",
        aria_label=label,
    )
