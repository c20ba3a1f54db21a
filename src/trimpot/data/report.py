"""The report of a reading: what was found, used and left aside, file by file."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from trimpot.units import GPA_PER_EV_PER_A3

if TYPE_CHECKING:
    from collections.abc import Mapping

_SHOWN_GROUPS = 12


@dataclass(frozen=True)
class FileReport:
    """What one file gave.

    Attributes
    ----------
    path, format : str
        File as given and format that it was read as.
    n_frames, n_not_selected, n_atoms : int
        Frames kept, frames left out by ``where``, atoms in the kept frames.
    elements : mapping
        Number of atoms of each symbol.
    labels : mapping
        Number of frames with energy, forces and stress.
    keys : mapping
        For each label, the keys that gave it and in how many frames.
    config_types : mapping
        Number of frames of each group.
    energy_per_atom : (low, high) in eV, or None
    max_force : float or None
        Largest force component's norm in eV/A.
    pressure_gpa : (low, high), compression positive, or None
    ignored : mapping
        Keys that were not used, and in how many frames they stand.
    notes : mapping
        Assumptions made, and in how many frames.
    """

    path: str
    format: str
    n_frames: int
    n_not_selected: int
    n_atoms: int
    elements: Mapping[str, int]
    labels: Mapping[str, int]
    keys: Mapping[str, Mapping[str, int]]
    config_types: Mapping[str, int]
    energy_per_atom: tuple[float, float] | None
    max_force: float | None
    pressure_gpa: tuple[float, float] | None
    ignored: Mapping[str, int]
    notes: Mapping[str, int]

    def lines(self) -> list[str]:
        """Return the report as short lines of text."""
        left_out = f", {self.n_not_selected} not selected" if self.n_not_selected else ""
        elements = ", ".join(f"{symbol} {n}" for symbol, n in self.elements.items())
        text = [
            f"{self.path} ({self.format}): {self.n_frames} frames, {self.n_atoms} atoms"
            f"{left_out}",
            f"  elements  {elements or 'none'}",
        ]
        for label in ("energy", "forces", "stress"):
            keys = ", ".join(f"{key} in {n}" for key, n in self.keys.get(label, {}).items())
            text.append(f"  {label:<9} {self.labels[label]} frames{self._range(label)}"
                        + (f"; from {keys}" if keys else ""))  # fmt: skip
        groups = [f"{name} {n}" for name, n in self.config_types.items()]
        more = len(groups) - _SHOWN_GROUPS
        shown = ", ".join(groups[:_SHOWN_GROUPS]) + (
            f" and {more} more" if more > 0 else ""
        )
        text.append(f"  groups    {shown or 'none'}")
        text += [f"  note      {note}: {n} frames" for note, n in self.notes.items()]
        text += [f"  ignored   {key}: {n} frames" for key, n in self.ignored.items()]
        return text

    def _range(self, label: str) -> str:
        if label == "energy" and self.energy_per_atom is not None:
            return " ({:.4f} to {:.4f} eV/atom)".format(*self.energy_per_atom)
        if label == "forces" and self.max_force is not None:
            return f" (largest {self.max_force:.3f} eV/A)"
        if label == "stress" and self.pressure_gpa is not None:
            return " (pressure {:.2f} to {:.2f} GPa)".format(*self.pressure_gpa)
        return ""


@dataclass(frozen=True)
class ReadReport:
    """What all files gave, with warnings that need a decision by the user.

    Attributes
    ----------
    files : tuple of FileReport
        One entry per file, in the order of reading.
    warnings : tuple of str
        What looks wrong but need not be.
    """

    files: tuple[FileReport, ...]
    warnings: tuple[str, ...] = ()

    @property
    def n_frames(self) -> int:
        """Number of frames kept."""
        return sum(file.n_frames for file in self.files)

    @property
    def n_atoms(self) -> int:
        """Number of atoms in the frames kept."""
        return sum(file.n_atoms for file in self.files)

    def count(self, label: str) -> int:
        """Return the number of frames with a label: energy, forces or stress."""
        return sum(file.labels[label] for file in self.files)

    def lines(self) -> list[str]:
        """Return the report as short lines of text."""
        text = [line for file in self.files for line in file.lines()]
        if len(self.files) > 1:
            counts = ", ".join(
                f"{self.count(x)} {x}" for x in ("energy", "forces", "stress")
            )
            text.append(f"total: {self.n_frames} frames, {self.n_atoms} atoms; {counts}")
        return text + [f"warning: {warning}" for warning in self.warnings]

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def to_dict(self) -> dict[str, object]:
        """Return the report as plain dictionaries and lists, ready for JSON."""
        return asdict(self)


def pressure_gpa(trace: float) -> float:
    """Return the pressure in GPa (compression positive) from a stress trace in eV/A^3."""
    return -trace / 3.0 * GPA_PER_EV_PER_A3
