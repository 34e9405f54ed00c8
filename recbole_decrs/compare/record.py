"""Writes the record of a comparison, ``run.json``: everything that its tables were made with."""

from __future__ import annotations

import json
from logging import getLogger
from pathlib import Path
from typing import Any

import numpy as np

from recbole_decrs.compare.job import Job
from recbole_decrs.compare.results import Results
from recbole_decrs.config import DecRSConfig
from recbole_decrs.errors import DecRSError
from recbole_decrs.versions import versions

MACHINE_DEPENDENT = ("data_path", "checkpoint_dir")


def record_of(
    results: Results,
    configs: dict[str, DecRSConfig],
    jobs: list[Job],
    pieces: list[str],
    left_out: dict[str, str],
    command: str | None,
) -> dict[str, Any]:
    """Make the record of a comparison.

    Args:
        results: the results.
        configs: the configuration of each backbone.
        jobs: the pieces, with the seconds that they took.
        pieces: names of the files with the measurements; those of other settings may lie beside them.
        left_out: methods and models that are missing, and why.
        command: what was typed.
    """
    threads = sorted({number for outcome in results.outcomes.values() for number in outcome.info["threads"]})
    return {
        "command": command,
        "seeds": results.seeds,
        "methods": results.methods,
        "lists": list(results.lists),
        "left_out": left_out,
        "pieces": pieces,
        "threads": threads[0] if len(threads) == 1 else threads,
        "versions": versions(),
        "costs": {
            backbone: costs_of([job for job in jobs if job.backbone == backbone]) for backbone in results.methods
        },
        "seconds": {f"{job.kind} {job.name}": round(job.seconds, 2) for job in jobs if job.seconds is not None},
        "config": {
            backbone: {key: value for key, value in configs[backbone].settings.items() if key not in MACHINE_DEPENDENT}
            for backbone in results.methods
        },
    }


def costs_of(jobs: list[Job]) -> dict[str, dict[str, float]]:
    """Sum up what each method costs with one seed, as a mean over the seeds.

    Args:
        jobs: the pieces over one backbone; those without seconds were not made.

    Returns:
        By method: ``training``, the seconds of all trainings that it needs; ``measuring``, the seconds of choosing and
        ranking; ``models``, how many are trained. Methods of which a training is not known are left out.
    """
    trained = {job.key: job.seconds for job in jobs if job.kind == "train" and job.seconds is not None}
    costs: dict[str, list[tuple[float, float, float]]] = {}
    for job in jobs:
        if job.kind == "measure" and job.seconds is not None and trained.keys() >= set(job.needs):
            found = sum(trained[key] for key in job.needs), job.seconds, float(len(job.needs))
            costs.setdefault(job.subject, []).append(found)
    means = {method: np.mean(found, axis=0).round(2).tolist() for method, found in costs.items()}
    return {method: dict(zip(("training", "measuring", "models"), mean, strict=True)) for method, mean in means.items()}


def check_nothing_is_lost(folder: Path, methods: dict[str, list[str]], seeds: list[int], lists: list[str]) -> None:
    """See that everything in the tables of an earlier comparison in this folder will be in the new ones.

    Args:
        folder: where the tables are written.
        methods: names of methods by backbone.
        seeds: the seeds.
        lists: names of ranking lists made elsewhere.

    Raises:
        DecRSError: something would be missing.
    """
    try:
        record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        had = [(backbone, name) for backbone, names in record["methods"].items() for name in names]
        had_seeds, had_lists = list(record["seeds"]), list(record.get("lists", ()))
    except FileNotFoundError:
        return
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        getLogger().warning(
            f"{folder / 'run.json'} cannot be read as a record: whether tables lose rows is not checked"
        )
        return
    lost = [backbone for backbone, _ in had if backbone not in methods]
    lost += [f"{name} of {backbone}" for backbone, name in had if name not in methods.get(backbone, [name])]
    lost += [f"seed {seed}" for seed in had_seeds if seed not in seeds]
    lost += [f"the list {name}" for name in had_lists if name not in lists]
    if lost:
        raise DecRSError(
            f"output: the tables in {folder} have {', '.join(dict.fromkeys(lost))} (run.json), which this call would "
            "take out of them; give another --output, or the backbones, methods, seeds and lists of before as well"
        )
