"""The outer layer of a potential file: safetensors with one signed JSON document.

Everything in a file is either in the document or in a tensor; the digest covers both, so
that a flipped bit anywhere is noticed. Nothing in a file is ever executed.
"""

from __future__ import annotations

import hashlib
import json
import math
import mmap
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, NoReturn, TypeGuard

import numpy as np

from trimpot.errors import FileFormatError, InputError
from trimpot.files.encoding import DTYPES, SAFETENSORS_NAMES, Tensors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trimpot.files.encoding import Json

DOCUMENT, DIGEST = "trimpot", "sha256"
LENGTH_BYTES = 8
LARGEST_HEADER = 100_000_000
"""Bytes; the limit of safetensors itself."""

MOST_AXES, LARGEST_COUNT = 8, 2**48
"""Of any array: beyond it a header is hostile."""


def write(handle: IO[bytes], document: Mapping[str, Json], tensors: Tensors) -> None:
    """Write a document and its tensors; equal input gives equal bytes.

    Arrays go out one by one, without a copy of all of them.

    Raises
    ------
    InputError
        If the document holds NaN, infinity or something that is not JSON.
    """
    try:
        text = _canonical({**document, DIGEST: _digest(document, tensors)})
    except (TypeError, ValueError) as error:
        raise InputError(
            f"the description of the potential is not JSON: {error}; use finite numbers, "
            "strings, lists and mappings in its provenance"
        ) from error
    # Widest types first, so that every array is aligned.
    names = sorted(tensors, key=lambda name: (-tensors[name].itemsize, name))
    header: dict[str, object] = {"__metadata__": {DOCUMENT: text}}
    start = 0
    for name in names:
        stop = start + tensors[name].nbytes
        header[name] = {
            "dtype": SAFETENSORS_NAMES[tensors[name].dtype],
            "shape": tensors[name].shape,
            "data_offsets": (start, stop),
        }
        start = stop
    line = json.dumps(header, separators=(",", ":")).encode()
    line += b" " * (-len(line) % LENGTH_BYTES)
    handle.write(len(line).to_bytes(LENGTH_BYTES, "little") + line)
    for name in names:
        handle.write(_buffer(tensors[name]))


def read(path: Path, *, mapped: bool = False) -> tuple[dict[str, object], Tensors]:
    """Return document and tensors of a file (arrays cannot be written).

    Parameters
    ----------
    mapped
        Leave the arrays in the file and map them into memory: for large files that
        nothing overwrites in place.

    Raises
    ------
    FileFormatError
        If the file is not a potential file, or is damaged.
    """
    data = _map_bytes(path) if mapped else _read_bytes(path)
    begin = LENGTH_BYTES + _header_length(data)
    header = _parse_object(data[LENGTH_BYTES:begin])
    document = _document(header)
    tensors = _tensors(header, data, begin)
    try:
        matches = document.pop(DIGEST, None) == _digest(document, tensors)
    except ValueError as error:
        raise FileFormatError(f"its description: {error!s:.100}") from error
    if not matches:
        raise FileFormatError("the content does not match its checksum: it was changed")
    return document, tensors


def read_document(path: Path) -> dict[str, object]:
    """Return the document alone, without reading the arrays or checking the digest.

    Raises
    ------
    FileFormatError
        If the file does not begin like a potential file.
    """
    with path.open("rb") as handle:
        start = handle.read(LENGTH_BYTES)
        length = _header_length(start, size=path.stat().st_size)
        return _document(_parse_object(handle.read(length)))


def _document(header: dict[str, object]) -> dict[str, object]:
    """Take the document out of a header."""
    metadata = header.pop("__metadata__", None)
    if not isinstance(metadata, dict) or set(metadata) != {DOCUMENT}:
        raise FileFormatError(
            "this safetensors file was not written by Trimpot (no 'trimpot' metadata)"
        )
    return _parse_object(f"{metadata[DOCUMENT]}".encode(errors="surrogatepass"))


def _read_bytes(path: Path) -> bytes:
    """Return the bytes of a file whose header length is plausible."""
    with path.open("rb") as handle:
        start = handle.read(LENGTH_BYTES)
        _header_length(start, size=path.stat().st_size)
        return start + handle.read()


