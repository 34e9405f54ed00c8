"""Turns arrays, scipy matrices and a Confounder into plain data, which is read without running code."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import torch
from scipy import sparse

from recbole_decrs.causal import Confounder
from recbole_decrs.causal.parts import is_mostly_zeros

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
        matrix = sparse.csr_matrix(parts, shape=value["shape"])
        matrix.check_format(full_check=True)  # of a damaged one, scipy would read what lies beside its memory
        return matrix.asformat(value["format"])
    if kind == "zeros":
        return decode(value["values"]).toarray()
    if kind == "list":
        return np.array(decode(value["values"]))
    array = value["values"].cpu().numpy()
    return np.asmatrix(array) if kind == "matrix" else array


MATRICES = {"sparse_membership": "membership", "sparse_user_distribution": "user_distribution"}
"""The matrices of a Confounder, and what they are called in its plain data."""


def encode_confounder(confounder: Confounder | None) -> dict[str, Any] | None:
    """Turn a Confounder into plain data."""
    if confounder is None:
        return None
    values = {field.name: getattr(confounder, field.name) for field in dataclasses.fields(confounder)}
    return {
        MATRICES.get(name, name): _encode_matrix(value) if name in MATRICES else encode(value)
        for name, value in values.items()
    }


def _encode_matrix(matrix: sparse.csr_matrix) -> dict[str, Any]:
    """Encode a matrix over groups; by what is not zero, where it is mostly zeros: few of all groups are a user's."""
    if not is_mostly_zeros(matrix):
        return encode(matrix.toarray())
    plain = encode(matrix)
    plain["indices"] = encode(matrix.indices.astype(_smallest_type(matrix.shape[1])))
    return {TYPE: "zeros", "values": plain}


def _smallest_type(n: int) -> type[np.integer]:
    """Choose the smallest type of torch that holds 0 ... n - 1."""
    return next(kind for kind in (np.uint8, np.int16, np.int32, np.int64) if n - 1 <= np.iinfo(kind).max)


def decode_confounder(plain: dict[str, Any] | None) -> Confounder | None:
    """Give back the Confounder that :func:`encode_confounder` was given."""
    if plain is None:
        return None
    names = {written: name for name, written in MATRICES.items()}
    return Confounder(
        **{
            names.get(key, key): _decode_matrix(value) if key in names else decode(value)
            for key, value in plain.items()
        }
    )


def _decode_matrix(plain: dict[str, Any]) -> sparse.csr_matrix:
    return sparse.csr_matrix(decode(plain["values"] if plain.get(TYPE) == "zeros" else plain))


def moved_to(value: Any, device: torch.device | str) -> Any:
    """Move the tensors in plain data to a device, and return the same structure."""
    if isinstance(value, torch.Tensor):
        return value.to(device)
    if isinstance(value, dict):
        return {key: moved_to(part, device) for key, part in value.items()}
    return type(value)(moved_to(part, device) for part in value) if isinstance(value, list | tuple) else value
