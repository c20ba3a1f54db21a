"""What a potential of one element does far from its data: scans and their criteria."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trimpot.fitting.paths import lattice, scaled
from trimpot.validation.check import Check
from trimpot.validation.scaling_scans import (
    FALL_BOUND,
    ScaledScan,
    check_compression,
    check_expansion,
    check_floor,
    check_pressure,
    check_wells,
    largest_fall,
    scaled_scan,
)
from trimpot.validation.scans import Scan, bent_trimer_scan, check_repulsion, dimer_scan

CRYSTALS = ("bcc", "fcc", "sc", "diamond")
DENSEST, SPARSEST = 0.7, 1.4
"""Lengths over those at rest between which a crystal must have one well."""

SCALE_STEP, LENGTH_STEP = 0.0025, 0.01
"""Of scales, and of distances over that of nearest neighbours at rest."""

FRAME_STEP, FRAME_REST = 0.005, 0.88
"""Of the scales of frames, and above which of them the lowest energy is sought."""

SHORTEST = 0.5
"""Shortest distance of dimers and trimers, over that of nearest neighbours at rest."""

CORE = 0.95
"""Distances, over the shortest of the data, below which atoms must repel."""

ANGLES = (45.0, 60.0, 75.0, 90.0, 109.471, 120.0, 150.0, 180.0)

NEAR = (0.8, 1.25)
"""Distances of nearest neighbours, over those of the ground state, between which other
crystals come to rest."""


@dataclass(frozen=True)
class Crystal:
    """A crystal scanned about its rest.

    Attributes
    ----------
    nearest : float
        Distance of nearest neighbours at rest, angstrom.
    rest : int
        Index of the scale 1 in the scan.
    scan : ScaledScan
        From DENSEST to beyond the cutoff.
    """

    nearest: float
    rest: int
    scan: ScaledScan

    @property
    def energy(self) -> float:
        """At rest, eV/atom."""
        return float(self.scan.energy[self.rest])


@dataclass(frozen=True)
class Findings:
    """Scans of one potential of one element; energies in eV/atom, lengths in angstrom.

    Attributes
    ----------
    crystals : tuple of Crystal
        The ground state first.
    clusters : tuple of (Scan, int)
        Dimer and trimers, with their numbers of atoms.
    frames : tuple of ScaledScan
        Data frames, from DENSEST to their own scale.
    shortest : float
        Shortest distance of the training data.
    """

    crystals: tuple[Crystal, ...]
    clusters: tuple[tuple[Scan, int], ...]
    frames: tuple[ScaledScan, ...]
    shortest: float

    @property
    def ground(self) -> Crystal:
        return self.crystals[0]


def crystal_scan(potential, name: str, low: float, high: float) -> Crystal:
    """Return a crystal about its lowest energy at nearest distances from low to high."""
    unit = lattice(name, potential.species)
    coarse = scaled_scan(potential, unit, np.geomspace(low, high, 200), name=name)
    steps = float(coarse.scale[coarse.energy.argmin()]) * np.linspace(0.995, 1.005, 41)
    fine = scaled_scan(potential, unit, steps, name=name)
    nearest = float(steps[fine.energy.argmin()])
    inwards = np.arange(1.0, DENSEST - 1e-9, -SCALE_STEP)[::-1]
    end = max(SPARSEST, 1.02 * potential.cutoff / nearest)
    scale = np.append(inwards, np.arange(1.0 + SCALE_STEP, end, SCALE_STEP))
    scan = scaled_scan(potential, scaled(unit, nearest), scale, name=name)
    return Crystal(nearest, len(inwards) - 1, scan)


def scan_all(potential, ground: str, nearest: float, frames) -> Findings:
    """Return all scans.

    Parameters
    ----------
    ground : str
        Crystal of the ground state.
    nearest : float
        Its distance of nearest neighbours, about, angstrom.
    frames
        Data frames by name.
    """
    lowest = crystal_scan(potential, ground, 0.9 * nearest, 1.1 * nearest)
    ends = [f * lowest.nearest for f in NEAR]
    others = [crystal_scan(potential, n, *ends) for n in CRYSTALS if n != ground]
    scale = np.arange(1.0, DENSEST - 1e-9, -FRAME_STEP)[::-1]
    return Findings(
        (lowest, *others),
        cluster_scans(potential, lowest.nearest),
        tuple(
            scaled_scan(potential, frame.structure, scale, name=name)
            for name, frame in frames.items()
        ),
        float(potential.statistics["smallest"].min()),
    )


def cluster_scans(potential, nearest: float) -> tuple[tuple[Scan, int], ...]:
    """Return a dimer and trimers of all angles with their numbers of atoms."""
    z = potential.species[0]
    end = 1.02 * potential.cutoff / nearest
    r = nearest * np.arange(SHORTEST, end, LENGTH_STEP)
    trimers = [bent_trimer_scan(potential, (z, z, z), r, angle) for angle in ANGLES]
    return ((dimer_scan(potential, z, z, r), 2), *((t, 3) for t in trimers))


def checks(found: Findings) -> dict[str, Check]:
    """Return the worst result of every criterion by what it is about."""
    (dimer, *trimers), (ground, *others) = found.clusters, found.crystals
    scans = [c.scan for c in others]
    rest = found.ground.energy
    return {
        "ground state: one well": check_wells(ground.scan, DENSEST, SPARSEST),
        "ground state: pressure": check_pressure(ground.scan, DENSEST, SPARSEST),
        "ground state: compression": check_compression(ground.scan, ground.rest),
        "ground state: expansion": check_expansion(ground.scan, ground.rest),
        "other crystals: one well": worst(check_wells(s, DENSEST, SPARSEST) for s in scans),
        "other crystals: compression": worst(
            check_compression(c.scan, c.rest) for c in others
        ),
        "other crystals: expansion": worst(check_expansion(c.scan, c.rest) for c in others),
        "all crystals: depth": worst(
            check_floor(c.scan.name, c.scan.scale, c.scan.energy, rest)
            for c in found.crystals
        ),
        **cluster_checks("dimer", [dimer], found),
        **cluster_checks("trimers", trimers, found),
        "frames: compression": worst(
            check_compression(s, s.lowest(FRAME_REST, 1.0)) for s in found.frames
        ),
        "frames: depth": worst(
            check_floor(s.name, s.scale, s.energy, rest) for s in found.frames
        ),
    }


def cluster_checks(kind: str, clusters, found: Findings) -> dict[str, Check]:
    """Return repulsion, walls and depths of small molecules."""
    shortest, rest = found.shortest, found.ground.energy
    return {
        f"{kind}: core": worst(check_repulsion(s, CORE * shortest) for s, _ in clusters),
        f"{kind}: wall": worst(check_wall(s, n, shortest) for s, n in clusters),
        f"{kind}: depth": worst(
            check_floor(s.name, s.r, s.energy / n, rest) for s, n in clusters
        ),
    }


def check_wall(scan: Scan, atoms: int, shortest: float) -> Check:
    """From its lowest energy beyond the shortest distance of the data it rises inwards."""
    beyond = np.flatnonzero(scan.r >= shortest)
    start = int(beyond[scan.energy[beyond].argmin()])
    fall, steps = largest_fall(scan.energy[start::-1] / atoms)
    where = f"at {scan.r[start - steps]:.3g} A"
    return Check(f"wall {scan.name}", fall, FALL_BOUND, "eV/atom", where)


def worst(found) -> Check:
    """Return the check whose value is largest."""
    return max(found, key=lambda check: check.value)
