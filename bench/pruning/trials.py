"""What is asked of every scheme: errors, energy at constant energy, jumps, time."""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from ase import units
from ase.build import bulk

from trimpot.contract import Structure
from trimpot.engines.ase import structure_from_atoms
from trimpot.engines.md_statistics import Drift, drift
from trimpot.networks import structure_graph

from .model import KIND, LinearModel, fit, predictions, rows
from .schemes import Scheme

MASS = 183.84
TIMESTEP_FS, HEAT_K, SETTLING_PS, LATTICE = 2.0, 2500.0, 0.5, 3.20
PATH_LENGTH, PATH_POINTS, EVENTS = 0.4, 200, 8
BESIDE = 1e-9
"""How far from a boundary both sides are, in A of the atom that moves most."""

AROUND, CURVE_POINTS = 0.01, 161


@dataclass(frozen=True)
class Errors:
    """On test frames, one number per training subset: meV/atom and eV/A."""

    energy: list[float]
    forces: list[float]
    forces_mae: list[float]


def errors(scheme, subsets, test) -> tuple[Errors, list[np.ndarray]]:
    """Return errors of fits to each subset of frames, and the coefficients."""
    training = rows(scheme, [frame for subset in subsets for frame in subset])
    subset_of = np.repeat(np.arange(len(subsets)), [len(s) for s in subsets])
    found = [fit(training.of(subset_of == k)) for k in range(len(subsets))]
    labels = np.concatenate([frame.forces for frame in test])
    energies = np.array([frame.energy / len(frame) for frame in test])
    result = Errors([], [], [])
    for energy, forces in predictions(scheme, test, found):
        result.energy.append(1e3 * float(np.sqrt(np.mean((energy - energies) ** 2))))
        result.forces.append(float(np.sqrt(np.mean((forces - labels) ** 2))))
        result.forces_mae.append(float(np.mean(np.abs(forces - labels))))
    return result, found


def tungsten(repeats: int, noise: float = 0.0, seed: int = 3) -> Structure:
    """Return a bcc crystal."""
    atoms = bulk("W", "bcc", a=LATTICE, cubic=True).repeat(repeats)
    rng = np.random.default_rng(seed)
    atoms.positions += rng.normal(0.0, 1.0, atoms.positions.shape) * noise
    return structure_from_atoms(atoms)


@dataclass(frozen=True)
class Run:
    """A run at constant energy.

    Attributes
    ----------
    time_ps, energy : list of float
        Every step after settling; total energy in meV/atom relative to its start.
    drift : Drift or None
        None where the run ended early.
    temperature_k : float
    largest_step : float
        Largest change of the total energy in one step, meV/atom.
    """

    time_ps: list[float]
    energy: list[float]
    drift: Drift | None
    temperature_k: float
    largest_step: float


def at_constant_energy(model: LinearModel, picoseconds: float) -> Run:
    """Return 54 atoms of tungsten at about 2500 K by velocity Verlet, 2 fs a step."""
    start = tungsten(3)
    n, dt = len(start), TIMESTEP_FS * units.fs
    x_nc = start.positions.copy()
    v_nc = np.random.default_rng(5).normal(size=x_nc.shape)
    v_nc -= v_nc.mean(0)
    v_nc *= np.sqrt(2 * HEAT_K * 3 * (n - 1) * units.kB / MASS / np.sum(v_nc**2))
    _, f_nc = model.energy_forces(start)
    totals, kinetics = [], []
    for _ in range(round(1000 * picoseconds / TIMESTEP_FS)):
        v_nc += 0.5 * dt * f_nc / MASS
        x_nc = x_nc + dt * v_nc
        moved = Structure(start.numbers, x_nc, start.cell, start.pbc)
        energy, f_nc = model.energy_forces(moved)
        v_nc += 0.5 * dt * f_nc / MASS
        kinetics.append(0.5 * MASS * float(np.sum(v_nc**2)))
        totals.append(energy + kinetics[-1])
        if not abs(totals[-1] - totals[0]) < n:
            break
    return _run_of(np.array(totals) / n, np.array(kinetics) / n)


def _run_of(total, kinetic) -> Run:
    times = 1e-3 * TIMESTEP_FS * np.arange(1, len(total) + 1)
    settled = times > SETTLING_PS
    line = drift(1e3 * times[settled], total[settled]) if settled.sum() > 100 else None
    relative = 1e3 * (total - total[settled][0] if settled.any() else total - total[0])
    n = len(tungsten(3))
    return Run(
        times[settled].tolist(),
        relative[settled].tolist(),
        line,
        float(kinetic[settled].mean() * 2 * n / (3 * (n - 1) * units.kB)),
        float(np.abs(np.diff(relative[settled])).max()),
    )


@dataclass(frozen=True)
class Path:
    """Positions start + t direction; t in A of the atom that moves most."""

    structure: Structure
    direction: np.ndarray

    def at(self, t: float) -> Structure:
        s = self.structure
        return Structure(s.numbers, s.positions + t * self.direction, s.cell, s.pbc)


