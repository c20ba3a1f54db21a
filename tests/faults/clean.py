"""Clean data sets, labelled by a toy potential, and how they are written."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from toy_potentials import Morse
from trimpot.contract import Structure
from trimpot.elements import SYMBOLS
from trimpot.neighbors import neighborhood

ATOM = -4.6
TUNGSTEN = Morse(cutoff=5.0, depth=0.9, isolated={74: ATOM})
ORGANIC = Morse(
    cutoff=3.5,
    depth=2.0,
    width=2.2,
    minimum=1.35,
    isolated={1: -13.6, 6: -1029.8, 8: -2042.6},
)  # all-electron energies in eV


@dataclass(frozen=True)
class Sample:
    """One labelled frame as it will be written; None leaves a label out."""

    numbers: np.ndarray
    positions: np.ndarray
    cell: np.ndarray | None
    energy: float | None
    forces: np.ndarray | None
    stress: np.ndarray | None
    group: str
    pbc: bool = True

    def __len__(self):
        return len(self.numbers)

    @property
    def volume(self):
        return abs(float(np.linalg.det(self.cell)))


def labelled(potential, numbers, positions, cell, group):
    periodic = cell is not None
    structure = Structure(
        np.array(numbers, dtype=np.int32),
        positions,
        cell if periodic else np.zeros((3, 3)),
        np.full(3, periodic),
    )
    found = potential.evaluate(neighborhood(structure, potential.cutoff))
    stress = found.stress(structure.volume) if periodic else None
    return Sample(
        structure.numbers,
        positions,
        cell,
        found.energy,
        found.forces,
        stress,
        group,
        periodic,
    )


def bcc(repeat, spacing):
    corners = np.array(list(np.ndindex(*repeat)), dtype=float)
    sites = np.concatenate([corners, corners + 0.5]) * spacing
    return sites, np.diag(np.array(repeat, dtype=float)) * spacing


def atom(group="IsolatedAtom"):
    return Sample(
        np.array([74]),
        np.zeros((1, 3)),
        None,
        ATOM,
        np.zeros((1, 3)),
        None,
        group,
        pbc=False,
    )


@cache
def metal():
    """Tungsten: a trajectory, strained cells, unlike cells, an isolated atom."""
    rng = np.random.default_rng(7)
    samples = []
    sites, cell = bcc((2, 2, 2), 3.2)
    moves = 0.12 * rng.normal(size=sites.shape)
    for _ in range(24):
        moves = 0.93 * moves + 0.045 * rng.normal(size=sites.shape)
        samples.append(labelled(TUNGSTEN, [74] * 16, sites + moves, cell, "md"))
    base = bcc((1, 1, 1), 3.2)[0] + np.array([[0.0, 0.0, 0.0], [0.1, -0.07, 0.05]])
    for k in range(20):
        strain = 0.015 * rng.normal(size=(3, 3))
        if k % 2:
            strain -= np.diag(np.diag(strain)) * 0.9
            strain *= 1.6
        strained = np.eye(3) * 3.2 @ (np.eye(3) + 0.5 * (strain + strain.T))
        positions = base / 3.2 @ strained
        samples.append(labelled(TUNGSTEN, [74] * 2, positions, strained, "strained"))
    for _ in range(24):
        spacing = 3.2 * (1.0 + 0.04 * rng.normal())
        sites, cell = bcc((2, 2, 1), spacing)
        positions = sites + 0.18 * rng.normal(size=sites.shape)
        samples.append(labelled(TUNGSTEN, [74] * 8, positions, cell, "hot"))
    return (*samples, atom())


@cache
def unlike():
    """Tungsten cells no two of which are near each other."""
    rng = np.random.default_rng(8)
    samples = []
    for k in range(50):
        spacing = 3.2 * (1.0 + 0.05 * rng.normal())
        repeat = ((2, 2, 1), (2, 2, 2), (3, 2, 1))[k % 3]
        sites, cell = bcc(repeat, spacing)
        positions = sites + 0.2 * rng.normal(size=sites.shape)
        samples.append(labelled(TUNGSTEN, [74] * len(sites), positions, cell, "hot"))
    return tuple(samples)


@cache
def molecules():
    """Chains of carbon, oxygen and hydrogen along trajectories, all-electron energies."""
    rng = np.random.default_rng(9)
    samples = []
    shapes = ([6, 8, 1, 1], [6, 6, 8, 1, 1, 1])
    for k, kinds in enumerate(shapes):
        n = len(kinds)
        turns = np.arange(n) * 1.1
        rest = np.column_stack(
            [0.9 * np.arange(n), 0.7 * np.cos(turns), 0.7 * np.sin(turns)]
        )
        moves = 0.05 * rng.normal(size=rest.shape)
        for _ in range(24):
            moves = 0.93 * moves + 0.025 * rng.normal(size=rest.shape)
            samples.append(labelled(ORGANIC, kinds, rest + moves, None, f"molecule{k}"))
    return tuple(samples)


SETS = {"metal": metal, "unlike": unlike, "molecules": molecules}


def text(samples, **names):
    """Extended XYZ of samples; ``names`` renames energy, forces, stress."""
    return "".join(frame_text(sample, **names) for sample in samples)


def frame_text(sample, *, energy="energy", forces="forces", stress="stress"):
    words = []
    if sample.cell is not None:
        words.append(f'Lattice="{_row(sample.cell)}"')
    columns = "species:S:1:pos:R:3"
    rows = [
        [SYMBOLS[z], *_cells(x)]
        for z, x in zip(sample.numbers, sample.positions, strict=True)
    ]
    if sample.forces is not None:
        columns += f":{forces}:R:{sample.forces.shape[1]}"
        rows = [row + _cells(f) for row, f in zip(rows, sample.forces, strict=True)]
    words.append(f"Properties={columns}")
    if sample.energy is not None:
        words.append(f"{energy}={sample.energy:.10g}")
    if sample.stress is not None:
        words.append(f'{stress}="{_row(sample.stress)}"')
    words.append(f"config_type={sample.group}")
    words.append('pbc="T T T"' if sample.pbc else 'pbc="F F F"')
    lines = [str(len(sample)), " ".join(words), *(" ".join(row) for row in rows)]
    return "\n".join(lines) + "\n"


def _cells(values):
    return [f"{x:.8f}" for x in values]


def _row(array):
    return " ".join(f"{x:.10g}" for x in np.ravel(array))


def changed(samples, indices=None, **changes):
    """Samples with fields replaced; a callable takes the sample and gives the value."""
    chosen = range(len(samples)) if indices is None else indices
    out = list(samples)
    for i in chosen:
        values = {k: v(out[i]) if callable(v) else v for k, v in changes.items()}
        out[i] = replace(out[i], **values)
    return tuple(out)


def symmetric_crystals():
    """Perfect crystals at many volumes: forces are exactly 0, and rightly so."""
    out = []
    for k in range(24):
        sites, cell = bcc((2, 2, 2) if k % 2 else (1, 1, 1), 3.0 + 0.02 * k)
        sample = labelled(TUNGSTEN, [74] * len(sites), sites, cell, "volumes")
        out.append(changed((sample,), forces=np.zeros((len(sites), 3)))[0])
    return tuple(out)


def slabs():
    """Free surfaces in tall cells: most of the volume is empty."""
    rng = np.random.default_rng(11)
    out = []
    for _ in range(20):
        sites, cell = bcc((2, 2, 3), 3.2)
        cell = cell + np.diag([0.0, 0.0, 14.0])
        moved = sites + 0.1 * rng.normal(size=sites.shape)
        out.append(labelled(TUNGSTEN, [74] * len(sites), moved, cell, "slab"))
    return tuple(out)


def dimers():
    """A dimer from the repulsive wall to where it no longer interacts."""
    return tuple(
        labelled(TUNGSTEN, [74, 74], np.array([[0.0, 0, 0], [r, 0.0, 0.0]]), None, "dimer")
        for r in np.linspace(1.9, 6.0, 30)
    )


def energies_alone():
    return changed(molecules(), forces=None)


def one_frame():
    return metal()[:1]


def partly_labelled():
    out = changed(metal(), range(0, 40, 2), stress=None)
    return changed(out, range(1, 20, 3), forces=None)


def hot_and_cold():
    """Groups of very different forces and energies, as training sets have them."""
    rng = np.random.default_rng(12)
    out = []
    for scale, group in ((0.02, "cold"), (0.1, "warm"), (0.3, "liquid")):
        for _ in range(24):
            sites, cell = bcc((2, 2, 2), 3.2 * (1.0 + 0.02 * rng.normal()))
            moved = sites + scale * rng.normal(size=sites.shape)
            out.append(labelled(TUNGSTEN, [74] * 16, moved, cell, group))
    return tuple(out)


ODD = {
    "symmetric crystals": symmetric_crystals,
    "slabs": slabs,
    "dimers": dimers,
    "energies alone": energies_alone,
    "one frame": one_frame,
    "partly labelled": partly_labelled,
    "hot and cold": hot_and_cold,
}
"""Unusual sets with nothing wrong."""
