"""What screening costs in a force call, and how that grows with the cutoff."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pages
from ase.build import bulk

from trimpot.benchmarks.states import State
from trimpot.benchmarks.subjects import Ours, interleaved
from trimpot.engines.ase import structure_from_atoms
from trimpot.envelopes import EnvelopeSettings
from trimpot.splines.pair_settings import PairSettings
from trimpot.splines.potential import SplinePotential
from trimpot.splines.profile import PairProfile
from trimpot.splines.triplet_settings import TripletSettings

ENVELOPE = EnvelopeSettings(c_min=0.45, c_max=1.5)
NOISE, SEED = 0.08, 5
"""Angstrom."""


def crystals():
    """Return rattled crystals and water of about 4,000 atoms, at rest."""
    made = {
        "W": bulk("W", "bcc", a=3.18, cubic=True).repeat(13),
        "Cu": bulk("Cu", "fcc", a=3.615, cubic=True).repeat(10),
        "diamond": bulk("C", "diamond", a=3.567, cubic=True).repeat(8),
        "water": water(11),
    }
    rng = np.random.default_rng(SEED)
    for atoms in made.values():
        atoms.positions += rng.normal(size=atoms.positions.shape) * NOISE
    return {name: structure_from_atoms(atoms) for name, atoms in made.items()}


def water(n: int):
    """Return n^3 molecules at the density of water, turned at random."""
    from ase import Atoms

    rng = np.random.default_rng(SEED)
    edge, bond, half = 3.105, 0.97, np.deg2rad(52.25)
    positions = []
    for cell in np.ndindex(n, n, n):
        oxygen = np.array(cell) * edge
        axis, other = np.linalg.qr(rng.normal(size=(3, 2)))[0].T
        arms = [np.cos(half) * axis + s * np.sin(half) * other for s in (1, -1)]
        positions += [oxygen, *(oxygen + bond * arm for arm in arms)]
    return Atoms(["O", "H", "H"] * n**3, positions, cell=[n * edge] * 3, pbc=True)


def potential_of(structure, *settings) -> SplinePotential:
    """Return a potential with small random coefficients."""
    species = tuple(sorted(set(structure.numbers.tolist())))
    shortest = np.full((len(species),) * 2, 0.9 if 1 in species else 1.4)
    profile = PairProfile(species, shortest, np.zeros((*shortest.shape, 10)), 6.0)
    rng = np.random.default_rng(SEED)
    terms = tuple(s.build(species, profile) for s in settings)
    weak = [1e-5 * rng.normal(size=t.n_coefficients) for t in terms]
    return SplinePotential(species, terms, tuple(weak))


@dataclass(frozen=True)
class Costs:
    """Times in us/atom/step by row and column."""

    title: str
    columns: tuple[str, ...]
    rows: dict[str, list[float]]

    def text(self) -> str:
        """Return a table."""
        lines = [
            [name, *(f"{v:.3f}" for v in values)] for name, values in self.rows.items()
        ]
        head = ["structure", *self.columns]
        return f"**{self.title}**\n\n{pages.table(head, lines)}"

    def record(self):
        """Return plain data."""
        return {"title": self.title, "columns": list(self.columns), "rows": self.rows}


def medians(subjects, structure, runs) -> list[float]:
    """Return us/atom/step of each subject, atoms nearly at rest."""
    state = State(structure, np.zeros((len(structure), 3)))
    measured = interleaved(subjects, state, runs)
    return [m.microseconds(len(structure)).median for m in measured]


def cost_of_screening(runs) -> Costs:
    """Return the call of a pair potential, with another pair term, and with it screened."""
    rows = {}
    for name in ("W", "Cu"):
        structure = crystals()[name]
        plain, screened = PairSettings(cutoff=6.0), PairSettings(6.0, envelope=ENVELOPE)
        found = [
            Ours("one", potential_of(structure, plain), "mixed"),
            Ours("two", potential_of(structure, plain, plain), "mixed"),
            Ours("screened", potential_of(structure, plain, screened), "mixed"),
        ]
        one, two, both = medians(found, structure, runs)
        rows[name] = [one, two, both, both - two]
    columns = ("one pair term", "two", "one of them screened", "screening")
    title = "Screening at 6 A, C_min 0.45: weights, gradient and virial (us/atom, mixed)"
    return Costs(title, columns, rows)


def longer_cutoffs(runs) -> Costs:
    """Return calls of screened pairs and triplets by cutoff."""
    rows, cutoffs = {}, (5.0, 6.0, 8.0)
    for name, structure in crystals().items():
        found = []
        for cutoff in cutoffs:
            pair = PairSettings(cutoff, envelope=ENVELOPE)
            triplet = TripletSettings(
                cutoff=cutoff, intervals=12, intervals_jk=16, tie="all", envelope=ENVELOPE
            )
            found.append(Ours(f"{cutoff}", potential_of(structure, pair, triplet), "mixed"))
        times = medians(found, structure, runs)
        rows[name] = [*times, times[2] / times[1]]
    columns = (*(f"{c:g} A" for c in cutoffs), "8 A over 6 A")
    return Costs("Screened pairs and triplets by cutoff (us/atom, mixed)", columns, rows)
