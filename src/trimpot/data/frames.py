"""Frames with their reference labels, and data sets of frames.

Units and signs: docs/conventions.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, overload

import numpy as np

from trimpot.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from trimpot.contract import FloatArray, Structure
    from trimpot.data.report import ReadReport

Scalar = str | int | float | bool


@dataclass(frozen=True, eq=False)  # arrays: compared by identity or fingerprint
class Frame:
    """One structure with the labels that a reference calculation gave it.

    Attributes
    ----------
    structure : Structure
        Atoms and cell.
    energy : float or None
        Total energy in eV, or None where it is not known.
    forces : (n, 3) float64 or None
        Forces in eV/A; not writeable.
    stress : (3, 3) float64 or None
        Symmetric stress in eV/A^3, tension positive; not writeable.
    config_type : str
        Group of the frame, for weights and error tables.
    info : mapping
        Every other scalar field of the frame, for splits and selections.
    source : str
        File and 0-based frame number, for example ``w14.extxyz.xz#12``.

    Raises
    ------
    InputError
        If the shape of forces or stress does not fit the structure.
    """

    structure: Structure
    energy: float | None = None
    forces: FloatArray | None = None
    stress: FloatArray | None = None
    config_type: str = "default"
    info: Mapping[str, Scalar] = field(default_factory=dict)
    source: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "info", MappingProxyType(dict(self.info)))
        for name, shape in (("forces", (len(self.structure), 3)), ("stress", (3, 3))):
            array = getattr(self, name)
            if array is None:
                continue
            if np.shape(array) != shape:
                raise InputError(
                    f"{self.source or 'frame'}: {name} of shape {np.shape(array)}, "
                    f"expected {shape}; give one row per atom (forces) or a 3x3 stress"
                )
            object.__setattr__(self, name, read_only(array))

    def __len__(self) -> int:
        return len(self.structure)

    def __reduce__(self) -> tuple[type[Frame], tuple[object, ...]]:
        """Make frames copyable and picklable in spite of the read-only mapping."""
        labels = (self.energy, self.forces, self.stress)
        return Frame, (
            self.structure,
            *labels,
            self.config_type,
            dict(self.info),
            self.source,
        )


@dataclass(frozen=True, eq=False)  # arrays: compared by identity or fingerprint
class Dataset(Sequence[Frame]):
    """Frames in the order of the files, with the report of how they were read.

    A sequence of frames: it can be given wherever frames are expected.

    Attributes
    ----------
    frames : tuple of Frame
        The frames.
    report : ReadReport
        What was read, from which keys, and what was left aside.
    """

    frames: tuple[Frame, ...]
    report: ReadReport

    def __len__(self) -> int:
        return len(self.frames)

    def __iter__(self) -> Iterator[Frame]:
        return iter(self.frames)

    @overload
    def __getitem__(self, index: int) -> Frame: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Frame, ...]: ...
    def __getitem__(self, index: int | slice) -> Frame | tuple[Frame, ...]:
        return self.frames[index]

    @cached_property
    def species(self) -> tuple[int, ...]:
        """Atomic numbers that occur, ascending."""
        found: set[int] = set()
        for frame in self.frames:
            found.update(frame.structure.numbers.tolist())
        return tuple(sorted(found))

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 (hex) over the structures and labels, independent of file names."""
        return fingerprint_of(self.frames)


def fingerprint_of(frames: Sequence[Frame]) -> str:
    """Return SHA-256 (hex) over structures and labels of frames."""
    digest = hashlib.sha256()
    for frame in frames:
        structure = frame.structure
        digest.update(np.int64(len(structure)).tobytes())
        digest.update(structure.numbers.astype("<i4").tobytes())
        digest.update(np.asarray(structure.pbc, dtype=np.bool_).tobytes())
        for values in (structure.positions, structure.cell, frame.forces, frame.stress):
            _add(digest, values)
        _add(digest, None if frame.energy is None else np.array(frame.energy))
        if structure.charge:
            digest.update(f"charge {structure.charge}".encode())
    return digest.hexdigest()


def read_only(array: FloatArray) -> FloatArray:
    """Return a float64 view (or copy, where the type differs) that cannot be written."""
    view = np.ascontiguousarray(array, dtype=np.float64).view()
    view.flags.writeable = False
    return view


def _add(digest: hashlib._Hash, values: NDArray[np.float64] | None) -> None:
    """Hash an array or its absence, so that a missing label differs from zeros."""
    digest.update(b"-" if values is None else b"+" + values.astype("<f8").tobytes())
