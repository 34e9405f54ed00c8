"""Takes the fingerprint of a dataset, by which a checkpoint knows its data."""

from __future__ import annotations

import hashlib

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
