"""Keeps the finished pieces of a comparison, one file each, written whole, so that a killed run goes on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from recbole_decrs.digest import digest_of
from recbole_decrs.errors import is_out_of_memory
from recbole_decrs.files import replaced_whole
from recbole_decrs.plain_values import as_plain


class Pieces:
    """Keeps pieces in a folder; each is known by a name and by everything that its numbers depend on.

    Args:
        folder: the folder of the pieces; it is made when the first is written.
    """

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)

    def path(self, name: str, depends_on: dict[str, Any], ending: str) -> Path:
        """Name the file of a piece: another one where anything it depends on is another."""
        return self.folder / f"{name}-{digest_of(depends_on)[:10]}.{ending}"

    def read(self, path: Path, *keys: str) -> tuple[dict[str, Any], dict[str, np.ndarray]] | None:
        """Read what :meth:`write` was given; None where there is no such piece, or it is damaged or lacks a key."""
        try:
            with np.load(path, allow_pickle=False) as content:
                arrays = {key: content[key] for key in content.files}
            info = json.loads(str(arrays.pop("info")))
            return (info, arrays) if set(keys) <= set(info) else None
        except Exception as error:  # of a damaged file, numpy and zipfile raise whatever comes up
            if is_out_of_memory(error):
                raise
            return None

    def write(self, path: Path, info: dict[str, Any], arrays: dict[str, np.ndarray] | None = None) -> None:
        """Write a piece: plain data and arrays."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with replaced_whole(path) as file:
            np.savez_compressed(file, info=np.array(json.dumps(as_plain(info))), **(arrays or {}))
