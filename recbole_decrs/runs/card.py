"""Writes the model card of a checkpoint: its record, for people, in Markdown."""

from __future__ import annotations

import json
import re
from html import escape
from typing import Any

from recbole_decrs.counts import counted
from recbole_decrs.evaluator.registry import title_of
from recbole_decrs.tables import as_markdown

ROWS = {
    "conventional_test_result": "conventional, on test",
    "deconfounded_test_result": "deconfounded, on test",
    "test_result": "**result**, on test",
    "best_valid_result": "result, on validation",
}
"""The rows of a card's table of results."""


def card_of(record: dict[str, Any]) -> str:
    """Write the model card of a run from its record, as :func:`~recbole_decrs.runs.record.record_of_run` makes it."""
    model, dataset = record["model"], record["dataset"]
    sections = {
        "Data": _data(record["data"]),
        "Settings": _settings(record["settings"]),
        "Result": _results(record),
        "How it was made": _made(record),
        "How to load it": _loading(record["files"].get("checkpoint")),
    }
    body = "\n\n".join(f"## {title}\n\n{text}" for title, text in sections.items())
    return f"# {_text(model)} on {_text(dataset)}, seed {record['seed']}\n\n{body}\n"


def _text(value: Any) -> str:
    """Write a name as text of one line, whatever signs of Markdown or HTML it has; links and pictures are none then."""
    return re.sub(r"([\\`*\[\]|~])", r"\\\1", escape(" ".join(str(value).split()), quote=False))


def _code(value: Any) -> str:
    """Write a value as code of one line, which has more backticks around it than in it."""
    text = " ".join(str(value).split())
    ticks = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{ticks} {text} {ticks}" if "`" in text else f"`{text}`"


def _block(language: str, text: str) -> str:
    ticks = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{ticks}{language}\n{text}\n{ticks}"


def _data(data: dict[str, Any]) -> str:
    files = ", ".join(f"{_code(name)} ({size} bytes)" for name, size in data["files"].items()) or "not known"
    parts = ", ".join(f"{name} {number}" for name, number in data["parts"].items())
    split = _code(f"eval_args: {data['eval_args']}")
    lines = [
        f"- files: {files}",
        "- after filtering: " + ", ".join(counted(data[f"{what}s"], what) for what in ("user", "item", "click")),
        f"- split: {parts}, by {split}",
        f"- fingerprint: {_code(data['fingerprint'])}",
    ]
    if groups := data.get("groups"):
        more = ", ..." if groups["number"] > len(groups["names"]) else ""
        names = ", ".join(map(_text, groups["names"])) + more
        lines.append(
            f"- {counted(groups['number'], 'group')} of items, from the column {_code(groups['field'])}: {names}"
        )
    return "\n".join(lines)


def _settings(settings: dict[str, Any]) -> str:
    if not settings:
        return "The defaults of this model and dataset."
    rows = [[_code(key), _code(value)] for key, value in settings.items()]
    return "Those that are not the defaults of this model and dataset:\n\n" + as_markdown(rows, ["key", "value"])


def _results(record: dict[str, Any]) -> str:
    metrics = list(record["test_result"])
    shown = {title: record[key] for key, title in ROWS.items() if record.get(key)}
    rows = [[title, *(_number(values.get(metric)) for metric in metrics)] for title, values in shown.items()]
    text = as_markdown(rows, ["", *map(title_of, metrics)])
    if record.get("drift_alpha") is not None:
        text += f"\n\nThe two recommenders are fused with alpha {record['drift_alpha']:g}."
    if record["by_drift"]:
        users = ", ".join(f"{group['users']} above {group['above']:g}" for group in record["by_drift"])
        text += f"\n\nUsers by drift eta_u: {users}; their metrics are in the record beside this card."
    if record.get("by_group"):  # older records have none
        users = ", ".join(f"{group['users']} {_text(group['group'])}" for group in record["by_group"])
        text += (
            f"\n\nUsers by {_text(record['config']['user_groups'])}: {users}; their metrics are in the record as well."
        )
    return text


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _made(record: dict[str, Any]) -> str:
    packages = ", ".join(f"{name} {release}" for name, release in record["versions"].items())
    typed = f"\n\n{_block('bash', record['command'])}" if record["command"] else " It was called from Python."
    return f"In {record['seconds']:.0f} s, finished {record['finished']}, with {packages}.{typed}"


def _loading(checkpoint: str | None) -> str:
    return _block(
        "python",
        "from recbole_decrs import load_data_and_model\n\n"
        "config, model, dataset, train_data, valid_data, test_data = load_data_and_model(\n"
        f"    {json.dumps(checkpoint, ensure_ascii=False)}\n)",
    )
