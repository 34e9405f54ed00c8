"""The data of a comparison, loaded once for all methods that share them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from recbole_decrs.data.preparation import create_dataset, data_preparation
from recbole_decrs.randomness import at_seed


@dataclass(frozen=True)
class Data:
    """The loaders of one configuration."""

    train: Any
    valid: Any
    test: Any

    @property
    def part(self):
        """The training part."""
        return self.train._dataset

    @property
    def fingerprint(self) -> str:
        """A hash of everything that the numbers depend on: clicks, features, groups and drift."""
        digest = hashlib.sha256(self.part.fingerprint.encode())
        confounder = self.part.confounder
        if confounder is not None:
            digest.update(chr(0).join(confounder.group_names).encode() + confounder.membership.tobytes())
            digest.update(b"" if confounder.drift is None else confounder.drift.tobytes())
        return digest.hexdigest()


class DataCache:
    """The loaders last used, and the fingerprints of all, by what shapes them."""

    def __init__(self) -> None:
        self.loaders: dict[str, Data] = {}
        self.fingerprints: dict[str, str] = {}

    def data(self, key: str, config) -> Data:
        """The loaders of a configuration; those of two are kept."""
        if key not in self.loaders:
            while len(self.loaders) > 1:
                self.loaders.pop(next(iter(self.loaders)))
            at_seed(config)
            self.loaders[key] = Data(*data_preparation(config, create_dataset(config)))
            self.fingerprints[key] = self.loaders[key].fingerprint
        return self.loaders[key]

    def fingerprint(self, key: str, config) -> str:
        """Of the data of a configuration."""
        return self.fingerprints[key] if key in self.fingerprints else self.data(key, config).fingerprint
