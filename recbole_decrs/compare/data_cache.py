"""Loads the data of a comparison once for all methods that share them."""

from __future__ import annotations

from recbole_decrs.making import Data, make_data


class DataCache:
    """Keeps the loaders last used, and the fingerprints of all, by a key of what shapes them.

    Args:
        fingerprints: those that are known already, as to a worker from the process that has started it.
    """

    def __init__(self, fingerprints: dict[str, str] | None = None) -> None:
        self.loaders: dict[str, Data] = {}
        self.fingerprints: dict[str, str] = dict(fingerprints or {})

    def data(self, key: str, config) -> Data:
        """Load the data of a configuration, or give those loaded before; the data of two are kept.

        Raises:
            OSError: they are not those that the comparison has begun with. Like a full disk, and unlike what cannot be
                trained, this concerns all methods: the comparison stops.
        """
        if key not in self.loaders:
            while len(self.loaders) > 1:
                self.loaders.pop(next(iter(self.loaders)))
            data = make_data(config)
            fingerprint = data.fingerprint
            if self.fingerprints.setdefault(key, fingerprint) != fingerprint:
                raise OSError(
                    f"data_path: {config['dataset']} is not what it was when this comparison began; leave its files as "
                    "they are, and start the command again"
                )
            self.loaders[key] = data
        return self.loaders[key]

    def fingerprint(self, key: str, config) -> str:
        """Give the fingerprint of the data of a configuration."""
        return self.fingerprints[key] if key in self.fingerprints else self.data(key, config).fingerprint
