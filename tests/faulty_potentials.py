# ruff: noqa: ARG002, ARG005 - wrappers follow the contract, threads or not
"""A sound spline potential, and the same with one fault planted for each physical check."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from spline_samples import profile_of
from toy_potentials import Morse
from trimpot.contract import Evaluation
from trimpot.engines.following import ListFollower
from trimpot.neighbors import neighborhood
from trimpot.splines.core import CoreSettings
from trimpot.splines.one_body import OneBody
from trimpot.splines.pair_settings import PairSettings
from trimpot.splines.potential import SplinePotential

CUTOFF = 5.0


def sound(species=(74,)):
    """Splines through a Morse curve, with a repulsive core."""
    term = PairSettings(cutoff=CUTOFF, intervals=25).build(species, profile_of(species))
    coefficients = np.zeros(term.n_coefficients)
    for curve in term.curves:
        middle = np.array(
            [curve.knots[k + 1 : k + 4].mean() for k in range(len(curve.columns))]
        )
        free = curve.columns >= 0
        coefficients[curve.columns[free]] = Morse(cutoff=CUTOFF).pair(middle[free])[0]
    core = CoreSettings(outer=1.6).build(species, profile_of(species))
    e0s = np.linspace(-3.0, -2.0, len(species))
    statistics = {"smallest": np.full((len(species),) * 2, 2.0)}
    return SplinePotential(
        species,
        (OneBody(species), term, core),
        (e0s, coefficients, np.zeros(0)),
        statistics=statistics,
    )


GOOD = sound()


class Altered:
    """The sound potential with its evaluations changed by a function.

    ``change(neighborhood, evaluation)`` returns what replaces (energies, forces, virial).
    """

    def __init__(self, change=None, **attributes):
        self.change = change
        self.species, self.cutoff = GOOD.species, GOOD.cutoff
        for name, value in attributes.items():
            setattr(self, name, value)

    def evaluate(self, neighborhood, *, threads=0):
        good = GOOD.evaluate(neighborhood, threads=threads)
        return self.changed(neighborhood, good)

    def changed(self, around, good):
        if self.change is None:
            return good
        return Evaluation(*self.change(around, good))


def energies(change):
    """Only energies change."""
    return lambda: Altered(lambda a, e: (change(a, e), e.forces, e.virial))


def forces(change):
    """Only forces change."""
    return lambda: Altered(lambda a, e: (e.energies, change(a, e), e.virial))


def virial(change):
    """Only the virial changes."""
    return lambda: Altered(lambda a, e: (e.energies, e.forces, change(a, e)))


def local(around):
    return around.positions[: around.n_local]


def displacements(around):
    i = np.repeat(np.arange(around.n_local), np.diff(around.first))
    return i, around.positions[around.neighbors] - around.positions[i]


def moments(around):
    """Per atom, three sums of neighbours' vectors with different weights."""
    i, r_pc = displacements(around)
    r = np.linalg.norm(r_pc, axis=1)[:, None]
    found = []
    for power in (1, 2, 3):
        weight = np.where(r < CUTOFF, (1.0 - r / CUTOFF) ** (2 + power), 0.0)
        total = np.zeros((around.n_local, 3))
        np.add.at(total, i, weight * r_pc)
        found.append(total)
    return found


def chiral(around):
    a, b, c = moments(around)
    return 1e-3 * np.einsum("nc,nc->n", a, np.cross(b, c))


def axial(around):
    a, b, _ = moments(around)
    return 1e-3 * np.cross(a, b)


def pairs(value, slope, *, where=lambda around: True):
    """A pair interaction is added: v(r) and dv/dr, where a condition holds."""

    def change(around, e):
        if not where(around):
            return e.energies, e.forces, e.virial
        i, r_pc = displacements(around)
        r = np.linalg.norm(r_pc, axis=1)
        inside = r < CUTOFF
        v = np.where(inside, value(r), 0.0)
        half_pc = np.where(inside, 0.5 * slope(r), 0.0)[:, None] * r_pc / r[:, None]
        found = e.forces.copy()
        np.add.at(found, i, half_pc)
        np.add.at(found, around.owners[around.neighbors], -half_pc)
        total = e.energies + 0.5 * np.bincount(i, weights=v, minlength=around.n_local)
        return total, found, e.virial - r_pc.T @ half_pc

    return lambda: Altered(change)


