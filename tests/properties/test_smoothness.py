"""Energies and forces are smooth where a pair or a leg of a triplet begins or ends.

With steps of 1e-6 A a twice differentiable energy shows no bend of the forces above
1e-11 eV/A; a kink of the force (C1 only) shows 1e-6 A times tens of eV/A^2.
"""

from dataclasses import dataclass

import numpy as np
import pytest

from spline_samples import (
    BASE_CUTOFF,
    LEG_CUTOFF,
    OTHER_SPACING,
    PAIR_CUTOFF,
    SPECIES,
    UNIFORM,
    random_potential,
)
from trimpot.engines.singlepoint import evaluate
from trimpot.validation.smoothness import (
    check_cutoff_crossing,
)
from trimpot.validation.transform import free_cluster

ENERGY_BOUND = 1e-12
FORCE_BOUND = 1e-9
SETTINGS = {"uniform": UNIFORM, "other spacing": OTHER_SPACING}


@dataclass(frozen=True)
class Crossing:
    """The third atom moves along x past a distance from the first or second atom."""

    second: tuple[float, float, float]
    distance: float
    of: int
    kind: str


CROSSINGS = {
    "pair cutoff": Crossing((0.4, 2.2, 0.3), PAIR_CUTOFF, 0, "pair"),
    "leg cutoff": Crossing((0.4, 2.2, 0.3), LEG_CUTOFF, 0, "triplet"),
    "leg lower end": Crossing((0.4, 2.2, 0.3), 1.2, 0, "triplet"),
    "base cutoff": Crossing((-2.3, 0.8, 0.2), BASE_CUTOFF, 1, "triplet"),
    "base lower end": Crossing((1.6, 1.0, 0.2), 1.4, 1, "triplet"),
    "core end": Crossing((0.4, 3.2, 0.3), 2.4, 0, "zbl"),
    "core switch": Crossing((0.4, 3.2, 0.3), 1.2, 0, "zbl"),
}


def place(crossing):
    """x of the third atom at which it has the distance."""
    center = np.zeros(3) if crossing.of == 0 else np.array(crossing.second)
    return center[0] + np.sqrt(crossing.distance**2 - center[1] ** 2 - center[2] ** 2)


@dataclass(frozen=True)
class Path:
    """Coordinate of the third atom, per-atom energies and forces along it."""

    x: np.ndarray
    energies: np.ndarray
    forces: np.ndarray

    def energy_jump(self):
        """What the trapezoid rule over the force leaves of the energy's changes."""
        along = self.forces[:, 2, 0]
        change = np.diff(self.energies, axis=0).sum(axis=1)
        work = 0.5 * np.diff(self.x) * (along[1:] + along[:-1])
        return np.abs(change + work).max()

    def force_jump(self):
        """Largest second difference of any force component."""
        return np.abs(np.diff(self.forces, n=2, axis=0)).max()


def size(values):
    """The largest magnitude, at least 1: bounds are relative deep inside the core."""
    return max(1.0, float(np.abs(values).max()))


def path(potential, numbers, crossing, x):
    found = []
    for value in x:
        atoms = np.array([(0.0, 0.0, 0.0), crossing.second, (value, 0.0, 0.0)])
        found.append(evaluate(potential, free_cluster(list(numbers), atoms), threads=1))
    return Path(
        x, np.array([f.energies for f in found]), np.array([f.forces for f in found])
    )


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("n_species", [1, 2])
@pytest.mark.parametrize("name", CROSSINGS)
def test_nothing_jumps_where_a_distance_begins_or_ends(name, n_species, settings):
    crossing = CROSSINGS[name]
    potential = random_potential(crossing.kind, n_species, SETTINGS[settings], seed=31)
    at = place(crossing)
    for center in SPECIES[n_species]:
        for other in SPECIES[n_species]:
            numbers = (center, other, SPECIES[n_species][0])
            near = path(potential, numbers, crossing, at + np.linspace(-1e-4, 1e-4, 201))
            assert near.energy_jump() < ENERGY_BOUND * size(near.energies)
            assert near.force_jump() < FORCE_BOUND * size(near.forces)
            wide = path(potential, numbers, crossing, at + np.array([-0.4, 0.0, 0.4]))
            felt = np.abs(wide.forces[0] - wide.forces[2]).max()
            assert felt > 1e-4, "nothing begins or ends here; the test would be empty"


@pytest.mark.parametrize("n_species", [1, 2])
def test_a_kink_at_every_inner_knot_is_absent(n_species):
    potential = random_potential("sum", n_species, seed=32)
    knots = np.unique(np.round(np.linspace(1.2, LEG_CUTOFF, 8), 12))
    numbers = (74, SPECIES[n_species][0], 74)
    for knot in [*knots, *np.linspace(0.0, PAIR_CUTOFF, 13)[4:]]:
        crossing = Crossing((0.4, 2.6, 0.3), float(knot), 0, "sum")
        near = path(potential, numbers, crossing, knot + np.linspace(-1e-4, 1e-4, 201))
        assert near.energy_jump() < ENERGY_BOUND * size(near.energies)
        assert near.force_jump() < FORCE_BOUND * size(near.forces)


@pytest.mark.parametrize("n_species", [1, 2])
def test_the_toolkits_own_check_of_cutoffs_passes(n_species):
    potential = random_potential("sum", n_species, seed=33)
    for number in potential.species:
        for check in check_cutoff_crossing(
            potential, (number, 74, number), radii=(LEG_CUTOFF, PAIR_CUTOFF)
        ):
            assert check.passed, str(check)
