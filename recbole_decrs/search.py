"""Runs the trials of a hyper-parameter search in several processes, and keeps each as it ends."""

from __future__ import annotations

import json
import os
from logging import getLogger
from pathlib import Path
from typing import Any

from joblib import delayed
from recbole.trainer import HyperTuning
from recbole.utils import dict2str
from tqdm import tqdm

from recbole_decrs.config import DecRSConfig
from recbole_decrs.digest import digest_of
from recbole_decrs.engines import at_work, watched, workers_of
from recbole_decrs.errors import DecRSError
from recbole_decrs.key_facts import CHANGE_NO_NUMBER
from recbole_decrs.log import RunLog
from recbole_decrs.ones_own import OnesOwn
from recbole_decrs.plain_values import as_plain
from recbole_decrs.quick_start import objective_function

Line = dict[str, Any]
"""A trial that has ended, as its line of the file holds it: ``trial``, which tells it from others, ``params``, and what
``objective_function`` returns, or ``error``."""


def search_in_workers(
    trials: list[dict[str, Any]],
    files: list[str],
    fixed: dict[str, Any],
    workers: int,
    engine: str,
    output_file: str,
) -> dict[str, Any]:
    """Run the trials that have not ended in an earlier call, print the best, and write the results of all.

    Args:
        trials: settings by key.
        files: config files of every trial.
        fixed: settings of every trial, over the files.
        workers: how many trials are run at a time.
        engine: what carries the workers, of :data:`~recbole_decrs.engines.ENGINES`.
        output_file: the path for the results of all trials, as RecBole writes them; with ``.jsonl`` behind it, the file
            to which each trial adds a line as it ends.

    Returns:
        the settings of the best trial.

    Raises:
        DecRSError: the file cannot be read, or all trials fail.
    """
    path = Path(f"{os.path.abspath(output_file)}.jsonl")
    wanted = {_name_of({**fixed, **trial}, files): trial for trial in trials}
    done = {name for name, line in _ended(path, wanted).items() if "error" not in line}  # which may be mended by now
    missing = {name: trial for name, trial in wanted.items() if name not in done}
    if missing:
        with tqdm(total=len(wanted), initial=len(done), desc="Tune", ncols=100, disable=None) as bar:

            def look() -> None:
                bar.update(max(len(_ended(path, wanted)) - bar.n, 0))

            here, own = os.getcwd(), OnesOwn.here()
            with watched(look), workers_of(engine, workers) as parallel:
                tasks = ((name, trial, {**fixed, **trial}) for name, trial in missing.items())
                parallel(delayed(_try_here)(here, own, files, str(path), *task) for task in tasks)
            look()
    lines = _ended(path, wanted)
    failed = [line for line in lines.values() if "error" in line]
    with RunLog():
        for line in failed:
            getLogger().warning(f"{HyperTuning.params2str(line['params'])} failed: {line['error']}")
    tried = [line for name in wanted if "error" not in (line := lines[name])]
    if not tried:
        raise DecRSError(f"every trial failed, the first with: {failed[0]['error']}")
    best = (max if tried[0]["valid_score_bigger"] else min)(tried, key=lambda line: line["best_valid_score"])
    rows = (f"{HyperTuning.params2str(line['params'])}\n{_results(line)}\n\n" for line in tried)
    Path(output_file).write_text("".join(rows), "utf-8")
    print("best params: ", best["params"])
    print("best result: ")
    print(_results(best))
    return best["params"]


def _name_of(settings: dict[str, Any], files: list[str]) -> str:
    """Name a trial by everything that its numbers depend on, but for the data."""
    config = DecRSConfig(config_file_list=files, config_dict=settings).settings
    return digest_of({key: value for key, value in config.items() if key not in CHANGE_NO_NUMBER})[:16]


def _ended(path: Path, wanted: dict[str, Any]) -> dict[str, Line]:
    """Read the trials that have ended, of those that are wanted; a line that a kill has cut off is passed over.

    Where a trial has failed and was run again, its last line counts.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    ended: dict[str, Line] = {}
    for row in text.splitlines():
        try:
            line = json.loads(row)
            name, _ = line["trial"], line["params"]
        except (ValueError, LookupError, TypeError):
            continue
        if name in wanted:
            ended[name] = line
    return ended


def _try_here(
    here: str, own: OnesOwn, files: list[str], path: str, name: str, trial: dict[str, Any], settings: dict[str, Any]
) -> None:
    """Run a trial in this process, a worker, and add its line."""
    with at_work(here):
        own.enter()
        line: Line = {"trial": name, "params": trial}
        try:
            line |= objective_function(settings, files)
        except DecRSError as error:
            line["error"] = str(error)
        # One write, after whatever a kill has cut off: lines of several workers do not mix.
        with open(path, "a", encoding="utf-8") as file:
            file.write(f"\n{json.dumps(as_plain(line))}\n")


def _results(line: Line) -> str:
    return f"Valid result:\n{dict2str(line['best_valid_result'])}\nTest result:\n{dict2str(line['test_result'])}"
