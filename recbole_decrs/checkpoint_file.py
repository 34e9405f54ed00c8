"""Reads and writes checkpoints, plain data for ``torch.load(weights_only=True)``, replaced whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import uuid
import zipfile
from contextlib import AbstractContextManager
from typing import Any

import torch
from recbole.utils import get_local_time

from recbole_decrs.distributed.group import is_first, told_by_first
from recbole_decrs.errors import DecRSError, is_out_of_memory, told_as
from recbole_decrs.files import replaced_whole

FORMAT = "recbole_decrs checkpoint 1"
SETTINGS_SINCE = {"group_features": "pooled", "mlp_dropout_prob": None}
"""Settings that older checkpoints lack, with the values that say how their models were trained."""

STATE = {
    "epoch": int,
    "cur_step": int,
    "best_valid_score": (int, float),
    "best_valid_result": dict,
    "state_dict": dict,
    "other_parameter": dict,
    "optimizer": dict,
    "random_state": dict,
    "loader_states": list,
}
"""What a training state holds at least, and the types of it."""
PERHAPS = {
    "finished": bool,
    "stopped_early": bool,
    "n_epochs": int,
    "seconds": (int, float),
    "threads": int,
    "hidden_state": dict,
    "random_state_at_end": dict,
}
"""What it may hold besides."""


OF_DATA = ("fingerprint", "trained_on")
"""Hashes of the data: of what a checkpoint needs to rank, and of everything that its training has seen."""


class UnreadableCheckpoint(DecRSError):
    """Tells that a checkpoint cannot be read, whether one must train again for that or goes on without it.

    Attributes:
        fault: what is wrong with it, in words that whoever goes on without it can say.
    """

    def __init__(self, fault: str, remedy: str = "train again") -> None:
        super().__init__(f"{fault}; {remedy}")
        self.fault = fault


def new_checkpoint_path(config) -> str:
    """Name a new checkpoint as RecBole would, with a few random letters: two runs may start in the same second."""
    name = told_by_first(lambda: f"{config['model']}-{get_local_time()}-{uuid.uuid4().hex[:6]}.pth")
    return os.path.join(config["checkpoint_dir"], name)


class _RemembersWhy:
    """Keeps the error of the system when a write to a file fails, of which torch.save makes a riddle."""

    def __init__(self, file) -> None:
        self.file, self.error = file, None

    def write(self, data) -> int:
        try:
            return self.file.write(data)
        except OSError as error:
            self.error = error
            raise

    def flush(self) -> None:
        self.file.flush()


def write_checkpoint(path: str, content: dict[str, Any]) -> None:
    """Write a checkpoint, see :func:`~recbole_decrs.files.replaced_whole`; of several processes the first one does.

    Raises:
        OSError: it cannot be written; the previous one is whole.
    """
    if not is_first():
        return
    content = {"format": FORMAT, **content}
    content["digest"] = _digest(content)
    with replaced_whole(path) as file:
        remembering = _RemembersWhy(file)
        try:
            torch.save(content, remembering)
        except RuntimeError:
            if remembering.error is None:
                raise
            raise remembering.error from None


def _digest(content: dict[str, Any]) -> str:
    """Hash the settings and the names of all parts; of the tensors the archive has checksums."""
    parts = {key: sorted(map(str, value)) if isinstance(value, dict) else None for key, value in content.items()}
    parts.pop("digest", None)
    plain = [parts, content.get("config"), content.get("fingerprint"), content.get("drift_alpha")]
    plain += [content["data_seed"]] if "data_seed" in content else []
    return hashlib.sha256(json.dumps(_with_text_keys(plain), sort_keys=True, default=str).encode()).hexdigest()


def _with_text_keys(value: Any) -> Any:
    """Make all keys text, so that JSON can sort them: a setting may have keys of several types."""
    if isinstance(value, dict):
        return {f"{type(key).__name__} {key}": _with_text_keys(part) for key, part in value.items()}
    return [_with_text_keys(part) for part in value] if isinstance(value, list | tuple) else value


def damage_in_words(path: str) -> AbstractContextManager[None]:
    """Say of what goes wrong while the parts of a checkpoint are used that it is damaged; see :func:`told_as`."""
    return told_as(f"the checkpoint {path} is damaged", "train again")


def read_checkpoint(path: str) -> dict[str, Any]:
    """Read the content of a checkpoint onto the CPU, without running code of its file.

    Raises:
        UnreadableCheckpoint: the file is missing, truncated or corrupt, lacks a part, or this plugin did not write it.
    """
    if os.path.isdir(path):
        raise UnreadableCheckpoint(f"{path} is a folder and no checkpoint", "name a .pth file in it")
    if not os.path.isfile(path):
        raise UnreadableCheckpoint(f"there is no checkpoint {path}", "check its path")
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
    except PermissionError as error:
        raise UnreadableCheckpoint(
            f"the checkpoint {path} may not be read by this user", "change its rights"
        ) from error
    except Exception as error:  # of a header that is damaged, zipfile raises whatever comes up
        if is_out_of_memory(error):
            raise
        raise UnreadableCheckpoint(f"the checkpoint {path} is truncated or no checkpoint at all") from error
    if damaged:
        raise UnreadableCheckpoint(f"the checkpoint {path} is corrupt (in {damaged})")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        if is_out_of_memory(error):
            raise
        raise UnreadableCheckpoint(
            f"the checkpoint {path} does not hold plain data, so it was not written by recbole_decrs"
        ) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise UnreadableCheckpoint(f"the checkpoint {path} was not written by this version of recbole_decrs")
    if wrong := _wrong_part(content):
        raise UnreadableCheckpoint(f"the checkpoint {path} is damaged: {wrong}")
    content["config"] = {**SETTINGS_SINCE, **content["config"]}
    return content


def _wrong_part(content: dict[str, Any]) -> str | None:
    """Say what a checkpoint lacks or has of another kind; None of a sound one."""
    for key, kind in (("config", dict), ("fingerprint", str), ("confounder", dict | None)):
        if key not in content or not isinstance(content[key], kind):
            return f"it has no {key}"
    for key in ("model", "dataset"):
        if not isinstance(content["config"].get(key), str):
            return f"its settings have no {key}"
    for half in [name for name in ("conventional", "deconfounded") if name in content] or [None]:
        state = content if half is None else content[half]
        if not isinstance(state, dict):
            return f"its part {half} is no training state"
        for key, kind in STATE.items():
            if not isinstance(state.get(key), kind):
                return f"it has no {key}" + (f" of the {half} recommender" if half else "")
        if not all(isinstance(value, torch.Tensor) for value in state["state_dict"].values()):
            return "its state_dict holds what is no tensor"
        for key, kind in PERHAPS.items():
            if key in state and not isinstance(state[key], kind):
                return f"its {key} is of another kind"
        if state["epoch"] < 0 or (state.get("finished") and "n_epochs" not in state):
            return "its epochs are none"
    if not isinstance(content.get("drift_alpha"), int | float | None):
        return "its drift_alpha is no number"
    if "data_seed" in content and type(content["data_seed"]) is not int:
        return "its data_seed is no number"
    if "digest" in content and content["digest"] != _digest(content):
        return "its settings, or the names of its parts, are not those that were written"
    return None


def read_header(path: str) -> dict[str, Any] | None:
    """Read the settings (``config``) and what tells the data (:data:`OF_DATA`) in a checkpoint, and not all of it.

    Returns:
        None where it is of another version.

    Raises:
        UnreadableCheckpoint: it cannot be read.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except Exception as error:
        if is_out_of_memory(error):
            raise
        raise UnreadableCheckpoint(f"the checkpoint {path} is damaged, or does not hold plain data") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        return None
    if wrong := _wrong_part(content):
        raise UnreadableCheckpoint(f"the checkpoint {path} is damaged: {wrong}")
    known = {key: content[key] for key in OF_DATA if key in content}
    return {"config": {**SETTINGS_SINCE, **content["config"]}, **known}