def _map_bytes(path: Path) -> mmap.mmap:
    """Return the file as memory, read as it is used."""
    with path.open("rb") as handle:
        _header_length(handle.read(LENGTH_BYTES), size=path.stat().st_size)
        return mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ)


def _header_length(start: bytes | mmap.mmap, size: int | None = None) -> int:
    available = (len(start) if size is None else size) - LENGTH_BYTES
    length = int.from_bytes(start[:LENGTH_BYTES], "little")
    if available < 0 or not 2 <= length <= min(available, LARGEST_HEADER):
        raise FileFormatError("it is not a safetensors file, or it was cut off")
    return length


def _tensors(header: dict[str, object], data: bytes | mmap.mmap, begin: int) -> Tensors:
    """Return the arrays as views of the data.

    Like the safetensors library, which would copy them: every array must fill its range,
    and the ranges must fill the file without gap or overlap.
    """
    entries = sorted(
        (_tensor_entry(name, entry) for name, entry in header.items()),
        key=lambda item: (item.start, item.stop),
    )
    filled = 0
    tensors: Tensors = {}
    for item in entries:
        if item.start != filled or (begin + filled) % item.dtype.itemsize:
            raise FileFormatError(f"the tensor {item.name:.80} is misplaced in the file")
        filled = item.stop
        if begin + filled > len(data):
            raise FileFormatError("it was cut off")
        values = np.frombuffer(data, item.dtype, item.size, offset=begin + item.start)
        tensors[item.name] = values.reshape(item.shape)
    if begin + filled != len(data):
        raise FileFormatError("it holds bytes that belong to no tensor")
    return tensors


@dataclass(frozen=True)
class _Entry:
    name: str
    dtype: np.dtype[np.float64] | np.dtype[np.float32] | np.dtype[np.int32]
    shape: tuple[int, ...]
    start: int
    stop: int

    @property
    def size(self) -> int:
        return math.prod(self.shape)


def _tensor_entry(name: str, entry: object) -> _Entry:
    """Return a checked entry of the header."""
    known = entry if isinstance(entry, dict) else {}
    dtype = known.get("dtype")
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise FileFormatError(
            f"the tensor {name:.80} has type {dtype!s:.20}, "
            f"expected one of {', '.join(DTYPES)}"
        )
    shape, offsets = known.get("shape"), known.get("data_offsets")
    if not _are_counts(shape) or not _are_counts(offsets) or len(offsets) != 2:
        raise FileFormatError(f"the tensor {name:.80} has no proper shape or place")
    found = _Entry(name, DTYPES[dtype], tuple(shape), *offsets)
    if len(found.shape) > MOST_AXES or found.stop - found.start != (
        found.size * found.dtype.itemsize
    ):
        raise FileFormatError(f"the tensor {name:.80} does not fill its place in the file")
    return found


def _are_counts(values: object) -> TypeGuard[list[int]]:
    return isinstance(values, list) and all(
        type(v) is int and 0 <= v <= LARGEST_COUNT for v in values
    )


def _parse_object(text: bytes) -> dict[str, object]:
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise FileFormatError(f"its description is not JSON: {error!s:.100}") from error
    if not isinstance(value, dict):
        raise FileFormatError("its description is not a JSON object")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise FileFormatError(f"its description holds {name}, expected finite numbers")


def _canonical(document: Mapping[str, object]) -> str:
    """Return the one text of a document: sorted keys, no spaces, finite numbers only."""
    return json.dumps(document, allow_nan=False, sort_keys=True, separators=(",", ":"))


def _digest(document: Mapping[str, object], tensors: Tensors) -> str:
    digest = hashlib.sha256(_canonical(document).encode())
    for name in sorted(tensors):
        values = tensors[name]
        digest.update(f"\0{name}\0{values.dtype.str}\0{values.shape}\0".encode())
        digest.update(_buffer(values))
    return digest.hexdigest()


def _buffer(values: np.ndarray) -> memoryview:
    """Return the bytes of an array, little-endian and in C order, without a copy."""
    return np.ascontiguousarray(values).reshape(-1).view(np.uint8).data
