"""Liquid water by a few picoseconds of classical dynamics, so that no data are needed."""

from __future__ import annotations

import numpy as np
import torch
from ase import units

from trimpot.contract import Structure

OXYGEN_CHARGE = -0.82
BOND, BOND_STRENGTH = 1.012, 1059.162
ANGLE, ANGLE_STRENGTH = np.radians(113.24), 75.90
SIGMA, EPSILON = 3.165492, 0.1554253
"""SPC/Fw (Wu, Tepper, Voth, J. Chem. Phys. 124, 024503, 2006): kcal/mol, A, radians."""

DENSITY = 0.0334
"""Molecules per A^3."""

DAMPING, MOST_FORCE = 0.2, 20.0
COULOMB = 14.399645
"""e^2 / (4 pi epsilon_0) in eV A."""


def liquid_water(molecules_per_edge: int = 4, picoseconds: float = 3.0) -> Structure:
    """Return SPC/Fw water at 300 K from a lattice of molecules turned at random."""
    rng = np.random.default_rng(1)
    edge = molecules_per_edge * DENSITY ** (-1 / 3)
    n = molecules_per_edge**3
    numbers = np.tile([8, 1, 1], n).astype(np.int32)
    x_nc = torch.from_numpy(_lattice(molecules_per_edge, edge, rng))
    mass_n1 = torch.tensor([15.999, 1.008, 1.008] * n, dtype=torch.float64)[:, None]
    model = _SpcFw(n, edge)
    v_nc = torch.zeros_like(x_nc)
    for timestep_fs, friction, steps in (
        (0.2, 0.05, 1000),
        (0.7, 0.005, round(picoseconds * 1000 / 0.7)),
    ):
        x_nc, v_nc = _langevin(
            model, x_nc, v_nc, mass_n1, timestep_fs, friction, steps, rng
        )
    return Structure(numbers, x_nc.numpy(), edge * np.eye(3), np.ones(3, bool))


def _lattice(per_edge: int, edge: float, rng) -> np.ndarray:
    half = ANGLE / 2
    molecule = BOND * np.array(
        [[0, 0, 0], [np.sin(half), np.cos(half), 0], [-np.sin(half), np.cos(half), 0]]
    )
    sites = np.stack(np.indices((per_edge,) * 3), -1).reshape(-1, 3) * (edge / per_edge)
    turned = [molecule @ np.linalg.qr(rng.normal(size=(3, 3)))[0] for _ in sites]
    return np.concatenate([site + atoms for site, atoms in zip(sites, turned, strict=True)])


class _SpcFw:
    """Energy of n molecules O, H, H; damped shifted Coulomb up to half the cell."""

    def __init__(self, n: int, edge: float) -> None:
        self.edge, self.cutoff = edge, edge / 2
        i, j = np.triu_indices(3 * n, 1)
        apart = i // 3 != j // 3
        self.i, self.j = torch.from_numpy(i[apart]), torch.from_numpy(j[apart])
        charges = torch.tensor([1.0, -0.5, -0.5] * n, dtype=torch.float64) * OXYGEN_CHARGE
        self.strength = COULOMB * charges[self.i] * charges[self.j]
        self.oxygens = (self.i % 3 == 0) & (self.j % 3 == 0)
        self.force_shift = self._coulomb(torch.tensor(self.cutoff, dtype=torch.float64))

    @staticmethod
    def _coulomb(r):
        """Return erfc(a r) / r and its slope."""
        value = torch.erfc(DAMPING * r) / r
        gauss = 2 * DAMPING / np.sqrt(np.pi) * torch.exp(-((DAMPING * r) ** 2))
        return value, -(value + gauss) / r

    def __call__(self, x_nc):
        return self._within(x_nc) + self._between(x_nc)

    def _within(self, x_nc):
        legs = x_nc.view(-1, 3, 3)[:, 1:] - x_nc.view(-1, 3, 3)[:, :1]
        r = torch.linalg.vector_norm(legs, dim=2)
        angle = torch.acos((legs[:, 0] * legs[:, 1]).sum(1) / r.prod(1))
        energy = BOND_STRENGTH * (r - BOND).square().sum()
        energy = energy + ANGLE_STRENGTH * (angle - ANGLE).square().sum()
        return 0.5 * energy * (units.kcal / units.mol)

    def _between(self, x_nc):
        d = x_nc[self.j] - x_nc[self.i]
        d = d - self.edge * torch.round(d / self.edge)
        r = torch.linalg.vector_norm(d, dim=1)
        near = r < self.cutoff
        r = r.clamp_max(self.cutoff)
        value, _ = self._coulomb(r)
        end, slope = self.force_shift
        coulomb = self.strength * (value - end - slope * (r - self.cutoff)) * near
        six = (SIGMA / r[self.oxygens]) ** 6
        pairs = 4 * EPSILON * (six**2 - six) * near[self.oxygens]
        return coulomb.sum() + pairs.sum() * (units.kcal / units.mol)


def _forces(model, x_nc):
    x_nc = x_nc.detach().requires_grad_()
    return -torch.autograd.grad(model(x_nc), x_nc)[0].clamp(-MOST_FORCE, MOST_FORCE)


def _langevin(model, x_nc, v_nc, mass_n1, timestep_fs, friction, steps, rng):
    """Return positions and velocities after BAOAB steps at 300 K; friction in 1/fs."""
    dt, kick = timestep_fs * units.fs, np.exp(-friction * timestep_fs)
    noise = torch.sqrt(units.kB * 300.0 * (1 - kick**2) / mass_n1)
    f_nc = _forces(model, x_nc)
    for _ in range(steps):
        v_nc = v_nc + 0.5 * dt * f_nc / mass_n1
        x_nc = x_nc + 0.5 * dt * v_nc
        v_nc = kick * v_nc + noise * torch.from_numpy(rng.normal(size=x_nc.shape))
        x_nc = x_nc + 0.5 * dt * v_nc
        f_nc = _forces(model, x_nc)
        v_nc = v_nc + 0.5 * dt * f_nc / mass_n1
    return x_nc, v_nc
