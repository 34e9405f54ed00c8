"""Makes the configurations of a comparison, each once, from what the caller has given."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from recbole_decrs.compare.method import Settings
from recbole_decrs.config import DecRSConfig


@dataclass
class Configurations:
    """Makes the configuration of a model from the name of its class and settings over all others.

    It can be sent to another process, and leaves there what it has made.

    Args:
        dataset, config_file_list, config_dict, command_line: as for :func:`~recbole_decrs.run_recbole_decrs`.
    """

    dataset: str | None
    config_file_list: list[str] | None
    config_dict: dict[str, Any] | None
    command_line: dict[str, str] | None
    _made: dict[str, DecRSConfig] = field(default_factory=dict)

    def __call__(self, model: str, settings: Settings) -> DecRSConfig:
        """Make a configuration, or give the one that was made before.

        Raises:
            DecRSError: a setting cannot be used.
        """
        key = json.dumps([model, settings], sort_keys=True)
        if key not in self._made:
            typed = {**(self.command_line or {}), **settings}
            self._made[key] = DecRSConfig(model, self.dataset, self.config_file_list, self.config_dict, typed)
        return self._made[key]

    def __getstate__(self) -> dict[str, Any]:
        """Send what the caller has given alone."""
        return {**vars(self), "_made": {}}
