"""Writes the record of a run and its model card beside the checkpoint."""

from __future__ import annotations

import json
import os
from typing import Any

from recbole_decrs.files import replaced_whole
from recbole_decrs.runs.card import card_of


def files_of_run(checkpoint: str) -> list[tuple[str, str]]:
    """Name the files that are written beside a checkpoint: what each is, and its path."""
    stem = os.path.splitext(checkpoint)[0]
    return [("result", f"{stem}.json"), ("model card", f"{stem}.md")]


def write_run(record: dict[str, Any]) -> None:
    """Write the record and the card, whole or not at all, to the paths that the record has.

    Raises:
        OSError: a file cannot be written.
    """
    for what, text in (("result", json.dumps(record, indent=1, allow_nan=False)), ("model card", card_of(record))):
        with replaced_whole(record["files"][what]) as file:
            file.write(f"{text.rstrip()}\n".encode())
