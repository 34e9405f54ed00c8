"""Keeps notes in files, by which workers on whatever machine tell of their pieces while a comparison runs."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Note:
    """Tells how far a piece is."""

    key: str
    epoch: int = 0
    """How many epochs a training has had."""
    epochs: int = 0
    """How many there are at most."""
    seconds: float | None = 0.0
    """How long it has taken so far; None where it could not be made."""
    ended: bool = False


class Notices:
    """Keeps the last note of each piece.

    Args:
        folder: the folder of the pieces, in which the notes have a folder of their own.
    """

    def __init__(self, folder: str | os.PathLike) -> None:
        self.folder = Path(folder) / "running.tmp"

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Begin without notes, and take them away at the end of the block."""
        shutil.rmtree(self.folder, ignore_errors=True)  # of a run that was killed
        self.folder.mkdir(parents=True)
        try:
            yield
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def write(self, note: Note) -> None:
        """Leave a note in the place of the one before; where it cannot be written, progress is not shown."""
        path = self.folder / note.key
        with suppress(OSError):
            path.with_name(f".{note.key}").write_text(json.dumps(asdict(note)), encoding="utf-8")
            path.with_name(f".{note.key}").replace(path)

    def read(self) -> list[Note]:
        """Read the notes, in the order of their names."""
        notes = []
        with suppress(OSError):
            for file in sorted(self.folder.iterdir()):
                if not file.name.startswith("."):
                    notes.append(Note(**json.loads(file.read_text(encoding="utf-8"))))
        return notes
