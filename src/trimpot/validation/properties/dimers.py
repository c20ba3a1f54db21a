"""Dimers of all pairs of the phase's elements, from 0.2 A to the cutoff."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING

import numpy as np
from ase import Atoms
from ase.calculators.calculator import CalculatorError

from trimpot.elements import SYMBOLS, covalent_radius
from trimpot.errors import EngineError, InputError, NonFiniteResultError
from trimpot.validation.properties.case import silent
from trimpot.validation.properties.outcome import Curve, Outcome, Value, guarded
from trimpot.validation.scans import Scan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ase.calculators.calculator import Calculator

    from trimpot.contract import FloatArray
    from trimpot.validation.properties.case import Case, Phase, Report
    from trimpot.validation.subjects import Subject

VERSION = 1

TAKES = ("crystal", "molecule")

SMALL_FORCE = 0.01
"""eV/A below which a sign does not count."""

SHORT = 0.55
"""Share of the sum of covalent radii; the shortest bonds, W2 and Mo2, are at 0.62."""

UNKNOWN_CUTOFF_A = 8.0
"""How far models are scanned whose cutoff nobody knows."""


@dataclass(frozen=True)
class Settings:
    """Distances.

    Attributes
    ----------
    shortest : float
        The first distance, angstrom.
    longest : float or None
        The last one, angstrom; None: the model's cutoff, or 8 where it is unknown.
    step : float
        Angstrom between two.
    """

    shortest: float = 0.2
    longest: float | None = None
    step: float = 0.02


def check(phase: Phase, settings: Settings) -> None:  # noqa: ARG001
    """Refuse distances that do not rise.

    Raises
    ------
    InputError
        If they do not.
    """
    longest = UNKNOWN_CUTOFF_A if settings.longest is None else settings.longest
    if not (0.0 < settings.shortest < longest and settings.step > 0.0):
        raise InputError(
            f"dimers: from {settings.shortest:g} to {longest:g} A in steps of "
            f"{settings.step:g}, expected distances that rise from above 0"
        )


@guarded
def measure(
    subject: Subject, case: Case, settings: Settings, report: Report = silent
) -> Outcome:
    """Return how two atoms alone attract and repel, for each pair A-B.

    Values: ``A-B_distance`` (A) and ``A-B_depth`` (eV, below that of atoms far apart) of
    the lowest minimum (outside of a hole); ``A-B_flips``, how often the force (above 0.01
    eV/A) changes its sign, 1 for a simple bond; ``A-B_hole`` (A), below which atoms fall
    onto each other (they attract below 0.55 of the sum of covalent radii), 0 if they never
    do, and where there is one ``A-B_wall`` (eV), how high the way to it climbs. Curves:
    ``A-B`` (energy over distance). A pair that repels at all distances has no minimum,
    which is a failure of this pair.
    """
    check(case.phase, settings)
    pairs = _pairs(case.phase)
    values: dict[str, Value] = {}
    curves: dict[str, Curve] = {}
    repelling, notes = [], []
    r = _distances(subject, settings)
    for pair in pairs:
        name = "-".join(SYMBOLS[z] for z in pair)
        scan, why = _scan(subject.calculator(), name, pair, r)
        found = _found(scan, pair)
        notes += _notes(name, found, why)
        values |= {f"{name}_{key}": value for key, value in found.items()}
        curves[name] = Curve(scan.r, scan.energy, "distance (A)", "energy (eV)")
        if "distance" not in found:
            repelling.append(name)
        report(len(curves) / len(pairs))
    failure = f"{', '.join(repelling)}: no minimum" if repelling else None
    spoiled = tuple(f"{n}_{key}" for n in repelling for key in ("distance", "depth"))
    return Outcome(values, curves, asdict(settings), tuple(notes), failure, spoiled)


def _notes(name: str, found: Mapping[str, Value], why: str | None) -> list[str]:
    notes = [] if why is None else [why]
    if "wall" in found:
        hole, wall = found["hole"].value, found["wall"].value
        notes.append(f"{name} attracts below {hole:.2f} A, behind a wall of {wall:.3g} eV")
    return notes


def _pairs(phase: Phase) -> list[tuple[int, int]]:
    numbers = sorted({int(z) for z in phase.primitive().numbers})
    return list(combinations_with_replacement(numbers, 2))


def _distances(subject: Subject, settings: Settings) -> FloatArray:
    longest = settings.longest
    if longest is None:
        known = subject.potential
        longest = UNKNOWN_CUTOFF_A if known is None else known.cutoff
    distances: FloatArray = np.arange(
        settings.shortest, longest + 0.5 * settings.step, settings.step
    )
    return distances


def _scan(
    calculator: Calculator, name: str, pair: tuple[int, int], r: FloatArray
) -> tuple[Scan, str | None]:
    """Return energies relative to the farthest point, and forces.

    From the farthest point inwards, until the model gives up; why is the second result.
    """
    energy: list[float] = []
    force: list[float] = []
    why = None
    for length in r[::-1]:
        atoms = Atoms(pair, positions=[(0.0, 0.0, 0.0), (length, 0.0, 0.0)])
        atoms.calc = calculator
        try:
            found = float(atoms.get_potential_energy()), float(atoms.get_forces()[1, 0])
        except (NonFiniteResultError, EngineError, CalculatorError, ArithmeticError) as e:
            if not energy:
                raise
            why = f"{name}: no answer at {length:.2f} A: {' '.join(str(e).split())[:200]}"
            break
        if not np.isfinite(found).all():
            why = f"{name}: no finite number at {length:.2f} A"
            break
        energy.append(found[0])
        force.append(found[1])
    kept = r[len(r) - len(energy) :]
    below = np.array(energy[::-1]) - energy[0]
    return Scan(name, kept, below, np.array(force[::-1])), why


def _found(scan: Scan, pair: tuple[int, int]) -> dict[str, Value]:
    """Return what a scan says."""
    strong = np.abs(scan.force) > SMALL_FORCE
    kept = Scan(scan.name, scan.r[strong], scan.energy[strong], scan.force[strong])
    hole = _hole(kept, SHORT * sum(covalent_radius(z) for z in pair))
    found = {"flips": Value(float(kept.force_flips), ""), "hole": Value(hole, "A")}
    if hole > 0.0:
        found["wall"] = Value(float(scan.energy[scan.r >= hole].max()), "eV")
    minima = [float(r) for r in kept.minima if r > hole]
    if minima:
        energies = np.interp(minima, scan.r, scan.energy)
        lowest = int(energies.argmin())
        found["distance"] = Value(minima[lowest], "A")
        found["depth"] = Value(-float(energies[lowest]), "eV")
    return found


def _hole(scan: Scan, short: float) -> float:
    """Return the distance at which repulsion ends that should not, or 0."""
    attracting = np.flatnonzero((scan.force < 0.0) & (scan.r < short))
    if len(attracting) == 0:
        return 0.0
    repelling = np.flatnonzero(scan.force > 0.0)
    outside = repelling[repelling > attracting[-1]]
    return float(scan.r[outside[0] if len(outside) else -1])
