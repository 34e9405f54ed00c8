"""The pieces of a comparison that are to be made, and the loop that makes those that are missing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from recbole_decrs.errors import DecRSError


@dataclass
class Job:
    """Describes a piece that is to be made."""

    kind: str
    """``train`` or ``measure``."""
    name: str
    run: Callable[[], float]
    """Makes the piece; returns the seconds it took."""
    seconds: float | None
    """How long the piece took when it was made, perhaps in an earlier run; None where it is still to be made."""
    needed: bool
    """Whether nothing can be compared without the piece."""


def run_jobs(jobs: list[Job], show_progress: bool) -> dict[str, str]:
    """Make the pieces that are missing.

    Returns:
        Why some could not be made, by their names.

    Raises:
        DecRSError: one that is needed could not be made.
    """
    failed: dict[str, str] = {}
    seconds = {job.name + job.kind: job.seconds for job in jobs if job.seconds is not None}
    with tqdm(total=len(jobs), ncols=110, desc="Compare", disable=not show_progress, initial=len(seconds)) as bar:
        bar.bar_format = "{desc} {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} pieces [{elapsed}{postfix}]"
        for job in jobs:
            if job.seconds is not None:
                continue
            bar.set_postfix_str(f"{job.kind} {job.name}{_left(jobs, seconds)}")
            try:
                job.seconds = seconds[job.name + job.kind] = job.run()
            except DecRSError as error:
                if job.needed:
                    raise
                failed.setdefault(job.name, str(error))  # a model and its method may share a name
            bar.update()
        bar.set_postfix_str("done")
    return failed


def _left(jobs: list[Job], seconds: dict[str, float]) -> str:
    """Estimate how long the missing pieces take, by those of the same backbone and kind, else of the same kind."""
    made = [(job, seconds[job.name + job.kind]) for job in jobs if job.name + job.kind in seconds]
    total = 0.0
    for job in jobs:
        if job.name + job.kind in seconds:
            continue
        same = [(other, value) for other, value in made if other.kind == job.kind]
        backbone = job.name.partition("-")[0]
        alike = [value for other, value in same if other.name.partition("-")[0] == backbone]
        known = alike or [value for _, value in same]
        if not known:
            return ""
        total += float(np.mean(known))
    return f", about {total / 60:.0f} min left" if total >= 60 else f", about {total:.0f} s left"
