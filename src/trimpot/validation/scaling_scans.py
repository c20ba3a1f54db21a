"""Crystals and frames with all lengths scaled: what happens on compression and expansion.

Energies should fall towards one scale at rest from both sides, and end at those of
isolated atoms. Where they fall again on the way in, matter collapses; where they fall on
the way out, it is thrown apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trimpot.engines.singlepoint import evaluate
from trimpot.errors import InputError
from trimpot.units import GPA_PER_EV_PER_A3
from trimpot.validation.check import Check
from trimpot.validation.scans import isolated_energies
from trimpot.validation.transform import deformed

if TYPE_CHECKING:
    from trimpot.contract import FloatArray, Potential, Structure

FALL_BOUND = 0.05
"""eV/atom that an energy may fall where it should rise."""

BARRIER = 0.01
"""eV/atom over which a structure must climb for its energy to count as a well."""

PRESSURE_BOUND_GPA = 0.2
"""Of the wrong sign."""

DEPTH_BOUND = 0.001
"""eV/atom by which an energy may lie below that of the crystal at rest."""


@dataclass(frozen=True)
class ScaledScan:
    """Energy of a structure as all its lengths are multiplied.

    Attributes
    ----------
    name : str
    scale : (k,) float64
        Ascending.
    energy : (k,) float64
        Energy minus the energies of the isolated atoms, eV/atom.
    pressure : (k,) float64
        -dE/dV in eV/A^3, from the virial; positive pushes apart. NaN where forces are
        not the gradient of the energy.
    """

    name: str
    scale: FloatArray
    energy: FloatArray
    pressure: FloatArray

    def lowest(self, low: float, high: float) -> int:
        """Return the index of the lowest energy between two scales.

        Raises
        ------
        InputError
            If no scale lies there.
        """
        between = np.flatnonzero((self.scale >= low) & (self.scale <= high))
        if len(between) == 0:
            raise InputError(
                f"scan {self.name} has no scale from {low:g} to {high:g}; "
                f"it reaches from {self.scale[0]:g} to {self.scale[-1]:g}"
            )
        return int(between[self.energy[between].argmin()])


def scaled_scan(
    potential: Potential, structure: Structure, scale: FloatArray, *, name: str
) -> ScaledScan:
    """Return the scan of a structure with a volume.

    Parameters
    ----------
    scale : (k,) float64
        Positive, ascending.

    Raises
    ------
    InputError
        For other scales, or a structure without volume.
    """
    if (
        scale.ndim != 1
        or len(scale) == 0
        or scale[0] <= 0.0
        or (np.diff(scale) <= 0.0).any()
    ):
        raise InputError("scales of a scan must be positive and ascending")
    alone = isolated_energies(potential)
    zero = sum(alone[int(z)] for z in structure.numbers)
    energy, pressure = np.empty(len(scale)), np.empty(len(scale))
    for k, factor in enumerate(scale):
        moved = deformed(structure, factor * np.eye(3))
        found = evaluate(potential, moved, threads=1)
        energy[k] = (found.energy - zero) / len(structure)
        known = found.conservative  # a stress of direct forces would be refused
        stress = found.stress(moved.volume) if known else np.full((3, 3), np.nan)
        pressure[k] = -np.trace(stress) / 3.0
    return ScaledScan(name, scale.copy(), energy, pressure)


def largest_fall(energy: FloatArray) -> tuple[float, int]:
    """Return how far energies that should rise fall at most, and the index of the end."""
    falls = np.maximum.accumulate(energy) - energy
    end = int(falls.argmax())
    return float(falls[end]), end


def wells(energy: FloatArray, depth: float) -> list[int]:
    """Return the indices of minima between rises of more than ``depth``, ends included."""
    found: list[int] = []
    extreme, falling = 0, True
    for k, e in enumerate(energy.tolist()):
        beyond = e - energy[extreme] if falling else energy[extreme] - e
        if beyond < 0.0:
            extreme = k
        elif beyond > depth:
            if falling:
                found.append(extreme)
            extreme, falling = k, not falling
    return [*found, extreme] if falling else found


def check_wells(scan: ScaledScan, low: float, high: float) -> Check:
    """Between two scales there must be one well, with walls above BARRIER."""
    part = np.flatnonzero((scan.scale >= low) & (scan.scale <= high))
    found = scan.scale[part][wells(scan.energy[part], BARRIER)]
    where = "at " + ", ".join(f"{s:.3g}" for s in found)
    return Check(f"wells {scan.name}", float(len(found)), 1.0, "", where)


def check_pressure(
    scan: ScaledScan, low: float, high: float, *, bound: float = PRESSURE_BOUND_GPA
) -> Check:
    """Between two scales there must be pressure below rest (scale 1) and tension above.

    The value is the largest pressure of the wrong sign.
    """
    between = np.flatnonzero((scan.scale >= low) & (scan.scale <= high))
    wrong = scan.pressure[between] * np.sign(scan.scale[between] - 1.0)
    k = int(wrong.argmax())
    value = GPA_PER_EV_PER_A3 * max(0.0, float(wrong[k]))
    where = f"at scale {scan.scale[between[k]]:.3g}" if value else ""
    return Check(f"pressure {scan.name}", value, bound, "GPa", where)


def check_compression(scan: ScaledScan, start: int, *, bound: float = FALL_BOUND) -> Check:
    """From an index on, the energy must rise towards smaller scales."""
    fall, steps = largest_fall(scan.energy[start::-1])
    where = scan.scale[start - steps]
    return Check(
        f"compression {scan.name}", fall, bound, "eV/atom", f"at scale {where:.3g}"
    )


def check_expansion(scan: ScaledScan, start: int, *, bound: float = FALL_BOUND) -> Check:
    """From an index on, the energy must rise towards larger scales, and to at most 0."""
    outwards = scan.energy[start:]
    fall, end = largest_fall(np.append(outwards, 0.0))
    where = scan.scale[start + min(end, len(outwards) - 1)]
    return Check(f"expansion {scan.name}", fall, bound, "eV/atom", f"at scale {where:.3g}")


def check_floor(
    name: str,
    x: FloatArray,
    energy: FloatArray,
    floor: float,
    *,
    bound: float = DEPTH_BOUND,
) -> Check:
    """No energy per atom (eV) may lie below a floor; ``x`` says where each one is."""
    k = int(energy.argmin())
    return Check(
        f"depth {name}", floor - float(energy[k]), bound, "eV/atom", f"at {x[k]:.3g}"
    )
