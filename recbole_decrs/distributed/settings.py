"""Reads how many processes a run has and where, and fits the other keys to each of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from recbole_decrs.distributed.group import is_first, place
from recbole_decrs.errors import DecRSError


@dataclass(frozen=True)
class Layout:
    """Holds RecBole's keys of several processes: how many, where, and where they find each other."""

    nproc: int = 1
    """How many processes this machine starts."""
    world_size: int = 1
    """How many there are on all machines."""
    group_offset: int = 0
    """How many there are on the machines before this one."""
    ip: str = "localhost"
    """The machine that starts the first process."""
    port: int = 0
    """Of that machine, by which they find each other; 0 for any that is free."""

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Layout:
        """Read the keys ``nproc``, ``world_size``, ``group_offset``, ``ip`` and ``port``, numbers or typed text.

        Raises:
            DecRSError: one is no number, or they do not go together.
        """
        numbers = {
            key: _whole_number(key, settings.get(key), least)
            for key, least in (("nproc", 1), ("world_size", -1), ("group_offset", 0), ("port", 0))
        }
        nproc, world_size, offset = numbers["nproc"] or 1, numbers["world_size"], numbers["group_offset"]
        ip, port = settings.get("ip"), numbers["port"]
        if world_size is None or world_size <= 0 or (world_size == nproc and not offset):
            if offset:
                raise DecRSError("group_offset: goes with world_size, the number of processes of all machines; add it")
            return cls(nproc, nproc, 0, str(ip or "localhost"), port or 0)
        if None in (numbers["nproc"], offset, ip, port):
            raise DecRSError(
                f"world_size: {world_size} processes on several machines need nproc, group_offset, ip and port on each "
                "of them; for one machine give nproc alone"
            )
        if offset + nproc > world_size:
            raise DecRSError(
                f"world_size: {world_size} are fewer than group_offset {offset} and nproc {nproc} together; raise it"
            )
        return cls(nproc, world_size, offset, str(ip), port)


def _whole_number(key: str, value: Any, least: int) -> int | None:
    if value is None:
        return None
    try:
        number = int(str(value))
    except ValueError:
        number = least - 1
    if number < least:
        raise DecRSError(f"{key} must be a whole number >= {least}, not {value}")
    return number


def fit_to_place(final: dict[str, Any], given: Mapping[str, Any]) -> None:
    """Fit the settings of a run to the place of this process: the first of several alone shows and writes.

    Args:
        final: all settings by key, which are changed.
        given: those of the user.

    Raises:
        DecRSError: the keys ask for several processes where one makes a configuration, in ``compare`` for example.
    """
    here = place()
    if "local_rank" in final:
        raise DecRSError("local_rank: follows from nproc; leave it out")
    if here is None and Layout.of(final).world_size > 1:
        raise DecRSError(
            "nproc: several processes train a single run; give it to the command run, or in config_dict, and not in a "
            "config file or to another command"
        )
    if here is not None and "gpu_id" not in given:
        final["gpu_id"] = ",".join(map(str, range(here.local_size)))
    if not is_first():
        final |= {"show_progress": False, "save_dataset": False, "save_dataloaders": False, "log_wandb": False}


def own_device(device: torch.device) -> torch.device:
    """Name the device of this process, where RecBole has chosen among the processor and the GPUs.

    Raises:
        DecRSError: this machine has fewer GPUs than processes.
    """
    here = place()
    if here is None or device.type != "cuda":
        return device
    n_gpus = torch.cuda.device_count()
    if n_gpus < here.local_size:
        raise DecRSError(
            f"gpu_id: there are {n_gpus} GPUs for {here.local_size} processes, and each needs its own; name as many, "
            "lower nproc, or set use_gpu: False"
        )
    return torch.device("cuda", here.local_rank)
