"""Arrays, scipy matrices and a Confounder as plain data, which is read without running code."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import torch
from scipy import sparse

from recbole_decrs.causal import Confounder

TYPE = "recbole_decrs.type"
"""The key by which :func:`encode` marks what is not plain data."""


def encode(value: Any) -> Any:
    """Turn arrays and scipy matrices in a value into marked dictionaries of tensors, which :func:`decode` undoes.

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
    """Give back what :func:`encode` was given."""
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
    if kind == "zeros":
        return decode(value["values"]).toarray()
    if kind == "list":
        return np.array(decode(value["values"]))
    array = value["values"].cpu().numpy()
    return np.asmatrix(array) if kind == "matrix" else array


def encode_confounder(confounder: Confounder | None) -> dict[str, Any] | None:
    """Turn a Confounder into plain data."""
    if confounder is None:
        return None
    return {field.name: _encode_matrix(getattr(confounder, field.name)) for field in dataclasses.fields(confounder)}


def _encode_matrix(value: Any) -> Any:
    """Encode a matrix that is mostly zeros by its other values alone: few of all groups are a user's."""
    if isinstance(value, np.ndarray) and value.ndim == 2 and np.count_nonzero(value) * 2 < value.size:
        return {TYPE: "zeros", "values": encode(sparse.csr_matrix(value))}
    return encode(value)


def decode_confounder(plain: dict[str, Any] | None) -> Confounder | None:
    """Give back the Confounder that :func:`encode_confounder` was given."""
    return None if plain is None else Confounder(**decode(plain))


def moved_to(value: Any, device: torch.device | str) -> Any:
    """Move the tensors in plain data to a device, and return the same structure."""
    if isinstance(value, torch.Tensor):
        return value.to(device)
    if isinstance(value, dict):
        return {key: moved_to(part, device) for key, part in value.items()}
    return type(value)(moved_to(part, device) for part in value) if isinstance(value, list | tuple) else value