def ramp(edge, power, height=1.0):
    """height (edge - r)^power below an edge, and its slope."""
    return (
        lambda r: np.where(r < edge, height * (edge - r) ** power, 0.0),
        lambda r: (
            np.where(
                r < edge, -power * height * np.maximum(edge - r, 1e-300) ** (power - 1), 0.0
            )
            if power
            else 0.0 * r
        ),
    )


def bump(centre, width, height):
    """A Gaussian and its slope."""
    return (
        lambda r: height * np.exp(-(((r - centre) / width) ** 2)),
        lambda r: (
            -2.0 * (r - centre) / width**2 * height * np.exp(-(((r - centre) / width) ** 2))
        ),
    )


def wave(r):
    return 0.15 * np.sin(12.0 * r) * (1.0 - (r / CUTOFF) ** 2) ** 3


def wave_slope(r):
    s = 1.0 - (r / CUTOFF) ** 2
    return 0.15 * (
        12.0 * np.cos(12.0 * r) * s**3 - np.sin(12.0 * r) * 6.0 * r / CUTOFF**2 * s**2
    )


def trimer(around):
    return around.n_local == 3


def shortest(around):
    _, r_pc = displacements(around)
    return np.linalg.norm(r_pc, axis=1).min(initial=np.inf)


def nan_where(condition):
    """NaN forces where a condition holds."""
    return forces(lambda a, e: e.forces * (np.nan if condition(a) else 1.0))


class NeedsNeighbours(Altered):
    """Divides by the number of neighbours."""

    def evaluate(self, neighborhood, *, threads=0):
        if len(neighborhood.neighbors) == 0:
            raise ZeroDivisionError("mean over no neighbours")
        return super().evaluate(neighborhood, threads=threads)


class EveryElement(Altered):
    """Takes unknown elements for the one that it knows."""

    def evaluate(self, neighborhood, *, threads=0):
        numbers = np.full_like(neighborhood.numbers, GOOD.species[0])
        return GOOD.evaluate(replace(neighborhood, numbers=numbers), threads=threads)


class Writing(Altered):
    """Sorts nothing, but writes into the caller's positions."""

    def evaluate(self, neighborhood, *, threads=0):
        found = super().evaluate(neighborhood, threads=threads)
        neighborhood.positions[:] += 1e-12
        return found


class Counting(Altered):
    """Energies creep with every call."""

    calls = 0

    def changed(self, around, good):
        self.calls += 1
        return Evaluation(good.energies + 1e-13 * self.calls, good.forces, good.virial)


class ThreadDependent(Altered):
    """A sum that two threads write into."""

    def evaluate(self, neighborhood, *, threads=0):
        good = super().evaluate(neighborhood, threads=threads)
        lost = 1e-9 * (threads != 1)
        return Evaluation(good.energies + lost, good.forces, good.virial)


class SharedBuffer(Altered):
    """Results go through one buffer that all callers share."""

    def evaluate(self, neighborhood, *, threads=0):
        good = super().evaluate(neighborhood, threads=threads)
        self.buffer = good
        time.sleep(1e-3)
        return self.buffer


class Batched(Altered):
    """Another answer for many structures than for one."""

    def evaluate_many(self, structures, *, threads=0):
        found = [self.evaluate(neighborhood(s, self.cutoff)) for s in structures]
        return [Evaluation(e.energies + 1e-6, e.forces, e.virial) for e in found]


class StaleFollower(ListFollower):
    """Keeps its first list of neighbours for ever."""

    kept = None

    def evaluate(self, structure):
        first = self.kept or neighborhood(structure, self.potential.cutoff)
        self.kept = first
        return self.potential.evaluate(first, threads=1)


