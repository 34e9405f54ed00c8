"""Makes the pieces of a comparison in several processes, on this machine or on others that share its disk."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field

from joblib import delayed

from recbole_decrs.compare.configurations import Configurations
from recbole_decrs.compare.data_cache import DataCache
from recbole_decrs.compare.experiment import Experiment
from recbole_decrs.compare.job import Job
from recbole_decrs.compare.jobs import attempt, settle
from recbole_decrs.compare.method import Method
from recbole_decrs.compare.methods import METHODS, OF_THE_PACKAGE
from recbole_decrs.compare.notices import Note, Notices
from recbole_decrs.compare.pieces import Pieces
from recbole_decrs.compare.progress import Progress
from recbole_decrs.engines import at_work, watched, workers_of
from recbole_decrs.log import RunLog, quiet_libraries
from recbole_decrs.ones_own import OnesOwn


@dataclass(frozen=True)
class Recipe:
    """Holds all that a worker needs to make pieces as the process that has started it would."""

    configure: Configurations
    pieces: str
    """The folder of the pieces."""
    fingerprints: dict[str, str]
    """Those of the data, so that a worker reads no data for their fingerprint alone."""
    own: OnesOwn = field(default_factory=OnesOwn.here)
    methods: dict[str, Method] = field(
        default_factory=lambda: {name: one for name, one in METHODS.items() if name not in OF_THE_PACKAGE}
    )
    here: str = field(default_factory=os.getcwd)
    run: str = field(default_factory=lambda: uuid.uuid4().hex)
    """Tells the comparison from others that the same worker may serve."""


class _Workshop:
    """Keeps the data and the experiments of a comparison in a worker, from one piece to the next."""

    def __init__(self, recipe: Recipe) -> None:
        self.recipe, self.cache = recipe, DataCache(recipe.fingerprints)
        self.experiments: dict[tuple[str, int], Experiment] = {}
        recipe.own.enter()
        METHODS.update(recipe.methods)

    def experiment(self, backbone: str, seed: int) -> Experiment:
        """Make the experiment of a backbone and a seed, or give the one of before."""
        if (backbone, seed) not in self.experiments:
            pieces = Pieces(self.recipe.pieces)
            self.experiments = {  # the last one alone: an experiment keeps candidates of all users
                (backbone, seed): Experiment(backbone, seed, self.recipe.configure, pieces, self.cache)
            }
        return self.experiments[backbone, seed]


_workshops: dict[str, _Workshop] = {}


def make_here(recipe: Recipe, job: Job) -> float | str:
    """Attempt a piece in this process, a worker, and leave notes of how far it is.

    Returns:
        What :func:`~recbole_decrs.compare.jobs.attempt` does.
    """
    with at_work(recipe.here), quiet_libraries(), RunLog(console=False):
        notices = Notices(recipe.pieces)
        notices.write(Note(job.key))
        if recipe.run not in _workshops:
            _workshops.clear()
            _workshops[recipe.run] = _Workshop(recipe)
        experiment = _workshops[recipe.run].experiment(job.backbone, job.seed)

        def tell(epoch: int, epochs: int, seconds: float) -> None:
            notices.write(Note(job.key, epoch, epochs, seconds))

        result = attempt(job, experiment.make, tell)
        notices.write(Note(job.key, seconds=None if isinstance(result, str) else result, ended=True))
        return result


def run_in_workers(jobs: list[Job], recipe: Recipe, workers: int, engine: str, progress: Progress) -> dict[str, str]:
    """Make the pieces that are missing in several processes: trainings first, and what is measured after its trainings.

    Args:
        jobs: the pieces; ``seconds`` is set of those that are made.
        recipe: what a worker needs.
        workers: how many there are.
        engine: what carries them, of :data:`~recbole_decrs.engines.ENGINES`.
        progress: is told what goes on.

    Returns:
        Why some could not be made, by their names.

    Raises:
        DecRSError: one that is needed could not be made, or a worker has been killed.
    """
    failed: dict[str, str] = {}
    missing = [job for job in jobs if job.seconds is None]
    if not missing:
        return failed
    notices = Notices(recipe.pieces)
    watching = watched(lambda: progress.read(notices.read()))
    with notices.opened(), watching, workers_of(engine, workers) as parallel:
        # The second time there are at most measurements that were not ready when a worker was free.
        while missing:
            taken: list[Job] = []
            results = parallel(delayed(make_here)(recipe, job) for job in _ready(missing, notices, taken))
            for job, result in zip(taken, results, strict=True):
                settle(job, result, failed, progress)
            missing = [job for job in missing if job not in taken]
    return failed


def _ready(missing: list[Job], notices: Notices, taken: list[Job]) -> Iterator[Job]:
    """Give the trainings, then measurements whose trainings have ended, as long as there are such, and note them."""
    trainings = [job for job in missing if job.kind == "train"]
    measurements = [job for job in missing if job.kind != "train"]
    for job in trainings:
        taken.append(job)
        yield job
    open_ones = {job.key for job in trainings}
    while measurements:
        open_ones -= {note.key for note in notices.read() if note.ended}
        job = next((job for job in measurements if open_ones.isdisjoint(job.needs)), None)
        if job is None:
            return
        measurements.remove(job)
        taken.append(job)
        yield job
