"""Measures wall time, CPU time and peak memory of the stages of a run, by going over the functions that are stages."""

from __future__ import annotations

import functools
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType


class Stages:
    """Charges time to the stage that was entered last and has not been left; the peak of memory starts anew with each.

    Attributes:
        spent: wall seconds, CPU seconds and peak memory [GiB] by stage, in the order of their first entries; what is of
            no stage, such as imports and the making of models, is ``the rest``.
    """

    def __init__(self) -> None:
        self.spent: dict[str, list[float]] = {}
        self._open = ["the rest"]
        self._since = time.perf_counter(), time.process_time()
        peak_memory()

    def charge(self) -> None:
        """Charge what was spent since the last call to the stage that is open."""
        wall, cpu = time.perf_counter(), time.process_time()
        spent = self.spent.setdefault(self._open[-1], [0.0, 0.0, 0.0])
        spent[0] += wall - self._since[0]
        spent[1] += cpu - self._since[1]
        spent[2] = max(spent[2], peak_memory())
        self._since = wall, cpu

    def measured(self, stage: str, function: Callable) -> Callable:
        """Wrap a function so that its calls are charged to a stage; ``{half}`` in its name is that of the trainer."""

        @functools.wraps(function)
        def wrapper(*args, **kwargs):
            self.charge()
            self._open.append(stage.format(half=getattr(args[0], "half", None)) if args else stage)
            try:
                return function(*args, **kwargs)
            finally:
                self.charge()
                self._open.pop()

        return wrapper

    def go_over(self, stage: str, owner: type | ModuleType, name: str) -> None:
        """Measure a method of a class, or a function wherever the package has imported it."""
        function = getattr(owner, name)
        wrapper = self.measured(stage, function)
        places = [owner] if isinstance(owner, type) else [sys.modules[key] for key in sorted(sys.modules)]
        for place in places:
            if place is owner or (place.__name__.startswith("recbole_decrs") and vars(place).get(name) is function):
                setattr(place, name, wrapper)

    def table(self) -> str:
        """Give the stages as the rows of a Markdown table, with their sum."""
        self.charge()
        walls, cpus, peaks = zip(*self.spent.values(), strict=True)
        rows = [*self.spent.items(), ("together", [sum(walls), sum(cpus), max(peaks)])]
        return "\n".join(f"| {name} | {wall:.1f} | {cpu:.1f} | {peak:.2f} |" for name, (wall, cpu, peak) in rows)


def peak_memory() -> float:
    """Read the most memory [GiB] that this process has held since the last call; where Linux is not there, ever."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 2**20
