"""The pieces of a comparison that are to be made, and the loop that makes those that are missing, one by one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from recbole_decrs.compare.progress import Progress
from recbole_decrs.compare.wanted import Tell, Wanted
from recbole_decrs.errors import DecRSError


@dataclass
class Job:
    """Describes a piece that is to be made, in plain data, so that another process can make it."""

    kind: str
    """``train`` or ``measure``."""
    name: str
    backbone: str
    seed: int
    subject: str
    """The class of the model, or the name of the method: pieces that have it in common take about as long."""
    wanted: Wanted | None
    """The model that is to be trained; None where a method is to be measured."""
    needs: tuple[str, ...]
    """The keys of the trainings that come before it."""
    seconds: float | None
    """How long the piece took when it was made, perhaps in an earlier run; None where it is still to be made."""
    needed: bool
    """Whether nothing can be compared without the piece."""

    @property
    def key(self) -> str:
        """Tell the piece from all others: a model and its method may share a name."""
        return f"{self.kind} {self.name}"


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
