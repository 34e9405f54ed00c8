"""Config files are YAML of plain data, which is read safely and refused where it is not certain what it says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from recbole_decrs.errors import DecRSError, unreadable
from recbole_decrs.plain_values import UNDO

MOST_VALUES = 1_000_000
"""How many values a config file may stand for."""


class PlainLoader(yaml.SafeLoader):
    """Reads plain data alone, where RecBole's makes objects of Python; a key that is there twice is refused."""

    def compose_mapping_node(self, anchor: str | None) -> yaml.MappingNode:
        """Refuse a mapping that has a key twice, of which PyYAML would take the last.

        Raises:
            yaml.composer.ComposerError: it has, with the line of the second.
        """
        node = super().compose_mapping_node(anchor)
        names = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        for place, name in enumerate(names):
            if name in names[:place] and name != "<<":
                mark = node.value[place][0].start_mark
                raise yaml.composer.ComposerError(None, None, f"the key {name} is there twice", mark)
        return node


def read_config_files(files: list[str], loader: type[yaml.SafeLoader]) -> dict[str, Any]:
    """Read the settings of config files, of which a later one goes over those before it.

    Args:
        files: paths of YAML files.
        loader: reads them; a :class:`PlainLoader`, which may know more ways to write a number.

    Returns:
        the settings by key.

    Raises:
        DecRSError: a file cannot be read, is not YAML, holds no ``key: value`` lines, or stands for more than
            ``MOST_VALUES`` values.
    """
    settings: dict[str, Any] = {}
    for file in files:
        content = _read(file, loader)
        _check_size(content, file)
        if content is not None and not (isinstance(content, dict) and all(isinstance(key, str) for key in content)):
            raise DecRSError(f"the config file {file} must hold 'key: value' lines")
        settings.update(content or {})
    return settings


def _read(file: str, loader: type[yaml.SafeLoader]) -> Any:
    try:
        return yaml.load(Path(file).read_text(encoding="utf-8"), Loader=loader)
    except (OSError, UnicodeDecodeError) as error:
        raise DecRSError(unreadable(f"the config file {file}", error)) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "it is not YAML"
        raise DecRSError(f"the config file {file}{line} is not valid YAML ({problem}); mend it") from error
    except (ValueError, RecursionError, AttributeError, KeyError, OverflowError) as error:  # of PyYAML's own reading
        problem = "it is nested too deeply" if isinstance(error, RecursionError) else "a value is none of its type"
        raise DecRSError(f"the config file {file} cannot be read ({problem}: {error}); mend it") from error


def _check_size(content: Any, file: str) -> None:
    """Refuse YAML of a few lines that stands for more values than a memory holds, by names for names for names."""
    sizes: dict[int, int] = {}

    def size(value: Any, above: tuple[int, ...]) -> int:
        if not isinstance(value, dict | list):
            return 1
        if id(value) in above:
            raise DecRSError(f"the config file {file} has a value that is a part of itself; mend it")
        if id(value) not in sizes:
            parts = value.values() if isinstance(value, dict) else value
            sizes[id(value)] = 1 + sum(size(part, (*above, id(value))) for part in parts)
        return sizes[id(value)]

    if size(content, ()) > MOST_VALUES:
        raise DecRSError(f"the config file {file} stands for more than {MOST_VALUES} values, by its names; mend it")


def config_files_of(settings: dict[str, str]) -> list[str]:
    """Take the option ``config_files`` of a command line out of the settings, and list the paths that it holds."""
    files = settings.pop("config_files", "")
    return [] if files.lower() in UNDO else files.split()
