"""Draws how often values fall into intervals of equal width."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup

from recbole_decrs.report.charts.axis import Axis
from recbole_decrs.report.charts.svg import element, framed

WIDTH, HEIGHT = 560, 240


def counts_in_bins(values: np.ndarray, bins: int = 30) -> tuple[np.ndarray, np.ndarray]:
    """Count values in intervals from the least to the greatest; one interval where all are alike.

    Args:
        values: shape [n], n >= 1.
        bins: how many intervals.

    Returns:
        The counts, shape [bins], and the bounds, shape [bins + 1].
    """
    low, high = float(values.min()), float(values.max())
    if low == high:
        return np.array([len(values)]), np.array([low - 0.5, high + 0.5])
    return np.histogram(values, bins=bins, range=(low, high))


def histogram(counts: np.ndarray, bounds: np.ndarray, titles: tuple[str, str], label: str) -> Markup:
    """Draw a bar for each interval.

    Args:
        counts: shape [bins].
        bounds: of the intervals, shape [bins + 1].
        titles: of the x axis and the y axis.
        label: what is seen, in words.
    """
    x = Axis(float(bounds[0]), float(bounds[-1]), 64, WIDTH - 12)
    y = Axis(0, float(max(counts.max(), 1)) * 1.05, HEIGHT - 44, 12)
    bars = [
        element(
            "rect",
            x=x.place(left),
            y=y.place(count),
            width=round(max(x.place(right) - x.place(left) - 1, 0.5), 2),
            height=round(y.start - y.place(count), 2),
            class_="bar",
            data_tip=f"{left:.3g} to {right:.3g}: {count}",
        )
        for left, right, count in zip(bounds[:-1].tolist(), bounds[1:].tolist(), counts.tolist(), strict=True)
    ]
    return framed(x, y, titles, bars, label, (WIDTH, HEIGHT))
