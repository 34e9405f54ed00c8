"""Makes Figure 1(b): does a model score items higher whose groups fill the history, at the same rating?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from recbole_decrs.compare.outputs.drawing import line_style, panels, with_legend
from recbole_decrs.compare.outputs.output import Output, register_output
from recbole_decrs.compare.outputs.spread import is_beyond
from recbole_decrs.compare.results import Results

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def _no_ratings(results: Results) -> str | None:
    return None if results.rated else "it needs ratings outside training, and a backbone that scores pairs"


def _share_frame(results: Results) -> pd.DataFrame:
    frames = [frame.assign(backbone=backbone) for backbone, frame in results.rated.items()]
    frame = pd.concat(frames, ignore_index=True)
    return frame[["backbone", *frame.columns.drop("backbone")]]


def draw_share_curves(frame: pd.DataFrame) -> Figure:
    """Draw a panel for each backbone, with a line for each rating."""
    parts = list(frame.groupby("backbone", sort=False))
    figure, axes = panels(len(parts), width=5.0, height=4.2)
    for axis, (backbone, part) in zip(axes, parts, strict=True):
        for number, (rating, line) in enumerate(part.groupby("rating", sort=True)):
            label = f"rating {rating:g}, {line['pairs'].sum()} pairs"
            axis.errorbar(line["share"], line["score"], 2 * line["error"].fillna(0), label=label, **line_style(number))
        axis.set(xlabel="share of the item's groups in the user's history", ylabel="mean score")
        axis.set_title(_seen(backbone, part), fontsize=10)
    figure.suptitle("Scores of items with the same rating: mean ± 2 standard errors over pairs")
    return with_legend(figure, axes)


def _seen(backbone: str, part: pd.DataFrame) -> str:
    """Say for how many ratings the score is higher at the largest share than at the smallest, beyond both errors."""
    lines = [line for _, line in part.groupby("rating") if len(line) > 1]
    ends = [line.iloc[[0, -1]] for line in lines]
    rising = sum(is_beyond(two["score"].diff().iloc[1], *(2 * two["error"])) for two in ends)
    falling = sum(is_beyond(-two["score"].diff().iloc[1], *(2 * two["error"])) for two in ends)
    text = "From the smallest share to the largest, the score of"
    return f"{text}\n{backbone} is higher beyond both bars for {rising} of {len(lines)} ratings, lower for {falling}"


register_output(
    Output(
        "figure1b",
        about="scores by rating and by the share of the item's groups in the history",
        numbers=_share_frame,
        draw=draw_share_curves,
        lacks=_no_ratings,
    )
)
