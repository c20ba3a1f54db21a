"""Gamma lines: energy of a crystal whose halves are shifted along a plane."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
from ase.build import make_supercell

from trimpot.errors import InputError
from trimpot.validation.properties.case import silent
from trimpot.validation.properties.outcome import Curve, Outcome, Value, guarded
from trimpot.validation.properties.relaxing import energy_per_atom, relax_across

if TYPE_CHECKING:
    from ase import Atoms

    from trimpot.contract import FloatArray
    from trimpot.validation.properties.case import Case, Phase, Report
    from trimpot.validation.subjects import Subject

VERSION = 1

FAULTED = "111<112>"
"""The system whose line has a stacking fault, at a third of the shift."""

SYSTEMS = {
    ("bcc", "110<111>"): (((1, -1, 1), (0, 0, 1), (1, 1, 0)), (0.5, -0.5, 0.5)),
    ("bcc", "112<111>"): (((1, 1, -1), (1, -1, 0), (1, 1, 2)), (0.5, 0.5, -0.5)),
    ("fcc", "111<112>"): (((1, -1, 0), (1, 1, -2), (1, 1, 1)), (0.5, 0.5, -1.0)),
    ("fcc", "111<110>"): (((1, -1, 0), (1, 1, -2), (1, 1, 1)), (0.5, -0.5, 0.0)),
}
"""Two vectors in the plane and one across it, in conventional vectors; the whole shift."""


@dataclass(frozen=True)
class Settings:
    """Plane and shift, slab, relaxation.

    Attributes
    ----------
    system : str
        "110<111>" or "112<111>" in bcc; "111<112>" (through the stacking fault at a third
        of it) or "111<110>" in fcc.
    points : int
        Shifts from none to a whole one.
    thickness : float
        Least thickness of the crystal between two faults, angstrom.
    fmax : float
        Forces across the plane that are left, eV/A.
    steps : int
        Most steps of a relaxation.
    """

    system: str = "110<111>"
    points: int = 11
    thickness: float = 24.0
    fmax: float = 0.01
    steps: int = 300

    def __post_init__(self) -> None:
        known = sorted({system for _, system in SYSTEMS})
        if self.system not in known or self.points < 3:
            raise InputError(
                f"gamma line: found the system {self.system!r} with {self.points} points, "
                f"expected one of {', '.join(known)} and at least 3"
            )


@guarded
def measure(
    subject: Subject, case: Case, settings: Settings, report: Report = silent
) -> Outcome:
    """Return ``unstable``, the highest energy of the line, in eV/A^2.

    The cell is tilted by the shift, so that there is one fault per period and no surface.
    Atoms relax across the plane only. Of "111<112>" it is the highest up to the stacking
    fault at a third of the shift, whose energy is ``stacking_fault``. Curve ``line``:
    energies over the share of the shift.

    Raises
    ------
    InputError
        If the phase has no such system.
    """
    check(case.phase, settings)
    vectors, shift = SYSTEMS[case.phase.lattice, settings.system]
    crystal = _oriented(case, vectors, settings.thickness)
    whole = _in_plane(case, vectors, shift)
    shares = np.linspace(0.0, 1.0, settings.points)
    if settings.system == FAULTED:
        shares = np.unique(np.append(shares, 1.0 / 3.0))
    energies, trouble = _line(crystal, shares, whole, subject, settings, report)
    if energies.min() < -1e-5:
        trouble.append("the crystal lowers its energy by a fault")
    name = f"share of the shift, {settings.system}"
    curves = {"line": Curve(shares, energies, name, "energy (eV/A^2)")}
    notes, failure = (f"{len(crystal)} atoms",), "; ".join(trouble) or None
    values = _values(settings.system, shares, energies)
    return Outcome(values, curves, asdict(settings), notes, failure)


def check(phase: Phase, settings: Settings) -> None:
    """Raise ``InputError`` if a phase has no such system."""
    known = [system for lattice, system in SYSTEMS if lattice == phase.lattice]
    if settings.system not in known:
        raise InputError(
            f"gamma line: {phase.lattice} has no system {settings.system}, expected "
            f"{' or '.join(known) or 'another lattice: bcc or fcc'}"
        )


def _line(
    crystal: Atoms,
    shares: FloatArray,
    whole: FloatArray,
    subject: Subject,
    settings: Settings,
    report: Report,
) -> tuple[FloatArray, list[str]]:
    """Return the energy per area of each shift, eV/A^2, and what went wrong."""
    calculator = subject.calculator()
    area = float(np.linalg.norm(np.cross(*crystal.cell.array[:2])))
    perfect = energy_per_atom(crystal.copy(), calculator) * len(crystal)
    energies, trouble = np.zeros(len(shares)), []
    for k, share in enumerate(shares):
        faulted = crystal.copy()
        cell = crystal.cell.array.copy()
        cell[2] += share * whole
        faulted.set_cell(cell)
        end = relax_across(faulted, calculator, settings.fmax, settings.steps)
        energies[k] = (end.energy - perfect) / area
        trouble += [f"at {share:.2f}: {end.trouble}"] if end.trouble else []
        report((k + 1) / len(shares))
    return energies, trouble


def _values(system: str, shares: FloatArray, energies: FloatArray) -> dict[str, Value]:
    if system != FAULTED:
        return {"unstable": Value(float(energies.max()), "eV/A^2")}
    third = int(np.argmin(np.abs(shares - 1.0 / 3.0)))
    return {
        "unstable": Value(float(energies[: third + 1].max()), "eV/A^2"),
        "stacking_fault": Value(float(energies[third]), "eV/A^2"),
    }


def _oriented(case: Case, vectors: tuple[tuple[int, ...], ...], thickness: float) -> Atoms:
    """Return the crystal with the plane along x and y, of enough periods across it."""
    conventional = case.phase.conventional(case.a0)
    crystal = make_supercell(conventional, np.array(vectors))
    crystal.rotate(crystal.cell[0], "x", rotate_cell=True)
    normal = np.cross(*crystal.cell.array[:2])
    crystal.rotate(normal, "z", rotate_cell=True)
    height = crystal.get_volume() / np.linalg.norm(normal)
    oriented: Atoms = crystal * (1, 1, max(1, int(np.ceil(thickness / height))))
    return oriented


def _in_plane(
    case: Case, vectors: tuple[tuple[int, ...], ...], shift: tuple[float, ...]
) -> FloatArray:
    """Return the whole shift in the frame of the oriented crystal."""
    share = np.linalg.solve(np.array(vectors, dtype=np.float64).T, np.array(shift))
    one = _oriented(case, vectors, 0.1).cell.array
    whole: FloatArray = share @ one
    return whole
