"""Files of a run: a log and a trajectory that can be read at any moment."""

from __future__ import annotations

import io
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Self

from ase.io import write

from trimpot.engines.md_samples import snapshot
from trimpot.errors import WriteError

if TYPE_CHECKING:
    from types import TracebackType

    from ase import Atoms

    from trimpot.engines.md_samples import Sample

LOG_COLUMNS = (
    "step",
    "time_fs",
    "potential_ev_per_atom",
    "kinetic_ev_per_atom",
    "total_ev_per_atom",
    "temperature_k",
    "pressure_gpa",
)


class AppendedFile:
    """A new file that grows by whole pieces of text, never by a part of one.

    It is made with its first piece, so that a run that is refused leaves none. Every
    piece reaches the operating system at once. A piece that cannot be written whole (full
    disk, stop signal) is taken back.

    Raises
    ------
    WriteError
        If the file exists or cannot be written.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._whole = 0
        self._handle: IO[bytes] | None = None

    def append(self, text: str) -> None:
        """Add a piece."""
        piece = text.encode()
        handle = self._opened()
        try:
            handle.write(piece)
            handle.flush()
        except BaseException as error:
            self._take_back(handle)
            if isinstance(error, OSError):
                raise self._failed(error) from error
            raise
        self._whole += len(piece)

    def close(self) -> None:
        """Close the file."""
        if self._handle is not None:
            self._handle.close()

    def __enter__(self) -> Self:
        """Return the file itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file."""
        self.close()

    def _opened(self) -> IO[bytes]:
        if self._handle is None:
            try:
                self._handle = self.path.open("xb")
            except OSError as error:
                raise self._failed(error) from error
        return self._handle

    def _take_back(self, handle: IO[bytes]) -> None:
        with suppress(OSError):
            handle.close()  # what is still buffered goes out, or fails, first
        with suppress(OSError), self.path.open("r+b") as again:
            again.truncate(self._whole)

    def _failed(self, error: OSError) -> WriteError:
        return WriteError(
            f"cannot write {self.path}: {error.strerror or error}; what was complete "
            "before is kept; free space or choose another output folder, then run again"
        )


class LogFile(AppendedFile):
    """Samples as CSV, one line each.

    Parameters
    ----------
    path
        A new file.
    interval : int
        Steps between two lines.
    """

    def __init__(self, path: str | Path, interval: int) -> None:
        super().__init__(path)
        self.interval = interval
        self._header = ",".join(LOG_COLUMNS) + "\n"

    def record(self, atoms: Atoms, sample: Sample) -> None:  # noqa: ARG002
        """Add a line; a pressure that does not exist is an empty field."""
        values = [
            f"{sample.time_fs:.10g}",
            *(f"{e:.14g}" for e in (sample.potential, sample.kinetic, sample.total)),
            f"{sample.temperature_k:.8g}",
            "" if sample.pressure_gpa is None else f"{sample.pressure_gpa:.8g}",
        ]
        self.append(self._header + ",".join([str(sample.step), *values]) + "\n")
        self._header = ""


class TrajectoryFile(AppendedFile):
    """Frames as extended XYZ, with momenta, energy, forces and stress; atoms not wrapped.

    Parameters
    ----------
    path
        A new file.
    interval : int
        Steps between two frames.
    """

    def __init__(self, path: str | Path, interval: int) -> None:
        super().__init__(path)
        self.interval = interval

    def record(self, atoms: Atoms, sample: Sample) -> None:
        """Add a frame."""
        self.append(extxyz(snapshot(atoms, sample)))


def extxyz(frame: Atoms) -> str:
    """Return one frame as extended XYZ."""
    text = io.StringIO()
    write(text, frame, format="extxyz")
    return text.getvalue()
