"""States as JSON plus tensors: arrays become references to named tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trimpot.errors import FileFormatError, InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

REFERENCE = "$tensor"
"""The one key of the JSON object that stands for an array."""

Json = dict[str, "Json"] | list["Json"] | str | int | float | bool | None
Tensors = dict[str, np.ndarray]

DTYPES: dict[str, np.dtype[np.float64] | np.dtype[np.float32] | np.dtype[np.int32]] = {
    "F64": np.dtype(np.float64),
    "F32": np.dtype(np.float32),
    "I32": np.dtype(np.int32),
}
"""Types of tensors in potential files, by their safetensors name."""

SAFETENSORS_NAMES = {dtype: name for name, dtype in DTYPES.items()}


def flatten(value: object, path: str, tensors: Tensors) -> Json:
    """Return a value with its arrays moved into ``tensors`` under their paths.

    Parameters
    ----------
    value
        Nested mappings, lists, tuples, numbers, strings, arrays.
    path
        Name of the value; parts are joined by dots.
    tensors
        Filled with float64, float32 and int32 arrays.

    Raises
    ------
    InputError
        If a leaf cannot be stored.
    """
    if isinstance(value, np.ndarray):
        if value.dtype not in DTYPES.values():
            raise InputError(f"{path}: cannot store an array of type {value.dtype}")
        tensors[path] = np.ascontiguousarray(value)
        return {REFERENCE: path}
    if isinstance(value, dict):
        if not all(isinstance(k, str) and k != REFERENCE for k in value):
            raise InputError(f"{path}: keys must be strings other than {REFERENCE!r}")
        return {k: flatten(v, f"{path}.{k}", tensors) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [flatten(v, f"{path}.{k}", tensors) for k, v in enumerate(value)]
    if isinstance(value, np.generic):
        return flatten(value.item(), path, tensors)
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise InputError(f"{path}: cannot store {type(value).__name__} in a potential file")


def unflatten(value: object, tensors: Mapping[str, np.ndarray], used: set[str]) -> object:
    """Return the value with references replaced by their arrays; names go to ``used``.

    Raises
    ------
    FileFormatError
        If a tensor is missing or referred to twice.
    """
    if isinstance(value, list):
        return [unflatten(v, tensors, used) for v in value]
    if not isinstance(value, dict):
        return value
    if REFERENCE not in value:
        return {k: unflatten(v, tensors, used) for k, v in value.items()}
    name = value[REFERENCE]
    if len(value) != 1 or not isinstance(name, str) or name not in tensors:
        raise FileFormatError(f"the tensor {name!s:.80} is missing")
    if name in used:
        raise FileFormatError(f"the tensor {name!s:.80} is used twice")
    used.add(name)
    return tensors[name]
