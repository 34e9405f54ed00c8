"""Hashes what numbers depend on, by which what is finished is told from what is still to be done."""

from __future__ import annotations

import hashlib
import json
from typing import Any

FORMAT = 4
"""To be raised when a change of the code changes numbers, so that what was finished before is done anew."""


def digest_of(depends_on: dict[str, Any]) -> str:
    """Hash settings and other facts, in whatever order their keys stand, to 64 hexadecimal digits."""
    text = json.dumps({"format": FORMAT, **depends_on}, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
