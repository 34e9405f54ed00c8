"""Starts the processes of a run: those that ``nproc`` asks for, or none where torchrun has started them."""

from __future__ import annotations

import logging
import os
import pickle
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import multiprocessing
from torch.distributed import TCPStore
from torch.distributed.rendezvous import rendezvous

from recbole_decrs.distributed.group import FAILURE, FOREVER, LostProcess, Place, at_place, place
from recbole_decrs.distributed.settings import Layout
from recbole_decrs.errors import DecRSError, sentence_of

BY_TORCHRUN = "TORCHELASTIC_RUN_ID"
"""The variable of the environment by which a process knows that torchrun has started it."""
TIME_TO_END = 3
"""Seconds that processes have to notice that another one has ended, before they are ended."""


def is_started_by_torchrun() -> bool:
    """Tell if torchrun has started this process among others."""
    return BY_TORCHRUN in os.environ and int(os.environ.get("WORLD_SIZE", "1")) > 1


@contextmanager
def taken_place() -> Iterator[None]:
    """Take the place that torchrun gives this process, if it has started it and it has none.

    Raises:
        SystemExit: the block has failed after it has in another process, which has told it.
    """
    if place() is not None or not is_started_by_torchrun():
        yield
        return
    store, rank, size = next(rendezvous("env://", timeout=FOREVER))
    local = (int(os.environ[name]) for name in ("LOCAL_RANK", "LOCAL_WORLD_SIZE"))
    where = Place(rank, size, *local, store)
    try:
        with at_place(where):
            yield
    except Exception as error:
        if where.tell_failure(sentence_of(error)):
            raise
        raise SystemExit(2) from error


def launch(call: Callable[[], Any], layout: Layout) -> Any:
    """Call a function in processes of their own, and wait for them; the first that fails ends them all.

    Args:
        call: can be pickled; each process takes its place before it is called.
        layout: of the processes.

    Returns:
        what the function returns in the first process of this machine.

    Raises:
        DecRSError: a process has failed, with its sentence; or it was killed.
    """
    if is_started_by_torchrun():
        raise DecRSError("nproc: torchrun has started the processes; leave nproc and world_size out")
    try:
        store = TCPStore(layout.ip, layout.port, is_master=layout.group_offset == 0, wait_for_workers=False)
    except RuntimeError as error:
        raise DecRSError(
            f"ip, port: the processes cannot meet at {layout.ip}:{layout.port} ({' '.join(str(error).split())[:200]}); "
            "give another port, and the ip of the machine whose group_offset is 0"
        ) from error
    # Whoever sets OMP_NUM_THREADS means each process.
    threads = None if "OMP_NUM_THREADS" in os.environ else max(1, torch.get_num_threads() // layout.nproc)
    results = multiprocessing.get_context("spawn").SimpleQueue()
    logging.getLogger("torch.multiprocessing.spawn").setLevel(logging.ERROR)  # it tells whom it ends
    try:
        started = multiprocessing.start_processes(
            _work, (call, layout, store.port, threads, results), layout.nproc, join=False, start_method="spawn"
        )
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise DecRSError(
            f"nproc: other processes cannot be handed these settings ({error}); define the classes among them at the "
            "top of a module"
        ) from error
    return _result_of(started, store, results, layout)


def _result_of(started, store: TCPStore, results, layout: Layout) -> Any:
    found = []
    try:
        while not started.join(timeout=0.1, grace_period=TIME_TO_END):
            if not results.empty():
                found.append(results.get())
    except multiprocessing.ProcessExitedException as error:
        if store.check([FAILURE]):
            raise DecRSError(store.get(FAILURE).decode()) from error
        raise _killed(started.processes, layout) from error
    finally:
        for process in started.processes:
            if process.is_alive():
                process.terminate()
    if not found and results.empty():
        raise LostProcess
    return pickle.loads(found[0] if found else results.get())


def _killed(processes, layout: Layout) -> DecRSError:
    """Say which process has ended first without a word.

    Those that this one has ended had a SIGTERM, and gloo may abort one whose neighbour has gone.
    """
    codes = [process.exitcode for process in processes]
    ended = [code for code in codes if code is not None and code < 0]
    if not ended:
        return LostProcess()
    first = min(ended, key=lambda code: (code == -signal.SIGTERM, code == -signal.SIGABRT))
    number = codes.index(first)
    return DecRSError(
        f"process {layout.group_offset + number} of {layout.world_size} was ended by {signal.Signals(-first).name} "
        "(by somebody, or for want of memory), and the run with it; the same command with --resume=auto goes on from "
        "the last epoch"
    )


def _work(local_rank: int, call: Callable[[], Any], layout: Layout, port: int, threads: int | None, results) -> None:
    """Take a place and call the function; the first process of the machine hands its result over."""
    if threads is not None:
        torch.set_num_threads(threads)
    store = TCPStore(layout.ip, port, is_master=False, timeout=FOREVER)
    where = Place(layout.group_offset + local_rank, layout.world_size, local_rank, layout.nproc, store)
    try:
        with at_place(where):
            result = call()
        if local_rank == 0:
            results.put(pickle.dumps(result))  # whole: a tensor would be fetched when this process has ended
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        if sys.flags.dev_mode:
            traceback.print_exc()
        if not isinstance(error, LostProcess):
            where.tell_failure(sentence_of(error))
        sys.exit(2)
