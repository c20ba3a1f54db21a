# ruff: noqa: ARG002 - toys follow the contract, threads or not
"""Small NumPy potentials that judge the judges: a good one and planted bugs."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from trimpot.contract import Evaluation, Neighborhood, Structure
from trimpot.errors import NonFiniteResultError
from trimpot.neighbors import neighborhood


@dataclass
class Morse:
    """Morse pairs times (1 - (r/rc)^2)^3: C2 at the cutoff, repulsive, with E0s."""

    cutoff: float = 5.0
    depth: float = 0.5
    width: float = 1.4
    minimum: float = 2.7
    isolated: dict = field(default_factory=lambda: {14: -3.0, 74: -2.0})
    calls: int = 0

    @property
    def species(self):
        return tuple(sorted(self.isolated))

    def pair(self, r):
        x = np.exp(-self.width * (r - self.minimum))
        v = self.depth * (x * x - 2.0 * x)
        dv = -2.0 * self.depth * self.width * (x * x - x)
        s = 1.0 - (r / self.cutoff) ** 2
        inside = r < self.cutoff
        ds = -6.0 * r / self.cutoff**2 * s**2
        return np.where(inside, v * s**3, 0.0), np.where(inside, dv * s**3 + v * ds, 0.0)

    def evaluate(self, neighborhood, *, threads=0):
        self.calls += 1
        n = neighborhood.n_local
        i = np.repeat(np.arange(n), np.diff(neighborhood.first))
        j = neighborhood.neighbors
        r_pc = neighborhood.positions[j] - neighborhood.positions[i]
        r = np.linalg.norm(r_pc, axis=1)
        v, dv = self.pair(r)
        energies = np.array([self.isolated[int(z)] for z in neighborhood.numbers[:n]])
        energies = energies + 0.5 * np.bincount(i, weights=v, minlength=n)
        half_pc = 0.5 * dv[:, None] * r_pc / r[:, None]
        forces = np.zeros((n, 3))
        np.add.at(forces, i, half_pc)
        np.add.at(forces, neighborhood.owners[j], -half_pc)
        virial = -(r_pc.T @ half_pc)
        return Evaluation(energies, forces, virial)


class BatchedMorse(Morse):
    """Evaluates many structures in one call; counts the batches."""

    def evaluate_many(self, structures, *, threads=0):
        self.batches = getattr(self, "batches", 0) + 1
        found = [self.evaluate(neighborhood(s, self.cutoff)) for s in structures]
        if not all(np.isfinite(result.forces).all() for result in found):
            raise NonFiniteResultError("somewhere")
        return found


class WrongForceSign(Morse):
    def evaluate(self, neighborhood, *, threads=0):
        good = super().evaluate(neighborhood)
        return Evaluation(good.energies, -good.forces, good.virial)


class WrongStressSign(Morse):
    def evaluate(self, neighborhood, *, threads=0):
        good = super().evaluate(neighborhood)
        return Evaluation(good.energies, good.forces, -good.virial)


class HardCutoff(Morse):
    """Energy and force jump at the cutoff."""

    def pair(self, r):
        x = np.exp(-self.width * (r - self.minimum))
        inside = r < self.cutoff
        v = self.depth * (x * x - 2.0 * x)
        dv = -2.0 * self.depth * self.width * (x * x - x)
        return np.where(inside, v, 0.0), np.where(inside, dv, 0.0)


class ShiftedCutoff(HardCutoff):
    """Energy continuous, force jumps: what a shifted potential does."""

    def pair(self, r):
        v, dv = super().pair(r)
        end, _ = super().pair(np.array(self.cutoff * (1 - 1e-16)))
        return np.where(r < self.cutoff, v - end, 0.0), dv


class NonExtensive(Morse):
    """Energy depends on the number of atoms in the cell."""

    def evaluate(self, neighborhood, *, threads=0):
        good = super().evaluate(neighborhood)
        return Evaluation(
            good.energies * (1 + 1e-6 * neighborhood.n_local), good.forces, good.virial
        )


class NotRotated(Morse):
    """A preferred direction in space."""

    def evaluate(self, neighborhood, *, threads=0):
        good = super().evaluate(neighborhood)
        n = neighborhood.n_local
        x = neighborhood.positions[:n, 0]
        kick = np.zeros((n, 3))
        kick[:, 0] = -1e-6
        return Evaluation(good.energies + 1e-6 * x, good.forces + kick, good.virial)


class OrderDependent(Morse):
    """The first atom is special."""

    def evaluate(self, neighborhood, *, threads=0):
        good = super().evaluate(neighborhood)
        energies = good.energies.copy()
        energies[0] += 1e-6 * float(neighborhood.numbers[0])
        return Evaluation(energies, good.forces, good.virial)


class AttractiveCore(Morse):
    """A potential that collapses: V(r) turns over below 1.5 A."""

    def pair(self, r):
        v, dv = super().pair(r)
        core = r < 1.5
        drop = np.where(core, (1.5 - r) ** 3, 0.0)
        slope = np.where(core, -3.0 * (1.5 - r) ** 2, 0.0)
        return v - 200.0 * drop, dv - 200.0 * slope


class BatchedNotFinite(BatchedMorse):
    """NaN wherever a cell has two elements."""

    def evaluate(self, neighborhood, *, threads=0):
        good = super().evaluate(neighborhood)
        broken = np.nan if len(np.unique(neighborhood.numbers)) > 1 else 1.0
        return Evaluation(good.energies, good.forces * broken, good.virial)


class NotFinite(Morse):
    """NaN on atom 1."""

    def evaluate(self, neighborhood, *, threads=0):
        good = super().evaluate(neighborhood)
        forces = good.forces.copy()
        forces[1] = np.nan
        return Evaluation(good.energies, forces, good.virial)


def short_sighted(structure, cutoff):
    """A broken neighbour list: only the 26 nearest images of the cell as it is given."""
    grid = np.stack(np.meshgrid(*[np.arange(-1, 2)] * 3, indexing="ij"), -1).reshape(-1, 3)
    grid = grid[np.argsort(np.abs(grid).sum(axis=1), kind="stable")]
    shifts = (grid * structure.pbc) @ structure.cell
    n = len(structure)
    x = (shifts[:, None] + structure.positions).reshape(-1, 3)
    r = np.linalg.norm(x[None, :] - structure.positions[:, None], axis=2)
    near = (r < cutoff) & (np.arange(len(x)) != np.arange(n)[:, None])
    return Neighborhood(
        positions=x,
        numbers=np.tile(structure.numbers, len(grid)),
        owners=np.tile(np.arange(n, dtype=np.int32), len(grid)),
        first=np.concatenate([[0], np.cumsum(near.sum(axis=1))]),
        neighbors=np.nonzero(near)[1].astype(np.int32),
        cutoff=cutoff,
    )


def crystal(repeat=2, spacing=3.165, rattle=0.05, number=74, seed=1):
    """Rattled bcc crystal."""
    rng = np.random.default_rng(seed)
    corners = np.stack(np.meshgrid(*[np.arange(repeat)] * 3, indexing="ij"), -1).reshape(
        -1, 3
    )
    sites = np.concatenate([corners, corners + 0.5]) * spacing
    n = len(sites)
    return Structure(
        numbers=np.full(n, number, dtype=np.int32),
        positions=sites + rattle * rng.normal(size=(n, 3)),
        cell=np.eye(3) * spacing * repeat,
        pbc=np.ones(3, dtype=bool),
    )


def skewed(seed=2):
    """A small triclinic cell of two elements, smaller than the cutoff."""
    rng = np.random.default_rng(seed)
    cell = np.array([[4.4, 0.0, 0.0], [1.1, 4.1, 0.0], [-0.6, 0.9, 4.7]])
    fractional = np.array([[0, 0, 0], [0.5, 0.5, 0.1], [0.55, 0.0, 0.5], [0.0, 0.52, 0.55]])
    return Structure(
        numbers=np.array([74, 14, 74, 14], dtype=np.int32),
        positions=fractional @ cell + 0.05 * rng.normal(size=(4, 3)),
        cell=cell,
        pbc=np.ones(3, dtype=bool),
    )


def cluster(n=7, seed=3):
    """A free cluster of two elements."""
    rng = np.random.default_rng(seed)
    positions = []
    while len(positions) < n:
        trial = rng.uniform(0, 6, 3)
        if all(np.linalg.norm(trial - x) > 2.2 for x in positions):
            positions.append(trial)
    return Structure(
        numbers=np.array([74, 14] * n, dtype=np.int32)[:n],
        positions=np.array(positions),
        cell=np.zeros((3, 3)),
        pbc=np.zeros(3, dtype=bool),
    )
