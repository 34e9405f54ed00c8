"""Measures what M does in many models of comparisons: `recbole-decrs mechanism` of each, in one CSV file.

    python benchmarks/mechanism.py results/ml-1m/fm/pieces/FM-202?-decrs-*.pth --output=results/ml-1m/mechanism.csv

A row is a model with something in the place of d: metrics on validation, rounded as the command prints them, the share
of the scores' variance and that of the list that change. Models that the file has are not measured again.
"""

import argparse
import re
import sys
from pathlib import Path

import pandas as pd

from recbole_decrs.errors import DecRSError
from recbole_decrs.files import replaced_whole
from recbole_decrs.log import quiet_libraries
from recbole_decrs.mechanism import measure_mechanism

PIECE = re.compile(r"(?P<backbone>[A-Za-z]+)-(?P<seed>\d+)-(?P<method>\w+)-(?P<settings>[0-9a-f]{10})\.pth")
MODEL = ["backbone", "method", "seed", "settings"]
"""What a piece is known by; ``settings`` stands for all that its training depends on."""


def rows_of(path: str, model: dict[str, str]) -> pd.DataFrame:
    """Measure the model of a piece; ``model`` says which it is, in each row."""
    rows = [
        model
        | {"in_m": name, **{metric: f"{value:.4f}" for metric, value in effect.metrics.items()}}
        | {"share": f"{effect.share:.4f}", "changed": f"{effect.changed:.3f}"}
        for name, effect in measure_mechanism(path).items()
    ]
    return pd.DataFrame(rows)


def main() -> None:
    """Measure the models that the output lacks, one by one, and write after each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pieces", nargs="+", help="the .pth files among the pieces of a comparison")
    parser.add_argument("--output", required=True, help="the CSV file")
    chosen = parser.parse_args()
    output = Path(chosen.output)
    for path in chosen.pieces:
        if not Path(path).is_file():
            raise DecRSError(f"pieces: {path} is not there; name the .pth files of a comparison that has ended")
    if not any(PIECE.fullmatch(Path(path).name) for path in chosen.pieces):
        raise DecRSError(f"pieces: {chosen.pieces[0]} is no model of a comparison, as FM-2020-decrs-0123456789.pth is")
    frame = pd.read_csv(output, dtype=str) if output.exists() else pd.DataFrame(columns=MODEL)
    there = set(frame[MODEL].itertuples(index=False, name=None))
    for path in chosen.pieces:
        found = PIECE.fullmatch(Path(path).name)  # what a training goes on from is no model
        model = {name: found[name] for name in MODEL} if found else {}
        if model and tuple(model.values()) not in there:
            with quiet_libraries():
                frame = pd.concat([frame, rows_of(path, model)], ignore_index=True)
            with replaced_whole(output) as file:
                frame.to_csv(file, index=False, lineterminator="\n")


if __name__ == "__main__":
    try:
        main()
    except DecRSError as error:
        sys.exit(str(error))
