"""Two classical potentials that label data for the demo and for the tests of recovery.

Both obey ``trimpot.contract.Potential``, so everything that works for a trained potential
(the ASE calculator, physical checks, evaluation) works for them. NumPy, not fast.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trimpot.contract import Evaluation

if TYPE_CHECKING:
    from trimpot.contract import FloatArray, IntArray, Neighborhood


@dataclass(frozen=True)
class LennardJones:
    """Lennard-Jones copper, taken to zero at the cutoff by (1 - (r / r_c)^4)^5.

    The factor has four continuous derivatives at the cutoff: as many as the error of a
    cubic spline, of order h^4, needs.

    References
    ----------
    Halicioglu, Pound, phys. stat. sol. (a) 30, 619 (1975), doi:10.1002/pssa.2210300223.
    """

    cutoff: float = 6.0
    depth: float = 0.409
    sigma: float = 2.338
    species: tuple[int, ...] = (29,)

    def pair(self, r: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the pair energy and its derivative, eV and eV/A."""
        q = (self.sigma / r) ** 6
        value = 4.0 * self.depth * q * (q - 1.0)
        slope = -24.0 * self.depth * q * (2.0 * q - 1.0) / r
        x = (r / self.cutoff) ** 4
        inside = 1.0 - np.minimum(x, 1.0)
        switch, fall = inside**5, -20.0 * inside**4 * x / r
        return value * switch, slope * switch + value * fall

    def evaluate(self, neighborhood: Neighborhood, *, threads: int = 0) -> Evaluation:
        """Return energies, forces and virial; see ``contract.Potential``."""
        del threads
        i, j, d_pc, r_p = pairs_within(neighborhood, self.cutoff)
        value, slope = self.pair(r_p)
        gradient = (0.5 * slope / r_p)[:, None] * d_pc
        return assembled(neighborhood, i, j, d_pc, 0.5 * value, gradient)


@dataclass(frozen=True)
class StillingerWeber:
    """Stillinger-Weber silicon; smooth to all orders at its cutoff.

    References
    ----------
    Stillinger, Weber, Phys. Rev. B 31, 5262 (1985), doi:10.1103/PhysRevB.31.5262,
    equations 2.3 to 2.6 and section III, with the depth of 2.1683 eV of common use.
    """

    depth: float = 2.1683
    sigma: float = 2.0951
    reach: float = 1.80
    strength: float = 21.0
    gamma: float = 1.20
    pair_depth: float = 7.049556277
    pair_repulsion: float = 0.6022245584
    species: tuple[int, ...] = (14,)

    @property
    def cutoff(self) -> float:
        """Distance at which pairs and triplets end, angstrom."""
        return self.reach * self.sigma

    def pair(self, r: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the pair energy and its derivative, eV and eV/A."""
        repulsion = self.pair_repulsion * (self.sigma / r) ** 4
        decay, fall = self._decay(r, 1.0)
        front = self.pair_depth * self.depth
        value = front * (repulsion - 1.0) * decay
        return value, front * (-4.0 * repulsion / r * decay + (repulsion - 1.0) * fall)

    def _decay(self, r: FloatArray, gamma: float) -> tuple[FloatArray, FloatArray]:
        """Return exp(gamma sigma / (r - r_c)), 0 beyond r_c, and its derivative."""
        gap = np.minimum(r - self.cutoff, -1e-3)  # exp(-2000) is 0 already
        value = np.exp(gamma * self.sigma / gap)
        return value, -gamma * self.sigma / gap**2 * value

    def evaluate(self, neighborhood: Neighborhood, *, threads: int = 0) -> Evaluation:
        """Return energies, forces and virial; see ``contract.Potential``."""
        del threads
        i, j, d_pc, r_p = pairs_within(neighborhood, self.cutoff)
        value, slope = self.pair(r_p)
        energy_p, gradient = 0.5 * value, (0.5 * slope / r_p)[:, None] * d_pc
        a, b = triplets_of(i, neighborhood.n_local)
        unit = d_pc / r_p[:, None]
        cosine = np.einsum("tc,tc->t", unit[a], unit[b])
        decay, fall = self._decay(r_p, self.gamma)
        angle = cosine + 1.0 / 3.0
        front = self.strength * self.depth
        energy_t = front * decay[a] * decay[b] * angle**2
        turn = 2.0 * front * decay[a] * decay[b] * angle
        for one, other in ((a, b), (b, a)):
            along = front * fall[one] * decay[other] * angle**2 - turn * cosine / r_p[one]
            across = turn / r_p[one]
            pull = along[:, None] * unit[one] + across[:, None] * unit[other]
            np.add.at(gradient, one, pull)
        np.add.at(energy_p, a, energy_t)
        return assembled(neighborhood, i, j, d_pc, energy_p, gradient)


def pairs_within(
    hood: Neighborhood, cutoff: float
) -> tuple[IntArray, IntArray, FloatArray, FloatArray]:
    """Return centres i, neighbours j, displacements r_j - r_i, distances below cutoff."""
    i = np.repeat(np.arange(hood.n_local, dtype=np.int32), np.diff(hood.first))
    d_pc = hood.positions[hood.neighbors] - hood.positions[i]
    r_p = np.linalg.norm(d_pc, axis=1)
    near = r_p < cutoff
    return i[near], hood.neighbors[near], d_pc[near], r_p[near]


def triplets_of(i: IntArray, n_atoms: int) -> tuple[IntArray, IntArray]:
    """Return both pairs of every triplet: all a < b that share their central atom i."""
    count = np.bincount(i, minlength=n_atoms)
    last = np.repeat(np.cumsum(count), count)
    later = last - np.arange(len(i)) - 1
    a = np.repeat(np.arange(len(i)), later)
    step = np.arange(len(a)) - np.repeat(np.cumsum(later) - later, later)
    return a, a + 1 + step


def assembled(
    hood: Neighborhood,
    i: IntArray,
    j: IntArray,
    d_pc: FloatArray,
    energy_p: FloatArray,
    gradient: FloatArray,
) -> Evaluation:
    """Return the evaluation of energies per directed pair and their gradients by d_pc."""
    n = hood.n_local
    forces = np.zeros((n, 3))
    np.add.at(forces, i, gradient)
    np.subtract.at(forces, hood.owners[j], gradient)
    energies = np.bincount(i, weights=energy_p, minlength=n)
    return Evaluation(energies, forces, -(d_pc.T @ gradient))
