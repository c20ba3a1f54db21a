"""What must not change: rotations, order of atoms, choice of cell, number of copies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trimpot.engines.singlepoint import evaluate
from trimpot.validation.check import Check
from trimpot.validation.transform import (
    deformed,
    free_cluster,
    permuted,
    random_rotation,
    repeated,
    rewritten,
    shifted_images,
    with_positions,
)

if TYPE_CHECKING:
    from trimpot.contract import Evaluation, FloatArray, IntArray, Potential, Structure

ENERGY_BOUND = 1e-10
FORCE_BOUND = 1e-9
CELL_BOUND = 1e-10
EXTENSIVITY_BOUND = 1e-11
NET_FORCE_BOUND = 1e-10
TORQUE_BOUND = 1e-9
SHEARS = 5


def check_rotation(
    potential: Potential, structure: Structure, rng: np.random.Generator
) -> tuple[Check, ...]:
    """Check that energy stays and forces turn along in a rotation and a reflection."""
    before = evaluate(potential, structure, threads=1)
    rotation = random_rotation(rng)
    checks: list[Check] = []
    for name, matrix in (("rotation", rotation), ("reflection", -rotation)):
        after = evaluate(potential, deformed(structure, matrix), threads=1)
        checks += _unchanged(name, before, after.energies, after.forces @ matrix)
    return tuple(checks)


def check_translation(
    potential: Potential, structure: Structure, rng: np.random.Generator
) -> tuple[Check, ...]:
    """Check that nothing changes when all atoms move together by up to 5 A."""
    before = evaluate(potential, structure, threads=1)
    moved = with_positions(structure, structure.positions + rng.uniform(-5.0, 5.0, 3))
    after = evaluate(potential, moved, threads=1)
    return _unchanged("translation", before, after.energies, after.forces)


def check_permutation(
    potential: Potential, structure: Structure, rng: np.random.Generator
) -> tuple[Check, ...]:
    """Check that atoms keep their energies and forces when listed in another order."""
    before = evaluate(potential, structure, threads=1)
    order = rng.permutation(len(structure)).astype(np.int32)
    back = np.argsort(order)
    after = evaluate(potential, permuted(structure, order), threads=1)
    return _unchanged("permutation", before, after.energies[back], after.forces[back])


def check_cell_choice(
    potential: Potential, structure: Structure, rng: np.random.Generator
) -> tuple[Check, ...]:
    """Check skewed lattice vectors and atoms moved by up to 3 lattice vectors."""
    before = evaluate(potential, structure, threads=1)
    checks: list[Check] = []
    for name in ("skewed cell", "other images"):
        energies, forces = [], []
        for _ in range(SHEARS):
            other = (
                rewritten(structure, _random_shear(structure, rng))
                if name == "skewed cell"
                else shifted_images(structure, _random_images(structure, rng))
            )
            after = evaluate(potential, other, threads=1)
            energies.append(np.abs(after.energies - before.energies).max(initial=0.0))
            forces.append(np.abs(after.forces - before.forces).max(initial=0.0))
        checks += [
            Check(f"{name}: energy", float(max(energies)), CELL_BOUND, "eV/atom"),
            Check(f"{name}: forces", float(max(forces)), CELL_BOUND, "eV/A"),
        ]
    return tuple(checks)


def check_extensivity(
    potential: Potential,
    structure: Structure,
    *,
    times: tuple[int, int, int] = (4, 4, 4),
) -> tuple[Check, ...]:
    """Compare a supercell with its copies: energy, forces and virial.

    Non-periodic directions are not repeated. A supercell of a charged cell has the charge
    of all copies: what knows total charges is not extensive in that.
    """
    allowed = [count if p else 1 for count, p in zip(times, structure.pbc, strict=True)]
    counts = (allowed[0], allowed[1], allowed[2])
    copies = counts[0] * counts[1] * counts[2]
    one = evaluate(potential, structure, threads=1)
    many = evaluate(potential, repeated(structure, counts), threads=1)
    # 1 eV/atom keeps the relative error meaningful where the energy is near zero
    scale = max(abs(one.energy), float(len(structure)), 1e-300)
    energy = abs(many.energy / copies - one.energy) / scale
    forces = np.abs(many.forces - np.tile(one.forces, (copies, 1))).max(initial=0.0)
    detail = f"{counts[0]}x{counts[1]}x{counts[2]} supercell"
    checks = (
        Check("extensivity: energy", float(energy), EXTENSIVITY_BOUND, "relative", detail),
        Check("extensivity: forces", float(forces), FORCE_BOUND, "eV/A", detail),
    )
    if not one.conservative:
        return checks
    virial = np.abs(many.virial / copies - one.virial).max() / scale
    bound = EXTENSIVITY_BOUND
    return (
        *checks,
        Check("extensivity: virial", float(virial), bound, "relative", detail),
    )


def check_net_force(potential: Potential, structure: Structure) -> tuple[Check, ...]:
    """Check that forces add up to zero; for a free cluster torques too."""
    forces = evaluate(potential, structure, threads=1).forces
    net = float(np.abs(forces.sum(axis=0)).max(initial=0.0))
    bound = NET_FORCE_BOUND * max(len(structure), 1)
    checks = [Check("net force", net, bound, "eV/A")]
    if not structure.pbc.any() and len(structure) > 0:
        arms = structure.positions - structure.positions.mean(axis=0)
        torque = float(np.abs(np.cross(arms, forces).sum(axis=0)).max())
        checks.append(Check("net torque", torque, TORQUE_BOUND * len(structure), "eV"))
    return tuple(checks)


def check_fragments(potential: Potential, cluster: Structure) -> tuple[Check, ...]:
    """Check that two copies of a cluster beyond twice the cutoff do not interact.

    All without charge.
    """
    free = free_cluster(cluster.numbers.tolist(), cluster.positions)
    one = evaluate(potential, free, threads=1)
    gap = np.ptp(free.positions, axis=0)[0] + 2.5 * potential.cutoff
    positions = np.concatenate([free.positions, free.positions + np.array([gap, 0.0, 0.0])])
    pair = free_cluster([*free.numbers.tolist()] * 2, positions)
    two = evaluate(potential, pair, threads=1)
    return _unchanged(
        "separate fragments",
        one,
        two.energies.reshape(2, -1)[1],
        two.forces.reshape(2, -1, 3)[1],
    )


def _unchanged(
    name: str, before: Evaluation, energies: FloatArray, forces: FloatArray
) -> tuple[Check, ...]:
    energy = np.abs(energies - before.energies).max(initial=0.0)
    force = np.abs(forces - before.forces).max(initial=0.0)
    return (
        Check(f"{name}: energy", float(energy), ENERGY_BOUND, "eV/atom"),
        Check(f"{name}: forces", float(force), FORCE_BOUND, "eV/A"),
    )


def _random_shear(structure: Structure, rng: np.random.Generator) -> IntArray:
    """Unimodular matrix that adds one periodic lattice vector to another, -2 to 2 times."""
    matrix = np.eye(3, dtype=np.int32)
    periodic = np.flatnonzero(structure.pbc)
    if len(periodic) >= 2:
        row, column = rng.permutation(periodic)[:2]
        matrix[row, column] = rng.choice([-2, -1, 1, 2])
    return matrix


def _random_images(structure: Structure, rng: np.random.Generator) -> IntArray:
    return rng.integers(-3, 4, size=(len(structure), 3)).astype(np.int32)
