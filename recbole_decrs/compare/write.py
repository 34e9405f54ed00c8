"""Makes the outputs of a comparison, and writes all of them or none."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from logging import getLogger
from pathlib import Path
from typing import Any

import pandas as pd

from recbole_decrs.compare.figures import ENDINGS, has_matplotlib, rendered
from recbole_decrs.compare.outputs import OUTPUTS, Output
from recbole_decrs.compare.results import Results
from recbole_decrs.errors import DecRSError, in_words
from recbole_decrs.plain_values import as_plain


@dataclass(frozen=True)
class Made:
    """Holds an output with its content."""

    output: Output
    numbers: pd.DataFrame
    text: str | None

    @property
    def name(self) -> str:
        """Name the output's files, without their ending."""
        return self.output.name


def make_outputs(results: Results) -> dict[str, Made]:
    """Make the numbers and texts of every output that can be made from the results, by name."""
    made = {}
    for name, output in OUTPUTS.items():
        with _left_out_if_it_fails(output, name):
            if lacks := output.lacks(results):
                getLogger().info(f"{name} is not made: {lacks}")
                continue
            numbers = output.numbers(results)
            text = output.text(results, numbers) if output.text else None
            if not isinstance(numbers, pd.DataFrame) or not isinstance(text, str | None):
                raise TypeError(f"numbers are a {type(numbers).__name__}, and text is a {type(text).__name__}")
            made[name] = Made(output, numbers, text)
    return made


@contextmanager
def _left_out_if_it_fails(output: Output, name: str) -> Iterator[None]:
    """Let no fault in a table or figure of one's own take the others with it."""
    try:
        yield
    except Exception as error:
        of_the_package = str(getattr(output.numbers, "__module__", "")).startswith("recbole_decrs.")
        if of_the_package or isinstance(error, DecRSError | OSError | MemoryError):
            raise
        getLogger().warning(f"{name} is not made, by a fault in it: {type(error).__name__}: {in_words(error)}")


def write_outputs(folder: Path, outputs: list[Made], record: dict[str, Any]) -> list[str]:
    """Write the outputs and ``run.json`` in the place of those of an earlier comparison.

    Args:
        folder: where they are written; it has a folder ``pieces``.
        outputs: what is written.
        record: the content of ``run.json``.

    Returns:
        The names of the files.

    Raises:
        OSError: a file cannot be written; then those of before stay.
    """
    texts = [output for output in outputs if output.text is not None]
    tables, figures = ([output for output in outputs if bool(output.output.draw) == drawn] for drawn in (False, True))
    with _all_or_nothing(folder) as new:
        for output in texts:
            (new / f"{output.name}.md").write_text(output.text, encoding="utf-8")
        for output in outputs:
            output.numbers.to_csv(new / f"{output.name}.csv", index=False, float_format="%.6g")
        (new / "run.json").write_text(json.dumps(as_plain(record), indent=1) + "\n", encoding="utf-8")
        drawings = _draw(new, figures)
    return [
        *(f"{output.name}.md" for output in texts),
        *(f"{output.name}.csv" for output in tables),
        "run.json",
        *(f"{output.name}.csv" for output in figures),
        *drawings,
    ]


@contextmanager
def _all_or_nothing(folder: Path) -> Iterator[Path]:
    """Give a folder to write outputs into, and when all are whole put them in the place of an earlier comparison's."""
    new = folder / "pieces" / "outputs.tmp"
    shutil.rmtree(new, ignore_errors=True)  # of a run that was killed
    new.mkdir(parents=True)
    try:
        yield new
        made = sorted(new.iterdir())
        for file in made:
            os.replace(file, folder / file.name)
        names = {file.name for file in made}
        for old in (f"{name}.{ending}" for name in OUTPUTS for ending in ("md", "csv", *ENDINGS)):
            if old not in names:
                (folder / old).unlink(missing_ok=True)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def warn_without_matplotlib() -> None:
    """Warn that no figure will be drawn, where matplotlib is not installed."""
    if not has_matplotlib():
        getLogger().warning("matplotlib is not installed, so no figure is drawn: pip install 'recbole_decrs[plots]'")


def _draw(folder: Path, figures: list[Made]) -> list[str]:
    """Draw the figures, where matplotlib is installed; returns the names of the files."""
    drawn = []
    for figure in figures if has_matplotlib() else ():
        with _left_out_if_it_fails(figure.output, f"{figure.name}.png"):
            for ending, content in rendered(figure.output, figure.numbers).items():
                (folder / f"{figure.name}.{ending}").write_bytes(content)
                drawn.append(f"{figure.name}.{ending}")
    return drawn
