"""Takes fingerprints of data: of what a checkpoint needs to rank, and of everything that a training has seen."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np

from recbole_decrs.data.clicks import Clicks


def fingerprint_of(dataset, clicks: list[Clicks]) -> str:
    """Hash what gives a model's parameters their meaning: ids, features, and the clicks of each part.

    Args:
        dataset: a RecBole Dataset after its split.
        clicks: of its parts: training, validation, test.

    Returns:
        64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for field in sorted(dataset.field2id_token):
        digest.update(f"{field}:{chr(0).join(map(str, dataset.field2id_token[field]))}".encode())
    for features in (dataset.user_feat, dataset.item_feat):
        for field in sorted(features or ()):
            digest.update(field.encode() + features[field].numpy().tobytes())
    for users, items in clicks:
        digest.update(np.sort(users.astype(np.int64) * dataset.item_num + items).tobytes() + b"|")
    return digest.hexdigest()


def digest_of_rows(parts: Iterable) -> bytes:
    """Hash the interactions row by row, with all their columns, in the order by which a model is trained and ranked.

    So are the triples of a knowledge graph.

    Args:
        parts: of a RecBole dataset after its split, with the ``click_order`` of each.

    Returns:
        32 bytes.
    """
    digest = hashlib.sha256()
    for part in parts:
        for rows in (part.inter_feat, getattr(part, "kg_feat", None)):
            for field in sorted(rows or ()):
                digest.update(f"{field} {tuple(rows[field].shape)}".encode())
                digest.update(np.ascontiguousarray(rows[field].numpy()))
        digest.update(b"" if part.click_order is None else np.asarray(part.click_order).tobytes())
    return digest.digest()
