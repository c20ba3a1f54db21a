"""Open plain or compressed text as one forward stream of lines."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from trimpot.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MAGIC_LENGTH = 6


@contextmanager
def open_text(path: Path) -> Iterator[IO[str]]:
    """Open a text file, decompressing gz, xz and bz2 by content; any line ends.

    The stream is read once and never sought: seeking backwards in a compressed file
    decompresses it again from the start.

    Raises
    ------
    DataError
        If the file cannot be opened, is damaged or is not UTF-8 text.
    """
    try:
        with io.TextIOWrapper(_open_binary(path), encoding="utf-8-sig") as text:
            yield text
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path.name}: byte {error.object[error.start]:#04x} is not UTF-8 text; give "
            "the format explicitly (format=...) if this is not extended XYZ, or convert it"
        ) from error
    except (EOFError, OSError, lzma.LZMAError) as error:
        raise DataError(
            f"{path}: cannot be read ({error or type(error).__name__}); check the path, or "
            "copy the file again if a transfer was cut short"
        ) from error


def _open_binary(path: Path) -> IO[bytes]:
    """Open a file for its decompressed bytes."""
    with path.open("rb") as file:
        head = file.read(_MAGIC_LENGTH)
    if head.startswith(b"\x1f\x8b"):
        return gzip.open(path, "rb")  # type: ignore[return-value]
    if head.startswith(b"\xfd7zXZ\x00"):
        return lzma.open(path, "rb")
    if head.startswith(b"BZh"):
        return bz2.open(path, "rb")
    return path.open("rb")
