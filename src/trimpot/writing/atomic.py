"""Atomic writing: a file has its old content or its complete new one, never half of it."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import secrets
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

from trimpot.errors import WriteError

if TYPE_CHECKING:
    from collections.abc import Iterator


PARTIAL = re.compile(r"\.(?P<name>.+)\.[0-9a-f]{8}\.partial")
"""Names of hidden files that are to replace NAME."""


@contextmanager
def atomic_write(path: str | Path) -> Iterator[IO[bytes]]:
    """Open a file whose content replaces ``path`` when the block ends without an error.

    The bytes go to a hidden file in the same folder, reach the disk (fsync), and are
    renamed over ``path``; after any exception the hidden file is gone and ``path`` is as
    it was. What killed runs have left of ``path`` goes too. A symbolic link is followed,
    not replaced.

    Raises
    ------
    WriteError
        If the file cannot be written; says why and what to do.
    """
    target = Path(os.path.realpath(path))
    try:
        remove_partials(target.parent, target.name)
        with _renamed_when_complete(target) as handle:
            yield handle
    except OSError as error:
        if isinstance(error, WriteError):
            raise
        raise WriteError(_explain(error, Path(path))) from error


@contextmanager
def _renamed_when_complete(target: Path) -> Iterator[IO[bytes]]:
    handle, partial = _opened(target)
    try:
        with handle:
            yield handle
            handle.flush()
            os.fsync(handle.fileno())
            partial.replace(target)
        sync_folder(target.parent)
    except BaseException:
        with suppress(OSError):
            partial.unlink()
        raise


def _opened(target: Path) -> tuple[IO[bytes], Path]:
    """Return a new hidden file, locked as long as it is open, and its path."""
    while True:
        partial = target.with_name(f".{target.name}.{secrets.token_hex(4)}.partial")
        handle = partial.open("xb")
        with suppress(OSError):  # a file system without locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        if partial.exists():
            return handle, partial
        handle.close()  # taken for a leftover between the two lines above


def remove_partials(folder: Path, name: str | None = None) -> None:
    """Remove hidden files that killed runs have left, of all names or of one.

    Those that a process is writing to are locked, and stay.
    """
    try:
        with os.scandir(folder) as entries:
            found = [(e.path, PARTIAL.fullmatch(e.name)) for e in entries]
    except OSError:
        return  # no such folder, or one that cannot be read: writing will tell
    for path, match in found:
        if match is not None and name in (None, match["name"]):
            with suppress(OSError):  # written to, or gone already
                _remove_unlocked(Path(path))


def _remove_unlocked(path: Path) -> None:
    with path.open("r+b") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink()


def sync_folder(folder: Path) -> None:
    """Make new names in a folder durable (fsync)."""
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


def append_line(path: str | Path, line: str) -> None:
    """Add a line to a log; one that cannot be written whole is taken back.

    It reaches the operating system, not the disk: what a log says can be done again.

    Raises
    ------
    WriteError
        If the line cannot be written.
    """
    try:
        with Path(path).open("ab", buffering=0) as log:
            whole = log.tell()
            data = line.encode() + b"\n"
            try:
                if log.write(data) < len(data):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            except BaseException:
                log.truncate(whole)
                raise
    except OSError as error:
        raise WriteError(_explain(error, Path(path))) from error


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
