"""Output folders: made durably, written to by one run at a time."""

from __future__ import annotations

import errno
import fcntl
import os
import platform
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from trimpot.errors import InputError, WriteError
from trimpot.writing.atomic import remove_partials, sync_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

LOCK_FILE = ".lock"
WITHOUT_LOCKS = {errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK}
"""What file systems answer that have no locks."""


def make_folder(path: str | Path) -> Path:
    """Make a folder, and those above it, if missing; return its path.

    Raises
    ------
    WriteError
        If it cannot be made.
    """
    folder = Path(path)
    try:
        _make(folder)
    except OSError as error:
        raise WriteError(
            f"cannot make the folder {folder}: {error.strerror or error}; give a folder "
            "that you may write to, on a disk with free space"
        ) from error
    return folder


def _make(folder: Path) -> None:
    if folder.is_dir():
        return
    if folder.parent != folder:
        _make(folder.parent)
    folder.mkdir(exist_ok=True)
    with suppress(OSError):  # some file systems do not sync folders
        sync_folder(folder.parent)


@contextmanager
def run_folder(path: str | Path) -> Iterator[Path]:
    """Make an output folder and keep other runs out of it until the block ends.

    The system drops the lock with the process that holds it, however that ends, so a
    killed run locks nobody out. Partial files of killed runs are removed. On file systems
    without locks nobody is kept out. A new folder does not stay behind without content.

    Raises
    ------
    InputError
        If another run writes to the folder.
    WriteError
        If the folder cannot be made or written to.
    """
    is_new = not Path(path).exists()
    folder = make_folder(path)
    lock = folder / LOCK_FILE
    descriptor = _locked(lock)
    try:
        for place in (folder, *(p for p in folder.iterdir() if p.is_dir())):
            remove_partials(place)
        yield folder
    finally:
        with suppress(OSError):
            lock.unlink()  # while it is held: nobody else may hold this file
        os.close(descriptor)
        if is_new:
            with suppress(OSError):
                folder.rmdir()  # unless something was written


def _locked(lock: Path) -> int:
    """Return the descriptor of the lock file, locked."""
    while True:
        try:
            descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except OSError as error:
            raise WriteError(
                f"cannot write to {lock.parent}: {error.strerror or error}; free space or "
                "choose another output folder, then run again"
            ) from error
        try:
            if _take(descriptor, lock):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # it was removed by the run that ended just now


def _take(descriptor: int, lock: Path) -> bool:
    """Lock a descriptor; return whether it still is the file of that name."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise InputError(
            f"another run is writing to {lock.parent}{_holder(descriptor)}; wait until it "
            "ends, stop it, or choose another output folder"
        ) from None
    except OSError as error:
        if error.errno not in WITHOUT_LOCKS:
            raise WriteError(f"cannot lock {lock}: {error.strerror or error}") from error
    with suppress(OSError):  # a full disk: the lock holds, it only does not say whose
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()} on {platform.node()}".encode(), 0)
    try:
        return os.path.samestat(lock.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _holder(descriptor: int) -> str:
    name = os.pread(descriptor, 200, 0).decode(errors="replace")
    return f" ({name})" if name else ""