class OtherForces(ListFollower):
    def forces(self, structure):
        return super().forces(structure) * (1.0 + 1e-9)


class Rounded(ListFollower):
    def evaluate(self, structure):
        good = super().evaluate(structure)
        return Evaluation(good.energies, np.round(good.forces, 1), good.virial)


class Following(Altered):
    """Followed by a faulty follower, in the precision where it is faulty."""

    def follow(self, *, skin, threads, precision):
        faulty = precision == self.where
        kind = self.follower if faulty else ListFollower
        return kind(self, skin=skin, threads=threads)


class Remembering(Altered):
    """Forces push along the way that atoms came: something is left from the last call."""

    last = None

    def changed(self, around, good):
        x = local(around).copy()
        before = self.last if self.last is not None and len(self.last) == len(x) else x
        self.last = x
        return Evaluation(
            good.energies, good.forces + self.push * (x - before), good.virial
        )


class Heating(ListFollower):
    """Forces push along the way that atoms came."""

    last = None

    def evaluate(self, structure):
        good = super().evaluate(structure)
        before = structure.positions if self.last is None else self.last
        self.last = structure.positions.copy()
        push = 1e-1 * (structure.positions - before)
        return Evaluation(good.energies, good.forces + push, good.virial)


class Leaking(Altered):
    kept = ()

    def evaluate(self, neighborhood, *, threads=0):
        # more in all than a large process may have free already
        self.kept = (*self.kept, np.ones(100_000))
        return super().evaluate(neighborhood, threads=threads)


def spinning(around, e):
    arms = local(around) - local(around).mean(axis=0)
    return e.forces + 1e-6 * np.cross([0.0, 0.0, 1.0], arms)


def first_atom(shape):
    found = np.zeros(shape)
    found[0] = 1e-6
    return found


FIELD = np.array([1e-6, 0.0, 0.0])
TWIST = np.array([[0.0, 1e-3, 0.0], [-1e-3, 0.0, 0.0], [0.0, 0.0, 0.0]])

tilted_energy = energies(lambda a, e: e.energies + 1e-6 * local(a)[:, 0])
constant_field = forces(lambda a, e: e.forces + FIELD)
counted_energy = energies(lambda a, e: e.energies * (1.0 + 1e-6 * a.n_local))
counted_forces = forces(lambda a, e: e.forces * (1.0 + 1e-6 * a.n_local))
placed_forces = forces(lambda a, e: e.forces + 1e-6 * np.sin(local(a)))
placed_energy = energies(lambda a, e: e.energies + 1e-6 * np.sin(local(a)[:, 0]))
alone_forces = forces(lambda a, e: e.forces + 1e-9 * (len(a.neighbors) == 0))

