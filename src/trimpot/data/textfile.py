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


class _NamedText(io.TextIOWrapper):
    """Text stream with the name of its file, which bz2 and xz streams lack."""

    def __init__(self, binary: IO[bytes], name: str) -> None:
        super().__init__(binary, encoding="utf-8-sig")
        self._name = name

    @property
    def name(self) -> str:
        return self._name


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
        with (
            _readable(path),
            _NamedText(_open_binary(path), str(path)) as text,
        ):
            yield text
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path.name}: byte {error.object[error.start]:#04x} is not UTF-8 text; give "
            "the format explicitly (format=...) if this is not extended XYZ, or convert it"
        ) from error


def head_of(path: Path, length: int) -> bytes:
    """Return the first bytes of a plain or compressed file.

    Raises
    ------
    DataError
        If the file cannot be opened or is damaged.
    """
    with _readable(path), _open_binary(path) as file:
        return file.read(length)


def tail_of(path: Path, length: int) -> bytes:
    """Return the last bytes of a plain or compressed file; a compressed one is read whole.

    Raises
    ------
    DataError
        If the file cannot be opened or is damaged.
    """
    with _readable(path), _open_binary(path) as file:
        if isinstance(file, io.BufferedReader):
            file.seek(max(0, path.stat().st_size - length))
            return file.read()
        tail = b""
        while block := file.read(max(length, 1 << 20)):
            tail = (tail + block)[-length:]
        return tail


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Turn what opening and decompressing can raise into one error."""
    try:
        yield
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
