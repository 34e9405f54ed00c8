"""Writes what the documents say of keys, metrics, methods and outputs, from the code: python docs/write_keys.py

The keys are those of recbole_decrs/keys, for properties/overall.yaml and the README. The metrics, and the data that
one may need, are those of recbole_decrs/evaluator, for the README and docs/extending.md. The methods and outputs are
those of recbole_decrs/compare, for the README. All else in these files is written by hand and stays as it is.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml
from recbole.evaluator.base_metric import AbstractMetric

from recbole_decrs.compare import METHODS, OUTPUTS
from recbole_decrs.evaluator.registry import METRICS, NEEDS
from recbole_decrs.keys import KEYS, SECTIONS, Key

ROOT = Path(__file__).parent.parent
OVERALL, README = ROOT / "properties" / "overall.yaml", ROOT / "README.md"
EXTENDING = ROOT / "docs" / "extending.md"
COMMENT_COLUMN = 32
HEAD_OF_KEYS = "| key | default | meaning |\n|---|---|---|\n"
HEAD_OF_METRICS = "| metric | what it is |\n|---|---|\n"
HEAD_OF_METHODS = "| `--methods` | what it is |\n|---|---|\n"
HEAD_OF_OUTPUTS = "| file | what it is |\n|---|---|\n"
HEAD_OF_NEEDS = "| `metric_need` | what it is |\n|---|---|\n"


def main() -> None:
    """Write the files anew."""
    for file, written in WRITTEN.items():
        file.write_text(written(file.read_text(encoding="utf-8")), encoding="utf-8")


def overall_yaml(text: str) -> str:
    """Put the lines of the keys under their headings, after the lines of RecBole's keys there."""
    blocks: dict[str, list[str]] = {}
    for block in text.rstrip("\n").split("\n\n"):
        heading, *lines = block.split("\n")
        blocks[heading] = [line for line in lines if line.partition(":")[0] not in KEYS]
    for title, keys in SECTIONS.items():
        blocks.setdefault(f"# {title}", []).extend(map(yaml_line, keys))
    return "\n\n".join("\n".join([heading, *lines]) for heading, lines in blocks.items()) + "\n"


def readme(text: str) -> str:
    """Put a row for each key, each of the plugin's metrics, and each method and output of compare into their tables."""
    keys = ((f"`{key.name}`", _defaults(key), _linked(key.meaning)) for key in KEYS.values())
    metrics = ((f"`{kind.__name__}`", _explained(kind)) for kind in METRICS.values())
    methods = ((f"`{name}`", method.about) for name, method in METHODS.items())
    outputs = ((f"`{name}`", output.about) for name, output in sorted(OUTPUTS.items()))
    for head, rows in (
        (HEAD_OF_KEYS, keys),
        (HEAD_OF_METRICS, metrics),
        (HEAD_OF_METHODS, methods),
        (HEAD_OF_OUTPUTS, outputs),
    ):
        text = _with_rows(text, head, rows)
    return text


def extending(text: str) -> str:
    """Put a row for each thing that a metric may need into their table."""
    return _with_rows(text, HEAD_OF_NEEDS, ((f"`{name}`", meaning) for name, meaning in NEEDS.items()))


WRITTEN = {OVERALL: overall_yaml, README: readme, EXTENDING: extending}
"""The files, and the function that writes each anew from its text."""


def _with_rows(text: str, head: str, rows: Iterable[tuple[str, ...]]) -> str:
    """Put rows in the place of those of the table with this head, which the text has once."""
    before, after = text.split(head)
    return before + head + "".join(f"| {' | '.join(row)} |\n" for row in rows) + re.sub(r"\A(\|.*\n)*", "", after)


def _explained(kind: type[AbstractMetric]) -> str:
    """Explain a metric by the first line of its docstring, and say which values are better."""
    return f"{kind.__doc__.splitlines()[0].rstrip('.')}; {'smaller' if kind.smaller else 'larger'} is better"


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
