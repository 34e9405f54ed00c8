"""Checkpoints of plain data: they load with ``torch.load(weights_only=True)`` and are replaced whole or not at all."""

from __future__ import annotations

import dataclasses
import os
import random
import zipfile
from typing import Any

import numpy as np
import torch
from scipy import sparse

from recbole_decrs.causal import Confounder
from recbole_decrs.errors import DecRSError

FORMAT = "recbole_decrs checkpoint 1"
SETTINGS_SINCE = {"group_features": "pooled", "mlp_dropout_prob": None}
"""Settings that older checkpoints lack, with the values that say how their models were trained."""
TYPE = "recbole_decrs.type"
"""The key by which :func:`encode` marks what is not plain data."""


def write_checkpoint(path: str, content: dict[str, Any]) -> None:
    """Write to a temporary file beside ``path`` and rename it: a kill at any moment leaves the previous one whole."""
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        with open(temporary, "wb") as file:
            torch.save({"format": FORMAT, **content}, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        if os.path.exists(temporary):
            os.remove(temporary)


def read_checkpoint(path: str, device: torch.device | str = "cpu") -> dict[str, Any]:
    """The content of a checkpoint; runs no code of its file.

    Raises:
        DecRSError: the file is missing, truncated or corrupt, or was not written by this plugin.
    """
    if not os.path.isfile(path):
        raise DecRSError(f"there is no checkpoint {path}; check its path")
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
    except (zipfile.BadZipFile, OSError, EOFError) as error:
        raise DecRSError(f"the checkpoint {path} is truncated or no checkpoint at all; train again") from error
    if damaged:
        raise DecRSError(f"the checkpoint {path} is corrupt (in {damaged}); train again")
    try:
        content = torch.load(path, map_location=device, weights_only=True)
    except Exception as error:
        raise DecRSError(
            f"the checkpoint {path} does not hold plain data, so it was not written by recbole_decrs; train again"
        ) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise DecRSError(f"the checkpoint {path} was not written by this version of recbole_decrs; train again")
    parts = [content.get(half) for half in ("conventional", "deconfounded") if half in content] or [content]
    if not all(isinstance(part, dict) and {"state_dict", "optimizer"} <= set(part) for part in parts) or not (
        {"config", "fingerprint", "confounder"} <= set(content)
    ):
        raise DecRSError(f"the checkpoint {path} lacks a part; train again")
    content["config"] = {**SETTINGS_SINCE, **content["config"]}
    return content


def read_settings(path: str) -> dict[str, Any] | None:
    """The settings in a checkpoint, without the time that reading and checking all of it takes.

    Returns:
        None where it is of another version.

    Raises:
        DecRSError: it cannot be read.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except Exception as error:
        raise DecRSError(f"{path} is damaged, or no checkpoint of recbole_decrs") from error
    known = isinstance(content, dict) and content.get("format") == FORMAT and isinstance(content.get("config"), dict)
    return {**SETTINGS_SINCE, **content["config"]} if known else None


def encode(value: Any) -> Any:
    """The same value with arrays and scipy matrices as marked dictionaries of tensors, :func:`decode` undoes it.

    Raises:
        TypeError: a value that is neither plain data, a tensor, an array nor a sparse matrix.
    """
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, bool | int | float | str | torch.Tensor):
        return value
    if isinstance(value, np.ndarray):
        kind = "matrix" if isinstance(value, np.matrix) else "array"
        if value.dtype == object or value.dtype.kind in "US":
            return {TYPE: "list", "values": encode(value.tolist())}
        return {TYPE: kind, "values": torch.from_numpy(np.array(value))}
    if sparse.issparse(value):
        compressed = value.tocsr()
        parts = {name: encode(getattr(compressed, name)) for name in ("data", "indices", "indptr")}
        return {TYPE: "sparse", "format": value.format, "shape": tuple(map(int, value.shape)), **parts}
    if isinstance(value, dict):
        return {key: encode(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(encode(item) for item in value)
    raise TypeError(f"cannot save a {type(value).__name__} as plain data")


def decode(value: Any) -> Any:
    """What :func:`encode` was given."""
    if isinstance(value, list | tuple):
        return type(value)(decode(item) for item in value)
    if not isinstance(value, dict):
        return value
    kind = value.get(TYPE)
    if kind is None:
        return {key: decode(item) for key, item in value.items()}
    if kind == "sparse":
        parts = tuple(decode(value[name]) for name in ("data", "indices", "indptr"))
        return sparse.csr_matrix(parts, shape=value["shape"]).asformat(value["format"])
    if kind == "list":
        return np.array(decode(value["values"]))
    array = value["values"].cpu().numpy()
    return np.asmatrix(array) if kind == "matrix" else array


def encode_confounder(confounder: Confounder | None) -> dict[str, Any] | None:
    """A Confounder as plain data."""
    if confounder is None:
        return None
    return {field.name: encode(getattr(confounder, field.name)) for field in dataclasses.fields(confounder)}


def decode_confounder(plain: dict[str, Any] | None) -> Confounder | None:
    """The Confounder that :func:`encode_confounder` was given."""
    return None if plain is None else Confounder(**decode(plain))


def random_state() -> dict[str, Any]:
    """The states of Python's, numpy's and torch's generators, as plain data."""
    name, keys, *rest = np.random.get_state()
    return {
        "python": random.getstate(),
        "numpy": (name, torch.from_numpy(keys.astype(np.int64)), *rest),
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def restore_random_state(state: dict[str, Any]) -> None:
    """Put the generators where :func:`random_state` found them."""
    random.setstate(state["python"])
    name, keys, *rest = state["numpy"]
    np.random.set_state((name, keys.cpu().numpy().astype(np.uint32), *rest))
    torch.set_rng_state(state["torch"].cpu())
    if torch.cuda.is_available() and len(state["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all([one.cpu() for one in state["cuda"]])
