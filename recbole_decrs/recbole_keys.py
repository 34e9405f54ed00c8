"""Lists RecBole's own configuration keys, with what the program must know of some of them."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import recbole
import yaml
from recbole.utils.argument_list import (
    dataset_arguments,
    evaluation_arguments,
    general_arguments,
    training_arguments,
)

from recbole_decrs.recbole_checks import RECBOLES_CHECKS

READ_KEY = r"""config\[["'](\w+)["']\]"""
"""How Python code reads a key."""
LISTED = frozenset((*general_arguments, *training_arguments, *evaluation_arguments, *dataset_arguments))
"""The keys that RecBole lists, before the plugin adds its own to one of the lists."""
OF_SEVERAL_PROCESSES = ("nproc", "world_size", "ip", "port", "group_offset")
"""The keys by which RecBole starts a run in several processes."""
CHANGE_NO_NUMBER = frozenset(
    {
        "show_progress",
        "state",
        "data_path",
        "checkpoint_dir",
        "gpu_id",
        "use_gpu",
        "log_wandb",
        "wandb_project",
        *OF_SEVERAL_PROCESSES,
    }
)
"""RecBole's keys that change no number. ``worker`` does: each process of a loader draws numbers of its own."""
NOT_KEPT_IN_CHECKPOINTS = frozenset(
    {
        "data_path",
        "checkpoint_dir",
        "save_dataset",
        "save_dataloaders",
        "dataset_save_path",
        "dataloaders_save_path",
        "log_wandb",
        "wandb_project",
        # of the models that are pre-trained
        "pre_model_path",
        "pretrain_path",
        "mf_pretrain_path",
        "mlp_pretrain_path",
        "warm_up",
        *OF_SEVERAL_PROCESSES,
    }
)
"""RecBole's keys that name files, folders and machines, or have something written."""


@cache
def keys_of_model(kind: type) -> frozenset[str]:
    """List the keys that RecBole has defaults of for a model, or for the one of RecBole's that it extends."""
    folder = Path(recbole.__file__).parent / "properties" / "model"
    files = (folder / f"{one.__name__}.yaml" for one in kind.__mro__)
    file = next((file for file in files if file.is_file()), None)
    return frozenset(yaml.safe_load(file.read_text(encoding="utf-8")) or {}) if file else frozenset()


@cache
def recboles_keys() -> frozenset[str]:
    """List every key that RecBole names, has a default for, or reads."""
    keys = {*LISTED, *RECBOLES_CHECKS}
    keys -= {"config_file"}  # which RecBole lists, and nobody reads
    keys |= {"model", "dataset", "config_files", "local_rank", *OF_SEVERAL_PROCESSES}
    folder = Path(recbole.__file__).parent
    for file in (folder / "properties").rglob("*.yaml"):
        if not file.name.endswith("url.yaml"):
            keys |= set(yaml.safe_load(file.read_text(encoding="utf-8")) or {})
    for file in folder.rglob("*.py"):
        keys |= set(re.findall(READ_KEY, file.read_text(encoding="utf-8")))
    return frozenset(keys)
