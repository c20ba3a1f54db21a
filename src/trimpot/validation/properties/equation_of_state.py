"""Equation of state: energy over the size of a cell, its minimum, its curvature there."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq

from trimpot.errors import InputError
from trimpot.units import GPA_PER_EV_PER_A3
from trimpot.validation.properties.case import silent
from trimpot.validation.properties.outcome import Curve, Outcome, Value, guarded
from trimpot.validation.properties.relaxing import energy_per_atom

if TYPE_CHECKING:
    from ase.calculators.calculator import Calculator

    from trimpot.contract import FloatArray
    from trimpot.validation.properties.case import Case, Phase, Report
    from trimpot.validation.subjects import Subject

VERSION = 1

WINDOW = 0.015
"""Half width, as a share of a0, of the scan from which minimum and curvature come."""

ORDER, NEAR = 4, 9
"""Order of the polynomial in that scan, and its points."""


@dataclass(frozen=True)
class Settings:
    """How the curve is scanned.

    Attributes
    ----------
    low, high : float or None
        First and last lattice constant, angstrom; None: ``spread`` about that of the phase.
    spread : float
        Share of the lattice constant.
    points : int
        Lattice constants. 51 from 3.0 to 3.4 A in the published tungsten protocol.
    """

    low: float | None = None
    high: float | None = None
    spread: float = 0.06
    points: int = 51

    def __post_init__(self) -> None:
        if self.points < 5 or not 0.0 < self.spread < 0.5:
            raise InputError(
                f"points {self.points} and spread {self.spread}, expected at least 5 and "
                "a share between 0 and 0.5"
            )
        if self.low is not None and self.high is not None and not 0 < self.low < self.high:
            raise InputError(
                f"low {self.low} and high {self.high}, expected 0 < low < high"
            )


@guarded
def measure(
    subject: Subject, case: Case, settings: Settings, report: Report = silent
) -> Outcome:
    """Return lattice constant, energy per atom and bulk modulus; ions stay at their sites.

    Values: ``a0`` (A), ``energy`` (eV per atom), ``volume`` (A^3 per atom), ``B`` (GPa).
    The minimum of the scan is refined by a polynomial of order four in the lattice constant
    over 1.5 % to both sides. Curve ``energy``: energies per atom over lattice constants.
    The cell keeps its shape (c/a of hcp included).
    """
    phase, calculator = case.phase, subject.calculator()
    low = settings.low or (1.0 - settings.spread) * phase.a
    high = settings.high or (1.0 + settings.spread) * phase.a
    scan_a = np.linspace(low, high, settings.points)
    energies = _energies(phase, calculator, scan_a, report)
    curve = Curve(scan_a, energies, "lattice constant (A)", "energy per atom (eV)")
    plain = asdict(settings)
    lowest = int(np.argmin(energies))
    if lowest in (0, len(scan_a) - 1):
        end = f"{scan_a[lowest]:.3f} A"
        return Outcome(
            curves={"energy": curve},
            settings=plain,
            failure=f"no minimum between {low:.3f} and {high:.3f} A: lowest at {end}",
        )
    values = _minimum(phase, calculator, float(scan_a[lowest]), scan_a[1] - scan_a[0])
    if values is None:
        failure = f"no smooth minimum near {scan_a[lowest]:.3f} A"
        return Outcome(curves={"energy": curve}, settings=plain, failure=failure)
    return Outcome(values, {"energy": curve}, plain, notes=_notes(energies))


def _energies(
    phase: Phase, calculator: Calculator, lattice_constants: FloatArray, report: Report
) -> FloatArray:
    energies = np.zeros(len(lattice_constants))
    for i, a in enumerate(lattice_constants):
        energies[i] = energy_per_atom(phase.primitive(a), calculator)
        report((i + 1) / (len(lattice_constants) + 1))
    return energies


def _minimum(
    phase: Phase, calculator: Calculator, near: float, step: float
) -> dict[str, Value] | None:
    """Return the values at the minimum; None if a polynomial has none there."""
    a = near
    for _ in range(3):  # the window follows the minimum
        x = np.linspace(-WINDOW, WINDOW, NEAR)
        energies = _energies(phase, calculator, a * (1.0 + x), silent)
        energy = np.polynomial.Polynomial.fit(x, energies, ORDER, domain=[-1, 1])
        slope, reach = energy.deriv(), max(2.0 * step / near, 0.5 * WINDOW)
        if slope(-reach) >= 0.0 or slope(reach) <= 0.0:
            return None
        a, found = a * (1.0 + (root := brentq(slope, -reach, reach))), root
        if abs(found) < 1e-3:
            break
    atoms = phase.primitive(a)
    volume = float(atoms.get_volume()) / len(atoms)
    # E(x), a = near (1 + x), V ~ (1 + x)^3: at the minimum B = E'' (1 + x)^2 / (9 V)
    curvature = float(energy.deriv(2)(found)) * (1.0 + found) ** 2
    return {
        "a0": Value(float(a), "A"),
        "energy": Value(float(energy(found)), "eV/atom"),
        "volume": Value(volume, "A^3/atom"),
        "B": Value(curvature / (9.0 * volume) * GPA_PER_EV_PER_A3, "GPa"),
    }


def _notes(energies: FloatArray) -> tuple[str, ...]:
    """Tell of more than one minimum in the scan."""
    inner = energies[1:-1]
    minima = int(np.sum((inner < energies[:-2]) & (inner < energies[2:])))
    return (f"{minima} minima in the scan; the lowest is reported",) if minima > 1 else ()
