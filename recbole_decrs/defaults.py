"""Finds the YAML files of defaults."""

from __future__ import annotations

from pathlib import Path

from recbole_decrs.errors import DecRSError


def properties_dir() -> Path:
    """Find the folder of the YAML defaults: inside the installed package, or beside it in a checkout.

    Raises:
        DecRSError: neither is there.
    """
    package = Path(__file__).parent
    for folder in (package / "properties", package.parent / "properties"):
        if (folder / "overall.yaml").is_file():
            return folder
    raise DecRSError(f"no properties/overall.yaml in {package} or beside it; reinstall recbole_decrs")
