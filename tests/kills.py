"""Kills a run where it writes a checkpoint, for tests of what is left then."""

from recbole_decrs import single_trainer, trainer
from recbole_decrs.checkpoint_file import write_checkpoint


class Killed(BaseException):
    """Stands for SIGKILL: nothing that a program catches."""


def killed_at(monkeypatch, place, before):
    """Kill the process at its n-th write of a checkpoint, before or after the file is there."""
    count = 0

    def write(path, content):
        nonlocal count
        count += 1
        if count == place and before:
            raise Killed
        write_checkpoint(path, content)
        if count == place:
            raise Killed

    monkeypatch.setattr(single_trainer, "write_checkpoint", write)
    monkeypatch.setattr(trainer, "write_checkpoint", write)