FAULTS = {
    "forces-derivative": forces(lambda a, e: -e.forces),
    "stress-derivative": virial(lambda a, e: -e.virial),
    "virial-moment": virial(lambda a, e: 1.01 * e.virial),
    "virial-symmetry": virial(lambda a, e: e.virial + TWIST),
    "rotation-energy": tilted_energy,
    "rotation-forces": constant_field,
    "reflection-energy": energies(lambda a, e: e.energies + chiral(a)),
    "reflection-forces": forces(lambda a, e: e.forces + axial(a)),
    "translation-energy": placed_energy,
    "translation-forces": placed_forces,
    "permutation-energy": energies(lambda a, e: e.energies + first_atom(a.n_local)),
    "permutation-forces": forces(lambda a, e: e.forces + first_atom((a.n_local, 3))),
    "net-force": constant_field,
    "net-torque": forces(spinning),
    "skewed-cell-energy": Altered,
    "skewed-cell-forces": Altered,
    "other-images-energy": Altered,
    "other-images-forces": Altered,
    "supercell-energy": counted_energy,
    "supercell-forces": counted_forces,
    "supercell-virial": virial(lambda a, e: e.virial * (1.0 + 1e-6 * a.n_local)),
    "vacuum-box": Altered,
    "open-direction": Altered,
    "fragments-energy": counted_energy,
    "fragments-forces": counted_forces,
    "cross-gradient": forces(lambda a, e: e.forces + 1e-9 * local(a).sum()),
    "isolated-energy": energies(lambda a, e: e.energies + 1e-3 * (len(a.neighbors) == 0)),
    "isolated-forces": alone_forces,
    "dissociated-energy": energies(lambda a, e: e.energies + 1e-6 * a.n_local),
    "beyond-cutoff": alone_forces,
    "cutoff-energy-jump": pairs(*ramp(CUTOFF, 0, 1e-9)),
    "cutoff-force-jump": pairs(*ramp(CUTOFF, 1, 1e-6)),
    "cutoff-slope-jump": pairs(*ramp(CUTOFF, 2)),
    "trimer-energy-jump": pairs(*ramp(3.1, 0, 1e-3)),
    "trimer-force-jump": pairs(*ramp(3.1, 1, 1e-2)),
    "crystal-energy-jump": pairs(*ramp(3.1, 0, 1e-3)),
    "crystal-force-jump": pairs(*ramp(3.1, 1, 1e-2)),
    "dimer-repulsion": pairs(*bump(1.2, 0.2, -2e3)),
    "dimer-force-flips": pairs(wave, wave_slope),
    "trimer-repulsion": pairs(*bump(1.2, 0.2, -2e3), where=trimer),
    "trimer-force-flips": pairs(wave, wave_slope, where=trimer),
    "compression": pairs(*bump(1.4, 0.3, -1e3)),
    "expansion": pairs(*bump(4.2, 0.2, -1.0)),
    "coincident-atoms": nan_where(lambda a: shortest(a) == 0.0),
    "overlapping-atoms": nan_where(lambda a: shortest(a) < 0.15),
    "dense-gas": nan_where(lambda a: shortest(a) < 1.0),
    "no-neighbours": NeedsNeighbours,
    "unknown-element": EveryElement,
    "inputs-unchanged": Writing,
    "repeatable": Counting,
    "threads": ThreadDependent,
    "concurrent": SharedBuffer,
    "batch": Batched,
    "moving": lambda: Following(where="double", follower=StaleFollower),
    "forces-only": lambda: Following(where="double", follower=OtherForces),
    "mixed-precision": lambda: Following(where="mixed", follower=Rounded),
    "save-load": Altered,
    "memory": Leaking,
    "nve-drift": lambda: Remembering(push=1e-2),
    "nve-drift-mixed": lambda: Following(where="mixed", follower=Heating),
    "nve-order": forces(lambda a, e: 1.01 * e.forces),
    "time-reversal": lambda: Remembering(push=1e-4),
    "momentum": constant_field,
}
"""The fault of each check, by its name."""


def loses_a_pair(condition):
    """Lists of neighbours that lose one pair where the cell meets a condition."""

    def lists(structure, cutoff):
        around = neighborhood(structure, cutoff)
        if not condition(structure) or not len(around.neighbors):
            return around
        first = around.first.copy()
        first[-1] -= 1
        return replace(around, first=first, neighbors=around.neighbors[:-1].copy())

    return lists


def skew(structure):
    """Whether two lattice vectors could be replaced by shorter ones."""
    products = np.abs(structure.cell @ structure.cell.T)
    return bool((products > 0.51 * np.diag(products)).sum() > 3)


def unwrapped(structure):
    if not structure.pbc.any():
        return False
    places = structure.positions @ np.linalg.inv(structure.cell)
    return bool((np.abs(places - 0.5) > 1.0).any())


SKEWED, UNWRAPPED = loses_a_pair(skew), loses_a_pair(unwrapped)
LISTS = {
    "skewed-cell-energy": SKEWED,
    "skewed-cell-forces": SKEWED,
    "other-images-energy": UNWRAPPED,
    "other-images-forces": UNWRAPPED,
    "vacuum-box": loses_a_pair(lambda s: s.pbc.any()),
    "open-direction": loses_a_pair(lambda s: s.pbc.any() and not s.pbc.all()),
}
"""Checks whose fault is in the lists of neighbours, which potentials are given."""
