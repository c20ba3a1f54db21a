"""Surface energies of facets, with and without relaxation of the ions."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import gcd
from typing import TYPE_CHECKING

import numpy as np
from ase.build import surface

from trimpot.errors import InputError
from trimpot.validation.properties.case import silent
from trimpot.validation.properties.outcome import Outcome, Value, guarded
from trimpot.validation.properties.relaxing import energy_per_atom, relax_ions

if TYPE_CHECKING:
    from ase import Atoms
    from ase.calculators.calculator import Calculator

    from trimpot.validation.properties.case import Case, Report
    from trimpot.validation.subjects import Subject

VERSION = 1


@dataclass(frozen=True)
class Settings:
    """Facets, slabs and relaxation.

    Attributes
    ----------
    facets : tuple of str
        Miller indices in the conventional cell, such as "110".
    thickness : float
        Least thickness of a slab, angstrom.
    vacuum : float
        Space between slabs, angstrom; 15 in the published tungsten protocol.
    relaxed : bool
        Whether ions are relaxed as well.
    fmax : float
        Forces left, eV/A.
    steps : int
        Most steps of a relaxation.
    """

    facets: tuple[str, ...] = ("100", "110", "111")
    thickness: float = 16.0
    vacuum: float = 15.0
    relaxed: bool = True
    fmax: float = 0.01
    steps: int = 300

    def __post_init__(self) -> None:
        for facet in self.facets:
            if len(facet) != 3 or not facet.isdigit() or facet == "000":
                raise InputError(
                    f"surface: found the facet {facet!r}, expected three digits such as "
                    '"110", in quotes'
                )


@guarded
def measure(
    subject: Subject, case: Case, settings: Settings, report: Report = silent
) -> Outcome:
    """Return surface energies, eV/A^2: ``FACET``, and ``FACET_relaxed`` with ions relaxed.

    gamma = (E(slab) - N E(bulk atom)) / 2 A. Of the ways to cut a crystal along a facet the
    one of lowest energy without relaxation is taken. Both sides of a slab count alike.
    """
    calculator = subject.calculator()
    crystal = case.phase.conventional(case.a0)
    each = energy_per_atom(crystal.copy(), calculator)
    values, trouble, notes = {}, [], []
    spoiled: list[str] = []
    for k, facet in enumerate(settings.facets):
        slab = _lowest_cut(crystal, facet, calculator, settings)
        area = 2.0 * float(np.linalg.norm(np.cross(*slab.cell.array[:2])))
        unrelaxed = (energy_per_atom(slab, calculator) - each) * len(slab) / area
        values[facet] = Value(unrelaxed, "eV/A^2")
        notes.append(f"{facet}: {len(slab)} atoms")
        if unrelaxed <= 0.0:
            spoiled += [facet, f"{facet}_relaxed"]
            trouble.append(f"{facet}: the crystal lowers its energy by cleaving")
        if settings.relaxed:
            end = relax_ions(slab, calculator, settings.fmax, settings.steps)
            if end.trouble is None:
                gamma = (end.energy - each * len(slab)) / area
                values[f"{facet}_relaxed"] = Value(gamma, "eV/A^2")
            else:
                trouble.append(f"{facet}: {end.trouble}")
        report((k + 1) / len(settings.facets))
    failure = "; ".join(trouble) or None
    plain = asdict(settings)
    return Outcome(values, {}, plain, tuple(notes), failure, tuple(spoiled))


def _lowest_cut(
    crystal: Atoms, facet: str, calculator: Calculator, settings: Settings
) -> Atoms:
    """Return the slab whose cut has the lowest energy."""
    slabs = _cuts(crystal, facet, settings)
    energies = [energy_per_atom(slab, calculator) * len(slab) for slab in slabs]
    return slabs[int(np.argmin(energies))]


def _cuts(crystal: Atoms, facet: str, settings: Settings) -> list[Atoms]:
    """Return slabs of the same atoms, each with another atom of the cell lowest."""
    digits = [int(digit) for digit in facet]
    indices = tuple(digit // gcd(*digits) for digit in digits)
    one = surface(crystal, indices, 1, periodic=True)
    height = float(one.get_volume()) / float(np.linalg.norm(np.cross(*one.cell.array[:2])))
    layers = max(1, int(np.ceil(settings.thickness / height)))
    normal = np.linalg.inv(crystal.cell.array) @ np.array(indices)
    normal /= np.linalg.norm(normal)
    slabs = []
    for lowest in crystal.positions:
        shifted = crystal.copy()
        shifted.positions += 1e-4 * normal - lowest
        slab = surface(shifted, indices, layers)
        slab.center(vacuum=0.5 * settings.vacuum, axis=2)
        slab.pbc = True
        slabs.append(slab)
    return slabs
