"""Atomic writing: a file has its old content or its complete new one, never half of it."""

from __future__ import annotations

import os
import secrets
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

from trimpot.errors import WriteError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def atomic_write(path: str | Path) -> Iterator[IO[bytes]]:
    """Open a file whose content replaces ``path`` when the block ends without an error.

    The bytes go to a hidden file in the same folder, reach the disk (fsync), and are
    renamed over ``path``; after any exception the hidden file is gone and ``path`` is as
    it was. A symbolic link is followed, not replaced.

    Raises
    ------
    WriteError
        If the file cannot be written; says why and what to do.
    """
    target = Path(os.path.realpath(path))
    partial = target.with_name(f".{target.name}.{secrets.token_hex(4)}.partial")
    try:
        with _renamed_when_complete(partial, target) as handle:
            yield handle
    except OSError as error:
        if isinstance(error, WriteError):
            raise
        raise WriteError(_explain(error, Path(path))) from error


@contextmanager
def _renamed_when_complete(partial: Path, target: Path) -> Iterator[IO[bytes]]:
    try:
        with partial.open("xb") as handle:
            yield handle
            handle.flush()
            os.fsync(handle.fileno())
        partial.replace(target)
        _sync_folder(target.parent)
    except BaseException:
        with suppress(OSError):
            partial.unlink()
        raise


def _sync_folder(folder: Path) -> None:
    """Make the rename itself durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_bytes(path: str | Path, data: bytes) -> None:
    """Write bytes atomically; see ``atomic_write``."""
    with atomic_write(path) as handle:
        handle.write(data)


def write_text(path: str | Path, text: str) -> None:
    """Write text as UTF-8 atomically; see ``atomic_write``."""
    write_bytes(path, text.encode())


def _explain(error: OSError, path: Path) -> str:
    reason = error.strerror or str(error)
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        remedy = f"create the folder {path.parent} first, or give another path"
    elif isinstance(error, PermissionError):
        remedy = "give a path in a folder that you may write to"
    elif isinstance(error, IsADirectoryError):
        remedy = "give the path of a file; this is a folder"
    else:
        remedy = "free space or choose another disk, then run again"
    return f"cannot write {path}: {reason}; an older file is unchanged; {remedy}"
