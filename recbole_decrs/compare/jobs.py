"""Makes the pieces of a comparison that are missing, one by one."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from recbole_decrs.compare.job import Job
from recbole_decrs.compare.progress import Progress
from recbole_decrs.compare.wanted import Tell
from recbole_decrs.errors import DecRSError

Make = Callable[[Job, Tell], float]
"""Makes a piece and returns the seconds it took; a training tells of its epochs."""


def run_jobs(jobs: list[Job], make: Make, progress: Progress) -> dict[str, str]:
    """Make the pieces that are missing, in their order.

    Args:
        jobs: the pieces; ``seconds`` is set of those that are made.
        make: makes one.
        progress: is told what goes on.

    Returns:
        Why some could not be made, by their names.

    Raises:
        DecRSError: one that is needed could not be made.
    """
    failed: dict[str, str] = {}
    for job in jobs:
        if job.seconds is not None:
            continue
        progress.begin(job.key)
        try:
            job.seconds = make(job, partial(progress.at_epoch, job.key))
        except DecRSError as error:
            if job.needed:
                raise
            failed.setdefault(job.name, str(error))  # a model and its method may share a name
        progress.end(job.key, job.seconds)
    return failed
