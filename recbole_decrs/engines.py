"""Starts joblib's engines that carry several processes, on this machine or on a cluster by Ray, Dask or Spark."""

from __future__ import annotations

import importlib.util
import multiprocessing
import os
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout

import torch
from joblib import Parallel, parallel_config
from joblib.externals.loky import get_reusable_executor
from joblib.externals.loky.process_executor import TerminatedWorkerError

from recbole_decrs.errors import DecRSError, did_you_mean, in_words, raised_by

ENGINES = {
    "loky": ("joblib", "joblib"),
    "ray": ("ray", "'ray[tune]'"),
    "dask": ("distributed", "'dask[distributed]'"),
    "spark": ("joblibspark", "joblibspark pyspark"),
}
"""Every engine: the module that it needs, and what pip is to install for it. loky is joblib's own, of one machine."""

SECONDS_BETWEEN_LOOKS = 0.5

SECONDS_AFTER_A_KILL = 1.0
"""How long, at most, a worker of this machine works on when the process that has started it was killed."""

_alone = threading.Lock()


def check_engine(engine: str) -> None:
    """See that an engine is known and installed.

    Raises:
        DecRSError: it is not.
    """
    if engine not in ENGINES:
        hint = did_you_mean(engine, ENGINES) or f"; take of {', '.join(ENGINES)}"
        raise DecRSError(f"engine: there is no engine {engine}{hint}")
    module, package = ENGINES[engine]
    if importlib.util.find_spec(module) is None:
        raise DecRSError(f"engine: {engine} needs {module}, which is not installed; pip install {package}")


@contextmanager
def workers_of(engine: str, number: int) -> Iterator[Parallel]:
    """Start workers, each a process, and stop them at the end of the block, at once where it ends by an exception.

    Ray, Dask and Spark take the cluster that the caller, or their own environment variable, has connected to
    (``RAY_ADDRESS``, ``DASK_SCHEDULER_ADDRESS``, ``SPARK_REMOTE``), and start workers on this machine without one.

    Args:
        engine: of :data:`ENGINES`.
        number: how many workers there are.

    Returns:
        joblib's Parallel, which takes a task from its iterable only when a worker is free.

    Raises:
        DecRSError: the engine cannot be started, or a worker has been killed.
    """
    with ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        # loky replaces a worker whose memory has grown, as by data that it has loaded, and goes on.
        warnings.filterwarnings("ignore", message="A worker stopped while some jobs were given to the executor")
        try:
            if engine in _STARTED:
                stack.enter_context(_STARTED[engine](number))
        except Exception as error:
            raise DecRSError(
                f"engine: {engine} cannot be started: {in_words(error)}; start it, or take --engine=loky"
            ) from error
        threads = {"inner_max_num_threads": 1} if engine == "loky" else {}
        stack.enter_context(parallel_config(engine, n_jobs=number, **threads))
        try:
            with Parallel(n_jobs=number, batch_size=1, pre_dispatch=number) as parallel:
                yield parallel
        except TerminatedWorkerError as error:
            raise DecRSError(
                f"workers: one of {number} was killed, as the system does where memory runs out; what is finished is "
                "kept, so give fewer --workers and the same command goes on"
            ) from error
        finally:
            if engine == "loky":
                # The one that joblib has started; without reuse, loky would wait for it and start another to stop.
                get_reusable_executor(reuse=True, kill_workers=True).shutdown(wait=True, kill_workers=True)


@contextmanager
def _local_ray(number: int) -> Iterator[None]:
    import ray
    from ray.util.joblib import register_ray

    register_ray()
    if ray.is_initialized():
        yield
        return
    local = {} if "RAY_ADDRESS" in os.environ else {"num_cpus": number, "include_dashboard": False}
    ray.init(log_to_driver=False, logging_level="ERROR", **local)
    try:
        yield
    finally:
        ray.shutdown()


@contextmanager
def _local_dask(number: int) -> Iterator[None]:
    import dask
    from dask.distributed import Client, get_client

    try:
        get_client()
    except ValueError:
        of_environment = dask.config.get("scheduler-address", None)
        local = {} if of_environment else {"n_workers": number, "threads_per_worker": 1, "dashboard_address": None}
        with Client(**local):
            yield
    else:
        yield


@contextmanager
def _local_spark(number: int) -> Iterator[None]:
    from joblibspark import register_spark

    register_spark()
    yield


def _end_with_starter() -> None:
    """Let this process, if it is a worker of loky's, end when the one that has started it was killed.

    loky's workers would finish their task, beside those of the command that is then typed again.
    """
    name = "ends with its starter"
    if not multiprocessing.current_process().name.startswith("LokyProcess") or any(
        thread.name == name for thread in threading.enumerate()
    ):
        return
    starter = os.getppid()

    def watch() -> None:
        while os.getppid() == starter:
            time.sleep(SECONDS_AFTER_A_KILL)
        os._exit(1)

    threading.Thread(target=watch, name=name, daemon=True).start()


_STARTED = {"ray": _local_ray, "dask": _local_dask, "spark": _local_spark}


@contextmanager
def at_work(folder: str) -> Iterator[None]:
    """Let this process work as a worker: in a folder, with one thread, one task at a time, and without a word.

    Args:
        folder: where the caller was started, to which its settings and the plugin's logs are relative.

    Raises:
        DecRSError: this machine does not have the folder.
    """
    _end_with_starter()
    with _alone, open(os.devnull, "w", encoding="utf-8") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever has started the workers stops them
        try:
            os.chdir(folder)
        except OSError as error:
            raise DecRSError(
                f"workers: a worker has no folder {folder} ({error.strerror}); all machines must share its disk"
            ) from error
        torch.set_num_threads(1)
        try:
            yield
        except Exception as error:
            error.raised_by = raised_by(error)  # its traceback stays in this process
            raise


@contextmanager
def watched(look: Callable[[], None]) -> Iterator[None]:
    """Look at what workers have left in files, again and again, until the end of the block."""
    stop = threading.Event()

    def look_on() -> None:
        while not stop.wait(SECONDS_BETWEEN_LOOKS):
            look()

    watcher = threading.Thread(target=look_on, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        stop.set()
        watcher.join()


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute with one thread, as workers do, whose numbers depend on it in the last digits."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
