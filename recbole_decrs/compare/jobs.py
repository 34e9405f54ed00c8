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
        settle(job, attempt(job, make, partial(progress.at_epoch, job.key)), failed, progress)
    return failed


def attempt(job: Job, make: Make, tell: Tell) -> float | str:
    """Make a piece.

    Returns:
        The seconds it took, or the sentence that says why it could not be made.

    Raises:
        DecRSError: it could not be made, and is needed.
    """
    try:
        return make(job, tell)
    except DecRSError as error:
        if job.needed:
            raise
        return str(error)


def settle(job: Job, result: float | str, failed: dict[str, str], progress: Progress) -> None:
    """Note what has come of a piece: in the job, among those that failed, and in what is shown."""
    if isinstance(result, str):
        failed.setdefault(job.name, result)  # a model and its method may share a name
    else:
        job.seconds = result
    progress.end(job.key, job.seconds)
