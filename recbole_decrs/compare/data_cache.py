"""The data of a comparison, loaded once for all methods that share them."""

from __future__ import annotations

from recbole_decrs.making import Data, make_data


class DataCache:
    """Keeps the loaders last used, and the fingerprints of all, by a key of what shapes them."""

    def __init__(self) -> None:
        self.loaders: dict[str, Data] = {}
        self.fingerprints: dict[str, str] = {}

    def data(self, key: str, config) -> Data:
        """Load the data of a configuration, or give those loaded before; the data of two are kept."""
        if key not in self.loaders:
            while len(self.loaders) > 1:
                self.loaders.pop(next(iter(self.loaders)))
            self.loaders[key] = make_data(config)
            self.fingerprints[key] = self.loaders[key].fingerprint
        return self.loaders[key]

    def fingerprint(self, key: str, config) -> str:
        """Give the fingerprint of the data of a configuration."""
        return self.fingerprints[key] if key in self.fingerprints else self.data(key, config).fingerprint
