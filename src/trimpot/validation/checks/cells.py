"""One crystal has many cells: all give the same energy per atom and the same forces."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from trimpot.engines.singlepoint import evaluate
from trimpot.validation.checks.verdict import Family, Measured, NotApplicable, Spec, worst
from trimpot.validation.symmetry import check_cell_choice, check_extensivity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trimpot.contract import Structure
    from trimpot.validation.checks.judged import Judged
    from trimpot.validation.checks.verdict import Found

COPIES = ((80, (4, 4, 4)), (600, (2, 2, 2)))
"""Up to so many atoms, so many copies; (2, 1, 1) beyond."""

NAMES = {
    "skewed cell: energy": "skewed-cell-energy",
    "skewed cell: forces": "skewed-cell-forces",
    "other images: energy": "other-images-energy",
    "other images: forces": "other-images-forces",
    "extensivity: energy": "supercell-energy",
    "extensivity: forces": "supercell-forces",
    "extensivity: virial": "supercell-virial",
}


def measure(judged: Judged) -> Mapping[str, Found]:
    """Rewrite, unwrap and repeat every periodic sample; put the cluster into a box."""
    found: dict[str, list[Measured]] = {}
    for name, structure in judged.samples.all:
        if not structure.pbc.any():
            continue
        rounding = judged.rounding(structure)
        checks = [
            *check_cell_choice(judged.potential, structure, judged.rng),
            *check_extensivity(judged.potential, structure, times=_copies(structure)),
        ]
        for check in checks:
            value = Measured(check.value / rounding, name)
            found.setdefault(NAMES[check.name], []).append(value)
    done: dict[str, Found] = {name: worst(values) for name, values in found.items()}
    if "supercell-virial" not in done:
        done["supercell-virial"] = NotApplicable("forces are predicted directly")
    done["vacuum-box"] = _vacuum_box(judged)
    done["open-direction"] = _open_direction(judged)
    return done


def _copies(structure: Structure) -> tuple[int, int, int]:
    atoms = len(structure)
    wanted = next((times for most, times in COPIES if atoms <= most), (2, 1, 1))
    a, b, c = (n if p else 1 for n, p in zip(wanted, structure.pbc, strict=True))
    return (a, b, c)


def _vacuum_box(judged: Judged) -> Measured:
    """Compare a free cluster with itself in a periodic box that leaves images apart."""
    cluster = judged.samples.cluster
    side = np.ptp(cluster.positions, axis=0) + 2.5 * judged.potential.cutoff
    boxed = replace(cluster, cell=np.diag(side), pbc=np.ones(3, dtype=np.bool_))
    return _difference(judged, cluster, boxed)


def _open_direction(judged: Judged) -> Measured:
    """Compare a slab that is open along z with one that has images far away."""
    crystal = judged.samples.crystal
    tall = crystal.cell.copy()
    tall[2, 2] += 2.5 * judged.potential.cutoff
    periodic = replace(crystal, cell=tall)
    opened = replace(periodic, pbc=np.array([True, True, False]))
    return _difference(judged, opened, periodic)


def _difference(judged: Judged, one: Structure, other: Structure) -> Measured:
    first = evaluate(judged.potential, one, threads=1)
    second = evaluate(judged.potential, other, threads=1)
    apart = float(np.abs(first.forces - second.forces).max())
    return Measured(apart / judged.rounding(one))


_SKEWED = (
    "The result depends on how the lattice vectors are chosen: neighbours are missed or "
    "counted twice in skewed cells."
)
_IMAGES = (
    "The result depends on which image of an atom is listed: unwrapped trajectories and "
    "wrapped ones differ."
)
_SUPERCELL = (
    "A supercell is not the sum of its cells: energies of small and large cells cannot be "
    "compared, and scaling up changes the physics."
)

SPECS = (
    Spec(
        "skewed-cell-energy",
        "energy in five sheared cells",
        "eV/atom",
        1e-10,
        _SKEWED,
        1e-4,
    ),
    Spec("skewed-cell-forces", "forces in five sheared cells", "eV/A", 1e-9, _SKEWED, 1e-3),
    Spec(
        "other-images-energy",
        "energy with atoms moved by lattice vectors",
        "eV/atom",
        1e-10,
        _IMAGES,
        1e-4,
    ),
    Spec(
        "other-images-forces",
        "forces with atoms moved by lattice vectors",
        "eV/A",
        1e-9,
        _IMAGES,
        1e-3,
    ),
    Spec(
        "supercell-energy", "energy of up to 64 copies", "relative", 1e-11, _SUPERCELL, 1e-5
    ),
    Spec("supercell-forces", "forces of up to 64 copies", "eV/A", 1e-9, _SUPERCELL, 1e-3),
    Spec(
        "supercell-virial", "virial of up to 64 copies", "relative", 1e-11, _SUPERCELL, 1e-4
    ),
    Spec(
        "vacuum-box",
        "forces of a cluster in a periodic box and without one",
        "eV/A",
        1e-9,
        "Molecules in a box with vacuum differ from free ones: something reaches farther "
        "than the cutoff, or depends on the box.",
        single=1e-3,
    ),
    Spec(
        "open-direction",
        "forces of a slab, periodic across the vacuum and open",
        "eV/A",
        1e-9,
        "Slabs depend on whether the direction of the vacuum is periodic: surfaces are "
        "not described consistently.",
        single=1e-3,
    ),
)

FAMILY = Family("cells", SPECS, measure)
