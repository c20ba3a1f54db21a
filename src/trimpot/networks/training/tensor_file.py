"""Arrays and one JSON document in one file: safetensors, written atomically.

The same layout as potential files have, on which this room does not build. Nothing in a
file is ever executed.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from trimpot.errors import FileFormatError
from trimpot.writing import write_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    Document = Mapping[str, object]

KEY, DIGEST = "trimpot", "sha256"
TYPES: dict[str, np.dtype[Any]] = {"F64": np.dtype("<f8"), "F32": np.dtype("<f4")}
NAMES = {dtype: name for name, dtype in TYPES.items()}
LENGTH_BYTES = 8


def write_arrays(path: Path, document: Document, arrays: Mapping[str, np.ndarray]) -> None:
    """Replace a file by a document and arrays (float32, float64), at once and durably.

    Raises
    ------
    WriteError
        If it cannot be written; the old file is then unchanged.
    """
    write_bytes(path, _encoded(document, arrays))


def read_arrays(path: Path) -> tuple[dict[str, object], dict[str, np.ndarray]]:
    """Return the document and the arrays of a file.

    Raises
    ------
    FileFormatError
        If it is damaged, or another kind of file.
    """
    data = path.read_bytes()
    try:
        document, arrays = _decoded(data)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FileFormatError(
            f"{path}: not a checkpoint, or damaged ({error!s:.100}); remove it to train "
            "from the start"
        ) from error
    return document, arrays


def _encoded(document: Document, arrays: Mapping[str, np.ndarray]) -> bytes:
    names = sorted(arrays, key=lambda name: (-arrays[name].itemsize, name))
    header: dict[str, object] = {}
    start = 0
    for name in names:
        array = arrays[name]
        stop = start + array.nbytes
        kind = {"dtype": NAMES[array.dtype], "shape": array.shape}
        header[name] = kind | {"data_offsets": (start, stop)}
        start = stop
    body = b"".join(np.ascontiguousarray(arrays[name]).tobytes() for name in names)
    text = _text(document)
    signed = {KEY: text, DIGEST: hashlib.sha256(text.encode() + body).hexdigest()}
    line = json.dumps({"__metadata__": signed} | header, separators=(",", ":")).encode()
    line += b" " * (-len(line) % LENGTH_BYTES)
    return len(line).to_bytes(LENGTH_BYTES, "little") + line + body


def _decoded(data: bytes) -> tuple[dict[str, object], dict[str, np.ndarray]]:
    begin = LENGTH_BYTES + int.from_bytes(data[:LENGTH_BYTES], "little")
    header = json.loads(data[LENGTH_BYTES:begin])
    signed, body = header.pop("__metadata__"), data[begin:]
    text = signed[KEY]
    if hashlib.sha256(text.encode() + body).hexdigest() != signed[DIGEST]:
        raise ValueError("its content does not match its checksum")
    arrays = {}
    for name, entry in header.items():
        start, stop = entry["data_offsets"]
        values = np.frombuffer(body[start:stop], TYPES[entry["dtype"]])
        arrays[name] = values.reshape(entry["shape"]).copy()
    return json.loads(text), arrays


def _text(document: Document) -> str:
    return json.dumps(document, allow_nan=False, sort_keys=True)
