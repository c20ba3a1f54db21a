"""What one evaluation of a frame says, beside its labels."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from trimpot.engines.singlepoint import symbol
from trimpot.reports.document import TextTable
from trimpot.units import GPA_PER_EV_PER_A3
from trimpot.validation.comparisons import VOIGT_COLUMNS, VOIGT_ROWS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trimpot.contract import Evaluation, FloatArray
    from trimpot.data import Frame


@dataclass(frozen=True)
class SinglePoint:
    """Energy, forces and stress of one frame in short.

    Attributes
    ----------
    source, formula, atoms
        Which frame it is.
    energy : float
        Total energy in eV.
    fmax : float
        Largest force on an atom, eV/A.
    stress_gpa : tuple of 6 float or None
        xx yy zz yz xz xy, tension positive; None without a volume, or where forces are
        not the gradient of the energy.
    grade : float or None
        Largest extrapolation grade of an atom, with a grader.
    label_energy : float or None
        Total energy of the label, eV.
    label_fmax : float or None
        Largest force of the label, eV/A.
    force_rmse : float or None
        Root mean square difference of force components from the label, eV/A.
    label_pressure_gpa : float or None
        Of the stress of the label.
    """

    source: str
    formula: str
    atoms: int
    energy: float
    fmax: float
    stress_gpa: tuple[float, ...] | None
    grade: float | None = None
    label_energy: float | None = None
    label_fmax: float | None = None
    force_rmse: float | None = None
    label_pressure_gpa: float | None = None

    @property
    def energy_per_atom(self) -> float:
        """Energy in eV/atom."""
        return self.energy / self.atoms

    @property
    def pressure_gpa(self) -> float | None:
        """-trace(stress) / 3; None without a volume."""
        return None if self.stress_gpa is None else -sum(self.stress_gpa[:3]) / 3.0

    @property
    def energy_error(self) -> float | None:
        """Energy minus that of the label, eV/atom."""
        if self.label_energy is None:
            return None
        return (self.energy - self.label_energy) / self.atoms

    def to_dict(self) -> dict[str, object]:
        """Return plain values."""
        derived = {
            "energy_per_atom": self.energy_per_atom,
            "pressure_gpa": self.pressure_gpa,
            "energy_error": self.energy_error,
        }
        return {**asdict(self), **derived}


def single_point(
    frame: Frame, found: Evaluation, grades: FloatArray | None = None
) -> SinglePoint:
    """Return what an evaluation says of a frame."""
    structure = frame.structure
    stress = None
    if structure.volume > 0.0 and structure.pbc.any() and found.conservative:
        stress = _voigt(found.stress(structure.volume))
    label = None if frame.stress is None else _voigt(frame.stress)
    errors = None if frame.forces is None else found.forces - frame.forces
    return SinglePoint(
        frame.source,
        formula(structure.numbers),
        len(frame),
        found.energy,
        _largest(found.forces),
        stress,
        None if grades is None or not len(grades) else float(np.max(grades)),
        frame.energy,
        None if frame.forces is None else _largest(frame.forces),
        None if errors is None else float(np.sqrt(np.mean(errors**2))),
        None if label is None else -sum(label[:3]) / 3.0,
    )


def formula(numbers: Sequence[int] | np.ndarray) -> str:
    """Return elements with their counts, alphabetically."""
    counts = Counter(symbol(int(z)) for z in numbers)
    return "".join(f"{s}{n if n > 1 else ''}" for s, n in sorted(counts.items()))


def table_of(points: Sequence[SinglePoint], *, most: int = 0) -> TextTable:
    """Return the table for people, of the first ``most`` frames (0: all).

    Columns that no frame has are left out.
    """
    shown = points if most == 0 else points[:most]
    labelled = any(p.label_energy is not None for p in shown)
    columns: dict[str, list[str]] = {
        "frame": _short_names(shown),
        "formula": [p.formula for p in shown],
        "energy (eV)": ["" if labelled else f"{p.energy:.4f}" for p in shown],
        "eV/atom": [f"{p.energy_per_atom:.5f}" for p in shown],
        "label eV/atom": [
            "" if p.label_energy is None else f"{p.label_energy / p.atoms:.5f}"
            for p in shown
        ],
        "error meV/atom": [_shown(p.energy_error, 1e3, 2) for p in shown],
        "max force (eV/Å)": [_shown(p.fmax) for p in shown],
        "force RMSE (eV/Å)": [_shown(p.force_rmse) for p in shown],
        "pressure (GPa)": [_shown(p.pressure_gpa, 1.0, 3) for p in shown],
        "label GPa": [_shown(p.label_pressure_gpa, 1.0, 3) for p in shown],
        "grade": [_shown(p.grade, 1.0, 3) for p in shown],
    }
    kept = {name: cells for name, cells in columns.items() if any(cells)}
    rows = tuple(zip(*kept.values(), strict=True))
    return TextTable("", tuple(kept), rows)


def detail_lines(point: SinglePoint) -> list[str]:
    """Return all about one frame."""
    lines = [
        f"{point.source}: {point.formula}",
        f"energy    {point.energy:.6f} eV, {point.energy_per_atom:.6f} eV/atom"
        + _beside(point.label_energy, "eV"),
        f"max force {point.fmax:.6g} eV/A" + _beside(point.label_fmax, "eV/A"),
    ]
    if point.force_rmse is not None:
        lines.append(f"force RMSE {point.force_rmse:.4g} eV/A")
    if point.stress_gpa is not None:
        components = " ".join(f"{s:.4f}" for s in point.stress_gpa)
        lines += [
            f"pressure  {point.pressure_gpa:.4f} GPa"
            + _beside(point.label_pressure_gpa, "GPa"),
            f"stress    {components} GPa (xx yy zz yz xz xy, tension positive)",
        ]
    if point.grade is not None:
        lines.append(f"grade     {point.grade:.3g} (largest of an atom)")
    return lines


def _beside(label: float | None, unit: str) -> str:
    return "" if label is None else f" (label {label:.6g} {unit})"


def _short_names(points: Sequence[SinglePoint]) -> list[str]:
    """Return sources, without the file where there is only one."""
    files = {p.source.partition("#")[0] for p in points}
    return [p.source if len(files) > 1 else p.source.rpartition("#")[2] for p in points]


def _shown(value: float | None, scale: float = 1.0, decimals: int = 4) -> str:
    return "" if value is None else f"{scale * value:.{decimals}f}"


def _largest(forces: FloatArray) -> float:
    return float(np.sqrt((forces**2).sum(axis=1).max(initial=0.0)))


def _voigt(stress: FloatArray) -> tuple[float, ...]:
    values = GPA_PER_EV_PER_A3 * stress[VOIGT_ROWS, VOIGT_COLUMNS]
    return tuple(float(s) for s in values)
