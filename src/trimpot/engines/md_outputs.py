"""Files of a run: a log and a trajectory that can be read at any moment."""

from __future__ import annotations

import gzip
import io
import os
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Self

from ase import Atoms
from ase.io import write

from trimpot.engines.charges import charge_info
from trimpot.engines.md_samples import Sample, snapshot
from trimpot.errors import DataError, InputError, WriteError

if TYPE_CHECKING:
    from types import TracebackType

    from trimpot.contract import FloatArray

LOG_COLUMNS = (
    "step",
    "time_fs",
    "potential_ev_per_atom",
    "kinetic_ev_per_atom",
    "total_ev_per_atom",
    "temperature_k",
    "pressure_gpa",
    "conserved_ev_per_atom",
    "volume_a3_per_atom",
    "largest_grade",
)

COMPRESSION = 6
"""Level of gzip; more takes longer than it saves."""


class AppendedFile:
    """A file that grows by whole pieces of text, never by a part of one.

    It is made with its first piece, so that a run that is refused leaves none. Every
    piece reaches the operating system at once. A piece that cannot be written whole (full
    disk, stop signal) is taken back.

    Parameters
    ----------
    path
        A new file; with ``whole``, one that goes on.
    whole : int, optional
        Bytes of the file that count; what comes after them is cut off.
    compressed : bool
        Whether every piece becomes a gzip member of its own.

    Raises
    ------
    InputError
        If the file that goes on is missing or too short.
    WriteError
        If a new file exists or cannot be written.
    """

    def __init__(
        self, path: str | Path, *, whole: int | None = None, compressed: bool = False
    ) -> None:
        self.path = Path(path)
        self.compressed = compressed
        self._whole = 0
        self._handle: IO[bytes] | None = None
        if whole is not None:
            self._cut(whole)

    def append(self, text: str) -> None:
        """Add a piece."""
        piece = text.encode()
        if self.compressed:
            piece = gzip.compress(piece, COMPRESSION, mtime=0)
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

    def sync(self) -> int:
        """Bring everything to the disk; return the number of bytes."""
        if self._handle is not None:
            try:
                os.fsync(self._handle.fileno())
            except OSError as error:
                raise self._failed(error) from error
        return self._whole

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

    def _cut(self, whole: int) -> None:
        """Open a file that goes on, without what comes after ``whole`` bytes."""
        size = self.path.stat().st_size if self.path.exists() else 0
        if size < whole:
            raise InputError(
                f"{self.path} has {size} bytes, expected at least {whole}: it was changed "
                "since the checkpoint; put the file back, or start a new run"
            )
        if not self.path.exists():
            return
        try:
            self._handle = self.path.open("r+b")
            self._handle.truncate(whole)
            self._handle.seek(whole)
        except OSError as error:
            raise self._failed(error) from error
        self._whole = whole

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
    """Samples as CSV, one line each; numbers are exact.

    Parameters
    ----------
    path, whole
        As ``AppendedFile``.
    interval : int
        Steps between two lines.
    """

    def __init__(
        self, path: str | Path, interval: int, *, whole: int | None = None
    ) -> None:
        super().__init__(path, whole=whole)
        self.interval = interval

    def record(self, atoms: Atoms, sample: Sample) -> None:  # noqa: ARG002
        """Add a line; what does not exist is an empty field."""
        values = (
            sample.potential,
            sample.kinetic,
            sample.total,
            sample.temperature_k,
            sample.pressure_gpa,
            sample.conserved,
            sample.volume_a3,
            sample.grade,
        )
        fields = [str(sample.step), f"{sample.time_fs:.10g}"]
        fields += ["" if value is None else repr(float(value)) for value in values]
        header = ",".join(LOG_COLUMNS) + "\n" if self._whole == 0 else ""
        self.append(header + ",".join(fields) + "\n")


def read_log(path: str | Path, timestep_fs: float) -> list[Sample]:
    """Return the samples of a log, bit by bit.

    Raises
    ------
    DataError
        If it is not a log of this Trimpot.
    """
    with Path(path).open(encoding="utf-8", errors="replace") as lines:
        first = next(lines, "").rstrip("\n")
        if not first:  # kept before the first step
            return []
        if first != ",".join(LOG_COLUMNS):
            raise DataError(
                f"{path}: the first line does not name the columns of a log; expected "
                f"{','.join(LOG_COLUMNS)}; put the file back, or start a new run"
            )
        try:
            return [_sample(line.rstrip("\n").split(","), timestep_fs) for line in lines]
        except ValueError as error:
            raise DataError(
                f"{path}: a line is not a sample ({error}); put the file back, or start a "
                "new run"
            ) from error


def _sample(fields: list[str], timestep_fs: float) -> Sample:
    step, _, potential, kinetic, _, temperature, *rest = fields
    pressure, conserved, volume, grade = (float(f) if f else None for f in rest)
    return Sample(
        step=int(step),
        time_fs=int(step) * timestep_fs,
        potential=float(potential),
        kinetic=float(kinetic),
        temperature_k=float(temperature),
        pressure_gpa=pressure,
        conserved=conserved,
        volume_a3=volume,
        grade=grade,
    )


class TrajectoryFile(AppendedFile):
    """Frames as extended XYZ, with momenta, energy, forces and stress; atoms not wrapped.

    Parameters
    ----------
    path, whole, compressed
        As ``AppendedFile``.
    interval : int
        Steps between two frames.
    """

    def __init__(
        self,
        path: str | Path,
        interval: int,
        *,
        whole: int | None = None,
        compressed: bool = False,
    ) -> None:
        super().__init__(path, whole=whole, compressed=compressed)
        self.interval = interval

    def record(self, atoms: Atoms, sample: Sample) -> None:
        """Add a frame."""
        self.append(extxyz(snapshot(atoms, sample)))


class ExtrapolationFile(AppendedFile):
    """Structures to label, as extended XYZ with the grade of every atom.

    They have no energies and forces: those would be what the potential says, and must not
    be taken for reference data.
    """

    def save(self, atoms: Atoms, step: int, grades: FloatArray) -> None:
        """Add a structure."""
        frame = Atoms(atoms.numbers, atoms.positions, cell=atoms.cell, pbc=atoms.pbc)
        frame.arrays["grade"] = grades
        known = {"step": step, "largest_grade": float(grades.max())}
        frame.info = {**known, **charge_info(atoms)}
        self.append(extxyz(frame))


def extxyz(frame: Atoms) -> str:
    """Return one frame as extended XYZ."""
    text = io.StringIO()
    write(text, frame, format="extxyz")
    return text.getvalue()
