"""Dimers, trimers and isolated atoms: what a potential does where no data are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from trimpot.engines.singlepoint import evaluate, symbol
from trimpot.errors import InputError
from trimpot.validation.check import Check
from trimpot.validation.transform import free_cluster

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trimpot.contract import FloatArray, Potential

ISOLATED_BOUND = 1e-12
TRIMER_ANGLES_DEGREES = {"equilateral": 60.0, "isosceles": 100.0, "linear": 180.0}


@dataclass(frozen=True)
class Scan:
    """Energy of a small molecule as it is stretched.

    Attributes
    ----------
    name : str
        Elements and geometry, for example ``W-W`` or ``W-Si-W linear``.
    r : (k,) float64
        Bond length in angstrom, ascending.
    energy : (k,) float64
        Energy minus the energies of the isolated atoms, eV.
    force : (k,) float64
        -dE/dr in eV/A, from the forces on the atoms; positive pushes apart.
    """

    name: str
    r: FloatArray
    energy: FloatArray
    force: FloatArray

    @property
    def minima(self) -> FloatArray:
        """Bond lengths at which repulsion turns into attraction, interpolated."""
        falls = np.flatnonzero((self.force[:-1] > 0.0) & (self.force[1:] < 0.0))
        before, after = self.force[falls], self.force[falls + 1]
        left, right = self.r[falls], self.r[falls + 1]
        crossing: FloatArray = left + (right - left) * before / (before - after)
        return crossing

    @property
    def force_flips(self) -> int:
        """How often the force changes its sign; zeros beyond the cutoff do not count."""
        signs = np.sign(self.force[self.force != 0.0])
        return int(np.count_nonzero(np.diff(signs)))


def isolated_energies(potential: Potential) -> dict[int, float]:
    """Return the energy of one atom in empty space per atomic number, eV."""
    return {
        number: evaluate(potential, free_cluster([number], np.zeros((1, 3)))).energy
        for number in potential.species
    }


def check_isolated_atoms(
    potential: Potential, expected: Mapping[int, float], *, bound: float = ISOLATED_BOUND
) -> Check:
    """Compare isolated-atom energies with those expected, eV per atomic number."""
    found = isolated_energies(potential)
    errors = {
        number: abs(found[number] - energy)
        for number, energy in expected.items()
        if number in found
    }
    if not errors:
        raise InputError(
            f"expected energies of elements {sorted(expected)} do not fit the species "
            f"{potential.species} of the potential; give at least one in common"
        )
    worst = max(errors, key=lambda number: errors[number])
    return Check("isolated atoms", errors[worst], bound, "eV", symbol(worst))


def dimer_scan(potential: Potential, first: int, second: int, r: FloatArray) -> Scan:
    """Return the scan of two atoms, atomic numbers ``first`` and ``second``.

    Parameters
    ----------
    r : (k,) float64
        Distances in angstrom, positive, ascending.
    """
    _check_lengths(r)
    alone = isolated_energies(potential)
    energy, force = np.empty(len(r)), np.empty(len(r))
    for k, length in enumerate(r):
        positions = np.array([[0.0, 0.0, 0.0], [length, 0.0, 0.0]])
        result = evaluate(potential, free_cluster([first, second], positions), threads=1)
        energy[k] = float((result.energies - [alone[first], alone[second]]).sum())
        force[k] = result.forces[1, 0]
    return Scan(f"{symbol(first)}-{symbol(second)}", r.copy(), energy, force)


def trimer_scan(
    potential: Potential,
    numbers: tuple[int, int, int],
    r: FloatArray,
    *,
    geometry: str = "equilateral",
) -> Scan:
    """Return the scan of three atoms whose two equal bonds are stretched together.

    Parameters
    ----------
    numbers
        Atomic numbers of the centre and its two neighbours.
    r : (k,) float64
        Length of both bonds in angstrom, positive, ascending.
    geometry : {"equilateral", "isosceles", "linear"}
        Angle at the centre: 60, 100 or 180 degrees.
    """
    if geometry not in TRIMER_ANGLES_DEGREES:
        raise InputError(
            f"unknown trimer geometry {geometry!r}; use one of {[*TRIMER_ANGLES_DEGREES]}"
        )
    scan = bent_trimer_scan(potential, numbers, r, TRIMER_ANGLES_DEGREES[geometry])
    return replace(scan, name=f"{_trimer_name(numbers)} {geometry}")


def bent_trimer_scan(
    potential: Potential,
    numbers: tuple[int, int, int],
    r: FloatArray,
    angle_degrees: float,
) -> Scan:
    """Return the scan of ``trimer_scan`` at any angle at the centre."""
    _check_lengths(r)
    angle = np.deg2rad(angle_degrees)
    legs = np.array([[1.0, 0.0, 0.0], [np.cos(angle), np.sin(angle), 0.0]])
    alone = isolated_energies(potential)
    zero = np.array([alone[number] for number in numbers])
    energy, force = np.empty(len(r)), np.empty(len(r))
    for k, length in enumerate(r):
        positions = np.concatenate([np.zeros((1, 3)), length * legs])
        result = evaluate(potential, free_cluster(list(numbers), positions), threads=1)
        energy[k] = float((result.energies - zero).sum())
        force[k] = float((result.forces[1:] * legs).sum())
    return Scan(
        f"{_trimer_name(numbers)} {angle_degrees:g} degrees", r.copy(), energy, force
    )


def _trimer_name(numbers: tuple[int, int, int]) -> str:
    return "-".join(symbol(numbers[k]) for k in (1, 0, 2))


def check_repulsion(scan: Scan, below: float) -> Check:
    """Every bond shorter than ``below`` (angstrom) must push apart, ever more strongly.

    The value counts points with a force that is not positive or an energy that does not
    rise towards shorter bonds; not one may.

    Raises
    ------
    InputError
        If fewer than two points of the scan lie below.
    """
    core = scan.r < below
    if np.count_nonzero(core) < 2:
        raise InputError(
            f"scan {scan.name} starts at {scan.r[0]} A, expected at least two points below "
            f"{below} A; scan shorter bonds"
        )
    wrong = ~(scan.force[core] > 0.0)
    wrong[:-1] |= ~(np.diff(scan.energy[core]) < 0.0)
    lengths = scan.r[core][wrong]
    detail = f"below {below:g} A"
    if len(lengths):
        detail += f"; attractive from {lengths.min():g} to {lengths.max():g} A"
    return Check(f"repulsion {scan.name}", float(len(lengths)), 0.0, "points", detail)


def _check_lengths(r: FloatArray) -> None:
    if r.ndim != 1 or len(r) == 0 or not r[0] > 0.0 or np.any(np.diff(r) <= 0.0):
        raise InputError("bond lengths of a scan must be positive and ascending, in A")
