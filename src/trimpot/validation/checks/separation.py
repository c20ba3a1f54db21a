"""What is far apart does not interact: locality, additivity, isolated atoms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trimpot.engines.singlepoint import evaluate, symbol
from trimpot.validation.checks.verdict import Family, Measured, NotApplicable, Spec, worst
from trimpot.validation.scans import check_isolated_atoms, isolated_energies
from trimpot.validation.transform import free_cluster

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trimpot.contract import FloatArray, Potential, Structure
    from trimpot.validation.checks.judged import Judged
    from trimpot.validation.checks.verdict import Found

GAP = 2.5
"""Between two fragments, over the cutoff."""


def measure(judged: Judged) -> Mapping[str, Found]:
    """Look at two fragments far apart, at single atoms, and just beyond the cutoff."""
    return {
        **_fragments(judged),
        "isolated-energy": _isolated(judged),
        "isolated-forces": _isolated_forces(judged.potential),
        "dissociated-energy": _dissociated(judged.potential, judged.samples.cluster),
        "beyond-cutoff": _beyond(judged),
    }


def _fragments(judged: Judged) -> dict[str, Found]:
    """Put a second fragment beyond twice the cutoff, as it is and distorted."""
    potential, cluster = judged.potential, judged.samples.cluster
    n = len(cluster)
    gap = np.ptp(cluster.positions[:, 0]) + GAP * potential.cutoff
    far = cluster.positions + np.array([gap, 0.0, 0.0])
    distorted = far + 0.1 * judged.rng.uniform(-1.0, 1.0, (n, 3))
    alone = evaluate(potential, cluster, threads=1)
    other = evaluate(potential, _joined(cluster, far, only=True), threads=1)
    both = evaluate(potential, _joined(cluster, far), threads=1)
    third = evaluate(potential, _joined(cluster, distorted), threads=1)
    parts = np.concatenate([alone.energies, other.energies])
    return {
        "fragments-energy": Measured(float(abs((both.energies - parts).sum())) / (2 * n)),
        "fragments-forces": Measured(_largest(both.forces[:n] - alone.forces)),
        "cross-gradient": Measured(_largest(third.forces[:n] - both.forces[:n])),
    }


def _joined(cluster: Structure, far: FloatArray, *, only: bool = False) -> Structure:
    if only:
        return free_cluster(cluster.numbers.tolist(), far)
    positions = np.concatenate([cluster.positions, far])
    return free_cluster([*cluster.numbers.tolist()] * 2, positions)


def _isolated(judged: Judged) -> Found:
    if not judged.known.isolated:
        return NotApplicable("nobody says what energies isolated atoms ought to have")
    check = check_isolated_atoms(judged.potential, judged.known.isolated)
    return Measured(check.value, check.detail)


def _isolated_forces(potential: Potential) -> Measured:
    found = [
        Measured(
            _largest(evaluate(potential, free_cluster([z], np.ones((1, 3)))).forces),
            symbol(z),
        )
        for z in potential.species
    ]
    return worst(found)


def _dissociated(potential: Potential, cluster: Structure) -> Measured:
    """Pull a cluster apart beyond the cutoff: isolated atoms remain."""
    n = len(cluster)
    sites = np.zeros((n, 3))
    sites[:, 0] = 1.05 * potential.cutoff * np.arange(n)
    apart = free_cluster(cluster.numbers.tolist(), sites)
    alone = isolated_energies(potential)
    expected = np.array([alone[int(z)] for z in cluster.numbers])
    found = evaluate(potential, apart, threads=1).energies
    return Measured(float(np.abs(found - expected).max()))


def _beyond(judged: Judged) -> Measured:
    found = []
    for a, b in judged.pairs:
        for factor in (1.0 + 1e-9, 1.01, 1.5):
            r = judged.potential.cutoff * factor
            dimer = free_cluster([a, b], np.array([[0.0, 0.0, 0.0], [r, 0.0, 0.0]]))
            forces = evaluate(judged.potential, dimer, threads=1).forces
            name = f"{symbol(a)}-{symbol(b)} at {r:.4f} A"
            found.append(Measured(_largest(forces), name))
    return worst(found)


def _largest(values: FloatArray) -> float:
    return float(np.abs(values).max(initial=0.0))


SPECS = (
    Spec(
        "fragments-energy",
        "energy of two fragments beyond twice the cutoff, less both",
        "eV/atom",
        1e-12,
        "Separate pieces do not add up: reaction and binding energies depend on what else "
        "is in the cell.",
        single=1e-5,
    ),
    Spec(
        "fragments-forces",
        "forces on a fragment, with another beyond twice the cutoff",
        "eV/A",
        0.0,
        "Atoms feel others that are beyond their reach: domains of a parallel run give "
        "other forces than one process.",
        single=1e-4,
    ),
    Spec(
        "cross-gradient",
        "change of these forces when the other fragment is distorted",
        "eV/A",
        0.0,
        "Forces depend on atoms beyond reach: the potential is not local.",
        single=1e-4,
    ),
    Spec(
        "isolated-energy",
        "energy of isolated atoms beside their E0",
        "eV",
        1e-9,
        "Isolated atoms have another energy than they were given: atomisation and "
        "formation energies are off.",
        single=1e-4,
    ),
    Spec(
        "isolated-forces",
        "force on an isolated atom",
        "eV/A",
        0.0,
        "A lone atom is pushed by nothing: an external field is in the model.",
    ),
    Spec(
        "dissociated-energy",
        "energy of atoms beyond the cutoff, beside isolated ones",
        "eV/atom",
        1e-9,
        "Dissociation ends at another energy than that of the atoms: the energy depends on "
        "the number of atoms or on distances beyond the cutoff.",
        single=1e-4,
    ),
    Spec(
        "beyond-cutoff",
        "forces of a dimer just beyond the cutoff",
        "eV/A",
        0.0,
        "Atoms interact beyond the stated cutoff: neighbour lists miss pairs that count.",
    ),
)

FAMILY = Family("separation", SPECS, measure)
