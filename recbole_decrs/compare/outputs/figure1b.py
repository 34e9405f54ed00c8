"""Figure 1(b) of the paper: does a model score items higher whose groups fill the history, at the same rating?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from recbole_decrs.compare.outputs.drawing import line_style, panels, with_legend
from recbole_decrs.compare.outputs.output import Output, register_output
from recbole_decrs.compare.results import Results

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_RATINGS = 10


def _no_ratings(results: Results) -> str | None:
    return None if results.rated else "it needs ratings outside training, and a backbone that scores pairs"


def _share_frame(results: Results) -> pd.DataFrame:
    frames = []
    for backbone, pairs in results.rated.items():
        frame = share_curves(*(pairs[column].to_numpy() for column in ("rating", "share", "score")))
        frame.insert(0, "backbone", backbone)
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def share_curves(ratings: np.ndarray, shares: np.ndarray, scores: np.ndarray, n_bins: int = 5) -> pd.DataFrame:
    """Compute the mean score by the share of an item's groups in its user's history, among items of equal rating.

    Args:
        ratings, shares, scores: of rated pairs, shape [n] each; shares are sum over groups g of q^i_g d_u(g). More
            than ten different ratings are put into bins, too.
        n_bins: the number of bins, of as many pairs each.
    """
    if len(np.unique(ratings)) > MOST_RATINGS:
        levels = _quantile_bins(ratings, n_bins)
        ratings = pd.Series(ratings).groupby(levels).transform("mean").to_numpy()
    bins = _quantile_bins(shares, n_bins)
    frame = pd.DataFrame({"rating": ratings, "bin": bins, "share": shares, "score": scores})
    grouped = frame.groupby(["rating", "bin"]).agg(
        pairs=("score", "size"), share=("share", "mean"), score=("score", "mean")
    )
    return grouped.reset_index().drop(columns="bin")


def _quantile_bins(values: np.ndarray, n_bins: int) -> np.ndarray:
    edges = np.unique(np.quantile(values, np.linspace(0, 1, n_bins + 1)))
    return np.clip(np.searchsorted(edges, values, side="right") - 1, 0, max(len(edges) - 2, 0))


def draw_share_curves(frame: pd.DataFrame) -> Figure:
    """Draw a panel for each backbone, with a line for each rating."""
    parts = list(frame.groupby("backbone", sort=False))
    figure, axes = panels(len(parts))
    for axis, (backbone, part) in zip(axes, parts, strict=True):
        for number, (rating, line) in enumerate(part.groupby("rating", sort=True)):
            axis.plot(line["share"], line["score"], label=f"rating {rating:g}", **line_style(number))
        axis.set(title=backbone, xlabel="share of the item's groups in the user's history", ylabel="mean score")
    return with_legend(figure, axes)


register_output(
    Output(
        "figure1b",
        about="scores by rating and by the share of the item's groups in the history",
        numbers=_share_frame,
        draw=draw_share_curves,
        lacks=_no_ratings,
    )
)
