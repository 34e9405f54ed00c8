"""Draws figures into files: PNG for looking at, SVG for papers."""

from __future__ import annotations

import importlib.util
import io
from logging import getLogger
from pathlib import Path

import pandas as pd

from recbole_decrs.compare.outputs import OUTPUTS, Output
from recbole_decrs.errors import DecRSError, told_as
from recbole_decrs.files import replaced_whole

ENDINGS = ("png", "svg")
"""The formats in which each figure is written."""


def has_matplotlib() -> bool:
    """Tell whether figures can be drawn."""
    return importlib.util.find_spec("matplotlib") is not None


def rendered(output: Output, numbers: pd.DataFrame) -> dict[str, bytes]:
    """Draw the figure of an output: the content of its file by ending. The same numbers give the same files."""
    getLogger("matplotlib").setLevel("WARNING")
    from matplotlib import rc_context, rcdefaults

    with rc_context():
        rcdefaults()  # whatever a matplotlibrc of this folder says
        figure = output.draw(numbers)
        return {ending: _saved(figure, ending) for ending in ENDINGS}


def _saved(figure, ending: str) -> bytes:
    from matplotlib import rc_context

    drawing = io.BytesIO()
    # Text stays text, which can be searched and read aloud; ids and dates would be others each time.
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "recbole_decrs"}):
        figure.savefig(drawing, format=ending, metadata={"Date": None} if ending == "svg" else None)
    return drawing.getvalue()


def redraw(folder: str) -> list[str]:
    """Draw the figures of a comparison again from the CSV files that it has written, in the place of the former.

    Args:
        folder: the output folder of the comparison.

    Returns:
        The paths of the figures.

    Raises:
        DecRSError: matplotlib is not installed, or the folder has no numbers of figures, or those of an older version.
    """
    if not has_matplotlib():
        raise DecRSError("matplotlib is not installed, so no figure is drawn: pip install 'recbole_decrs[plots]'")
    figures = {Path(folder) / f"{name}.csv": output for name, output in OUTPUTS.items() if output.draw}
    there = {path: output for path, output in figures.items() if path.is_file()}
    if not there:
        raise DecRSError(f"{folder} has no numbers of figures, such as tradeoff.csv; give the folder of a comparison")
    drawn = []
    for path, output in there.items():
        with told_as(f"{path} is not what its figure is drawn from", "run the comparison again, which writes both"):
            files = rendered(output, pd.read_csv(path))
        for ending, content in files.items():
            with replaced_whole(path.with_suffix(f".{ending}")) as file:
                file.write(content)
            drawn.append(str(path.with_suffix(f".{ending}")))
    return drawn
