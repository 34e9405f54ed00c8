"""Records a run as plain data: all that one must know to judge its result, or to make it again."""

from __future__ import annotations

import math
import os
from datetime import datetime
from typing import Any

from recbole.evaluator import smaller_metrics

from recbole_decrs.data.user_groups import DRIFT
from recbole_decrs.making import Data
from recbole_decrs.plain_values import as_plain
from recbole_decrs.versions import versions

FORMAT = "recbole_decrs run 1"
"""The value of ``format`` in every record, by which it is told from other files."""
NAMES_KEPT = 50
"""How many names of groups a record has; there may be many thousands."""
RESULTS = (
    "valid_score_bigger",
    "best_valid_score",
    "best_valid_result",
    "test_result",
    "conventional_test_result",
    "deconfounded_test_result",
    "drift_alpha",
)
"""The parts of a result that go into the record as they are, under RecBole's names where RecBole has them."""


def record_of_run(
    config, data: Data, result: dict[str, Any], seconds: float, command: str | None = None
) -> dict[str, Any]:
    """Make the record of a run that has ended.

    Args:
        config: the configuration.
        data: the dataset and its parts.
        result: as ``run_recbole_decrs`` returns it, with the files that the run writes.
        seconds: how long it took.
        command: what was typed; None where the run was called from Python.

    Returns:
        Plain data: ``settings`` are those that the user has changed, ``config`` are all; ``by_drift`` is a list with
        an entry for each threshold, and ``by_group`` one with an entry for each group where ``user_groups`` is not
        ``drift``; ``smaller_is_better`` names metrics. A metric that has no value is None.
    """
    by_drift = [{"above": threshold, **group} for threshold, group in result["by_drift"].items()]
    others = {} if config["user_groups"] == DRIFT else result["by_group"]
    record = {
        "format": FORMAT,
        "model": config["model"],
        "dataset": config["dataset"],
        "seed": config["seed"],
        "command": command,
        "finished": datetime.now().astimezone().isoformat(timespec="seconds"),
        "seconds": round(seconds, 2),
        "settings": changed_settings(config),
        "data": _facts_of(config, data),
        **{key: result[key] for key in RESULTS if key in result},
        "smaller_is_better": sorted(
            {metric.partition("@")[0] for metric in result["test_result"]} & set(smaller_metrics)
        ),
        "by_drift": by_drift,
        "by_group": [{"group": name, **group} for name, group in others.items()],
        "files": dict(result["files"]),
        "versions": versions(),
        "config": config.settings,
    }
    return _without_infinities(as_plain(record))


def changed_settings(config) -> dict[str, Any]:
    """List the settings that are not the defaults of their model and dataset, which somebody has chosen, by key."""
    given, defaults = config.external_config_dict, as_plain(config.internal_config_dict)
    settings = config.settings
    chosen = (key for key in given if key in settings and key not in ("model", "dataset"))
    return {key: settings[key] for key in chosen if settings[key] != defaults.get(key)}


def _facts_of(config, data: Data) -> dict[str, Any]:
    """Tell the files of the dataset, its sizes once filtered, the parts of its split, and its groups."""
    folder, name = config["data_path"], config["dataset"]
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    parts = {"train": data.train, "valid": data.valid, "test": data.test}
    confounder = data.part.confounder
    facts = {
        "files": {file: os.path.getsize(os.path.join(folder, file)) for file in names if file.startswith(f"{name}.")},
        "users": data.dataset.user_num - 1,
        "items": data.dataset.item_num - 1,
        "clicks": data.dataset.inter_num,
        "parts": {part: len(loader._dataset) if loader else 0 for part, loader in parts.items()},
        "eval_args": config["eval_args"],
        "fingerprint": data.part.fingerprint,
    }
    if confounder is not None:
        known = list(map(str, confounder.group_names))
        facts["groups"] = {"field": config["group_field"], "number": len(known), "names": known[:NAMES_KEPT]}
    return facts


def _without_infinities(value: Any) -> Any:
    """Put None in the place of numbers that JSON does not have."""
    if isinstance(value, dict):
        return {str(key): _without_infinities(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_infinities(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
