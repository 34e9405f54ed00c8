"""Shows how far a comparison is, and about how long the rest takes."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterable, Sequence

import numpy as np
from tqdm import tqdm

from recbole_decrs.compare.job import Job
from recbole_decrs.compare.notices import Note

SECONDS_OF_A_LINE = 60


class Progress:
    """Shows a bar of the pieces of a comparison, with the epochs of what is being trained and an estimate.

    Args:
        jobs: the pieces.
        workers: how many of them are made at a time.
        show: False to show no bar.
        lines: True to write a line once a minute at most in the place of the bar, as into a file.
    """

    def __init__(self, jobs: Sequence[Job], workers: int = 1, show: bool = False, lines: bool = False) -> None:
        self.lines, self.last_line = lines, -math.inf
        self.jobs = {job.key: job for job in jobs}
        self.workers = workers
        self.seconds = {job.key: job.seconds for job in jobs if job.seconds is not None}
        self.failed: set[str] = set()
        self.running: dict[str, tuple[int, int, float]] = {}
        self.bar = tqdm(
            total=len(self.jobs), ncols=110, desc="Compare", disable=not show, initial=len(self.seconds), leave=True
        )
        self.bar.bar_format = "{desc} {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} pieces [{elapsed}{postfix}]"

    def begin(self, key: str) -> None:
        """Show that a piece is being made."""
        self.at_epoch(key, 0, 0, 0.0)

    def at_epoch(self, key: str, epoch: int, epochs: int, seconds: float) -> None:
        """Show how many epochs a training has had, of how many at most, in how many seconds."""
        self.running[key] = (epoch, epochs, seconds)
        self._show()

    def end(self, key: str, seconds: float | None) -> None:
        """Show that a piece is made, or could not be made where no seconds are given."""
        self.running.pop(key, None)
        if key in self.seconds or key in self.failed:
            return
        if seconds is None:
            self.failed.add(key)
        else:
            self.seconds[key] = seconds
        self.bar.update()
        self._show()
        if self.lines and time.monotonic() - self.last_line >= SECONDS_OF_A_LINE:
            self.last_line = time.monotonic()
            made = len(self.seconds) + len(self.failed)
            print(f"{made} of {len(self.jobs)} pieces are made{self.left()}", file=sys.stderr, flush=True)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, kind: type | None, *exception: object) -> None:
        """Leave the bar as it is; where all is done, it says so."""
        if kind is None:
            self.bar.set_postfix_str("done")
        self.bar.close()

    def read(self, notes: Iterable[Note]) -> None:
        """Show what workers have left notes of."""
        for note in notes:
            if note.ended:
                self.end(note.key, note.seconds)
            elif note.key not in self.seconds:
                self.at_epoch(note.key, note.epoch, note.epochs, note.seconds)

    def _show(self) -> None:
        # Of several pieces, the one that was begun first is named.
        key, (epoch, epochs, _) = next(iter(self.running.items()), ("", (0, 0, 0.0)))
        at = f", epoch {epoch} of {epochs}" if epoch else ""
        more = f" and {len(self.running) - 1} more" if len(self.running) > 1 else ""
        self.bar.set_postfix_str(f"{key}{at}{more}{self.left()}")

    def left(self) -> str:
        """Say about how long the missing pieces take; nothing where no piece has been made that is like one of them."""
        missing = [job for key, job in self.jobs.items() if key not in self.seconds and key not in self.failed]
        expected = [self.expected(job) for job in missing]
        known = [seconds for seconds in expected if seconds is not None]
        if not known:
            return ""
        total = sum(known) / min(self.workers, len(known))
        about = "about" if len(known) == len(expected) else "more than"
        return f", {about} {in_words(total)} left"

    def expected(self, job: Job) -> float | None:
        """Estimate the seconds that a missing piece still takes; None where nothing like it has been made.

        It takes as long as the finished pieces of the same model or method, else of the same backbone, else of its
        kind. A training that runs goes on at least for one epoch more; with none to compare it to, it has all epochs.
        """
        epoch, epochs, so_far = self.running.get(job.key, (0, 0, 0.0))
        usual = self._usual(job)
        if not epoch:
            return usual
        of_an_epoch = so_far / epoch
        if usual is None:
            return of_an_epoch * (epochs - epoch)
        return max(usual - so_far, of_an_epoch if epoch < epochs else 0.0)

    def _usual(self, job: Job) -> float | None:
        made = [(self.jobs[key], seconds) for key, seconds in list(self.seconds.items())]
        for alike in (("kind", "backbone", "subject"), ("kind", "backbone"), ("kind",)):
            same = [s for other, s in made if all(getattr(other, field) == getattr(job, field) for field in alike)]
            if same:
                return float(np.mean(same))
        return None


def in_words(seconds: float) -> str:
    """Write a time roughly: ``40 s``, ``12 min`` or ``3.5 h``."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def listing(jobs: Sequence[Job], workers: int) -> str:
    """List the pieces of a comparison: whether each is done, and about how long it has taken or is to take.

    Args:
        jobs: the pieces.
        workers: how many are made at a time.
    """
    progress = Progress(jobs, workers)
    lines = []
    for job in jobs:
        seconds = progress.expected(job) if job.seconds is None else job.seconds
        state, about = ("to do", "about ") if job.seconds is None else ("done ", "")
        lines.append(f"{state}  {job.key}  {'?' if seconds is None else about + in_words(seconds)}")
    missing = len(jobs) - len(progress.seconds)
    of_workers = f" by {workers} workers" if workers > 1 else ""
    lines.append(f"{missing} of {len(jobs)} pieces are to be made{progress.left()}{of_workers if missing else ''}")
    return "\n".join(lines)
