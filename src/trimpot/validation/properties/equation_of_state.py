"""Equation of state: energy over the size of a cell, its minimum, its curvature there."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq, minimize_scalar

from trimpot.errors import InputError
from trimpot.units import GPA_PER_EV_PER_A3
from trimpot.validation.properties.case import silent
from trimpot.validation.properties.outcome import Curve, Outcome, Value, guarded
from trimpot.validation.properties.relaxing import energy_per_atom

if TYPE_CHECKING:
    from ase.calculators.calculator import Calculator
    from numpy.polynomial import Polynomial

    from trimpot.contract import FloatArray
    from trimpot.validation.properties.case import Case, Phase, Report
    from trimpot.validation.subjects import Subject

VERSION = 1

WINDOWS = (0.015, 0.005, 0.0015)
"""Half widths, as shares of a0, of the scan from which minimum and curvature come: the
first one in which the energy is smooth."""

ROUGH = 0.02
"""Departure from the polynomial, as a share of the depth, from which a curve is rough."""

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
    over 1.5 % to both sides, less where the energy is not smooth there (a note says so).
    Curve ``energy``: energies per atom over lattice constants. The cell keeps its shape
    (c/a of hcp included).
    """
    phase, calculator = case.phase, subject.calculator()
    low = settings.low or (1.0 - settings.spread) * phase.a
    high = settings.high or (1.0 + settings.spread) * phase.a
    scan_a = np.linspace(low, high, settings.points)
    energies = _energies(phase, calculator, scan_a, report)
    curve = Curve(scan_a, energies, "lattice constant (A)", "energy per atom (eV)")
    plain = asdict(settings)
    step = float(scan_a[1] - scan_a[0])
    minima = _minima(energies)
    failure = f"no minimum between {low:.3f} and {high:.3f} A"
    for place in minima:
        found = _minimum(phase, calculator, float(scan_a[place]), step)
        if found is not None:
            notes = _notes(scan_a[minima], place == minima[0], found[1])
            return Outcome(found[0], {"energy": curve}, plain, notes)
        failure = f"no smooth minimum, the energy jumps near {scan_a[minima[0]]:.3f} A"
    if not minima:
        failure += f": lowest at {scan_a[int(np.argmin(energies))]:.3f} A"
    return Outcome(curves={"energy": curve}, settings=plain, failure=failure)


def _minima(energies: FloatArray) -> list[int]:
    """Return the places of minima within the scan, lowest first."""
    inner = energies[1:-1]
    places = 1 + np.flatnonzero((inner < energies[:-2]) & (inner < energies[2:]))
    return [int(i) for i in places[np.argsort(energies[places])]]


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
) -> tuple[dict[str, Value], float] | None:
    """Return the values at the minimum, and the window; None if there is no smooth one."""
    for window in WINDOWS:
        place = _lowest_point(phase, calculator, near, step, window)
        energies = _energies(phase, calculator, place * _scan(window), silent)
        energy = np.polynomial.Polynomial.fit(_scan(window) - 1.0, energies, ORDER)
        roughness = np.abs(energy(_scan(window) - 1.0) - energies).max()
        slope = energy.deriv()
        if roughness > ROUGH * np.ptp(energies) or not slope(-window) < 0.0 < slope(window):
            continue
        x = float(brentq(slope, -window, window))
        return _values(phase, place * (1.0 + x), energy, x), window
    return None


def _scan(window: float) -> FloatArray:
    return np.linspace(1.0 - window, 1.0 + window, NEAR)


def _lowest_point(
    phase: Phase, calculator: Calculator, near: float, step: float, window: float
) -> float:
    """Return about where the energy is lowest, within a step of the scan to both sides."""
    found = minimize_scalar(
        lambda a: float(_energies(phase, calculator, np.array([a]), silent)[0]),
        bounds=(near - step, near + step),
        method="bounded",
        options={"xatol": 0.01 * window * near},
    )
    return float(found.x)


def _values(phase: Phase, a: float, energy: Polynomial, x: float) -> dict[str, Value]:
    atoms = phase.primitive(a)
    volume = float(atoms.get_volume()) / len(atoms)
    # with a = place (1 + x), V ~ (1 + x)^3: at the minimum B = E'' (1 + x)^2 / (9 V)
    curvature = float(energy.deriv(2)(x)) * (1.0 + x) ** 2
    return {
        "a0": Value(float(a), "A"),
        "energy": Value(float(energy(x)), "eV/atom"),
        "volume": Value(volume, "A^3/atom"),
        "B": Value(curvature / (9.0 * volume) * GPA_PER_EV_PER_A3, "GPa"),
    }


def _notes(minima: FloatArray, first: bool, window: float) -> tuple[str, ...]:
    """Tell of more than one minimum in the scan, and of an energy that is not smooth."""
    notes = []
    if not first:
        notes.append(f"the lowest energy stands at a jump, near {minima[0]:.3f} A")
    if len(minima) > 1:
        notes.append(f"{len(minima)} minima in the scan; the lowest smooth one is reported")
    if window < WINDOWS[0]:
        notes.append(
            "the energy jumps or kinks near the minimum, as at a sharp cutoff; "
            f"B is that within {100 * window:g} % of a0"
        )
    return tuple(notes)
