"""Writes the plugin's keys into properties/overall.yaml and the README: python docs/write_keys.py

The list is recbole_decrs/keys.py; all else in the two files is written by hand and stays as it is.
"""

import re
from pathlib import Path
from typing import Any

import yaml

from recbole_decrs.keys import KEYS, SECTIONS, Key

ROOT = Path(__file__).parent.parent
OVERALL, README = ROOT / "properties" / "overall.yaml", ROOT / "README.md"
COMMENT_COLUMN = 32
TABLE_HEAD = "| key | default | meaning |\n|---|---|---|\n"


def main() -> None:
    """Write both files anew."""
    for file, written in ((OVERALL, overall_with_keys), (README, readme_with_keys)):
        file.write_text(written(file.read_text(encoding="utf-8")), encoding="utf-8")


def overall_with_keys(text: str) -> str:
    """Put the lines of the list under their headings, after the lines of RecBole's keys there."""
    blocks: dict[str, list[str]] = {}
    for block in text.rstrip("\n").split("\n\n"):
        heading, *lines = block.split("\n")
        blocks[heading] = [line for line in lines if line.partition(":")[0] not in KEYS]
    for title, keys in SECTIONS.items():
        blocks.setdefault(f"# {title}", []).extend(map(yaml_line, keys))
    return "\n\n".join("\n".join([heading, *lines]) for heading, lines in blocks.items()) + "\n"


def readme_with_keys(text: str) -> str:
    """Put a row for each key of the list into the table of keys."""
    before, after = text.split(TABLE_HEAD)
    rows = "".join(f"| `{key.name}` | {_defaults(key)} | {_linked(key.meaning)} |\n" for key in KEYS.values())
    return before + TABLE_HEAD + rows + re.sub(r"\A(\|.*\n)*", "", after)


def yaml_line(key: Key) -> str:
    """Write a key as RecBole's files have theirs: ``name: default    # (type) Meaning.``"""
    value = yaml.safe_dump([key.default], default_flow_style=True, width=1000).strip()[1:-1]
    value = {"null": "~", "true": "True", "false": "False"}.get(value, value)
    return f"{f'{key.name}: {value}  ':{COMMENT_COLUMN}}# ({key.kind}) {key.meaning}"


def _defaults(key: Key) -> str:
    """Write the default of a key, and those of the models and datasets that have others."""
    others: dict[str, list[str]] = {}
    for file in sorted((ROOT / "properties").glob("*/*.yaml")):
        value = yaml.safe_load(file.read_text(encoding="utf-8")).get(key.name, key.default)
        if value != key.default:
            others.setdefault(_in_markdown(value), []).append(file.stem)
    listed = "; ".join(f"{value} for {', '.join(names)}" for value, names in others.items())
    return _in_markdown(key.default) + (f" ({listed})" if listed else "")


def _in_markdown(value: Any) -> str:
    if value is None:
        return "none"
    return f"`{value}`" if isinstance(value, str) else str(value)


def _linked(meaning: str) -> str:
    return re.sub(r"(?:docs|results)/[\w/-]+\.md", r"[\g<0>](\g<0>)", meaning)


if __name__ == "__main__":
    main()