def path() -> Path:
    """Return a path through hot configurations."""
    direction = np.random.default_rng(11).normal(size=(54, 3))
    direction /= np.linalg.norm(direction, axis=1).max()
    return Path(tungsten(3, noise=0.12), direction)


def along(model: LinearModel, way: Path, t: float):
    """Return energy, dE/dt, d2E/dt2 and forces at a point of the path."""
    graph = model.graph(way.at(t))
    x = graph.positions.clone().requires_grad_()
    d = torch.from_numpy(way.direction)
    energy = model.energy(graph, x)
    gradient = torch.autograd.grad(energy, x, create_graph=True)[0]
    slope = (gradient * d).sum()
    bend = (torch.autograd.grad(slope, x)[0] * d).sum()
    return (
        float(energy.detach()),
        float(slope.detach()),
        float(bend),
        -gradient.detach().numpy(),
    )


def edges_at(model: LinearModel, way: Path, t: float) -> frozenset:
    """Return which edges are left at a point of the path."""
    graph = model.graph(way.at(t))
    with torch.no_grad():
        index = model.scheme(graph).edges.index
    each = torch.cat([graph.edges[:, index].T, graph.shifts[index]], dim=1)
    return frozenset(map(tuple, each.tolist()))


@dataclass(frozen=True)
class Jumps:
    """What changes where an edge enters or leaves, the largest of several boundaries.

    Attributes
    ----------
    boundaries : int
    energy, force, curvature : float
        eV; eV/A, largest component; eV/A^2 along the path.
    scale : float
        Largest curvature met, eV/A^2.
    curve : dict
        t - boundary, energy, slope and curvature around the largest jump.
    """

    boundaries: int
    energy: float
    force: float
    curvature: float
    scale: float
    curve: dict[str, list[float]]


def jumps(model: LinearModel) -> Jumps:
    """Return the jumps at the first boundaries of the path."""
    way = path()
    found = []
    for t in boundaries(model, way):
        before, after = along(model, way, t - BESIDE), along(model, way, t + BESIDE)
        change = [abs(b - a) for a, b in zip(before[:3], after[:3], strict=True)]
        force = float(np.abs(after[3] - before[3]).max())
        found.append((change[0], force, change[2], max(abs(before[2]), abs(after[2])), t))
    worst = np.array(found).max(0)
    at = found[int(np.argmax([row[2] for row in found]))][-1]
    return Jumps(len(found), *map(float, worst[:4]), curve=_curve(model, way, at))


def boundaries(model: LinearModel, way: Path) -> list[float]:
    """Return where sets of edges change, first ones first."""
    found, t_all = [], np.linspace(0.0, PATH_LENGTH, PATH_POINTS)
    last = edges_at(model, way, 0.0)
    for low, high in pairwise(t_all):
        now = edges_at(model, way, high)
        if now != last:
            found.append(_bisected(model, way, (low, last), high))
            if len(found) == EVENTS:
                break
        last = now
    return found


def _bisected(model, way, before, high: float) -> float:
    low, kept = before
    while high - low > 0.1 * BESIDE:
        middle = 0.5 * (low + high)
        if edges_at(model, way, middle) == kept:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


def _curve(model, way, t: float) -> dict[str, list[float]]:
    offsets = np.linspace(-AROUND, AROUND, CURVE_POINTS)
    values = [along(model, way, t + offset)[:3] for offset in offsets]
    names = ("energy", "slope", "curvature")
    return {"offset": offsets.tolist()} | {
        name: [v[k] for v in values] for k, name in enumerate(names)
    }


@dataclass(frozen=True)
class Cost:
    """Milliseconds per call and atoms, the best of several rounds."""

    atoms: int
    list_ms: float
    weights_ms: float
    call_ms: float


def costs(schemes, rounds: int = 7) -> list[Cost]:
    """Return what lists, weights and whole force calls of hot tungsten take, by turns."""
    structure = tungsten(6, noise=0.15)
    calls = [call for scheme in schemes for call in _calls(scheme, structure)]
    times = np.full((rounds, len(calls)), np.inf)
    for row in times:
        for k, call in enumerate(calls):
            begin = time.perf_counter()
            call()
            row[k] = time.perf_counter() - begin
    best = 1e3 * times.min(0).reshape(len(schemes), -1)
    return [Cost(len(structure), *map(float, row)) for row in best]


def _calls(scheme: Scheme, structure: Structure):
    model = LinearModel(scheme, torch.ones(len(KIND), dtype=torch.float64))
    graph = model.graph(structure)

    def weights() -> None:
        with torch.no_grad():
            scheme(graph)

    return (
        lambda: structure_graph(structure, (74,), scheme.reach),
        weights,
        lambda: model.energy_forces(structure),
    )
