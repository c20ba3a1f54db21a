"""Formation energies of self-interstitials, in a fixed cell, ions relaxed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
from ase import Atom

from trimpot.errors import InputError
from trimpot.validation.properties.case import silent
from trimpot.validation.properties.outcome import Outcome, Value, guarded
from trimpot.validation.properties.relaxing import (
    energy_per_atom,
    relax_ions,
    shortest_distance,
    spread_apart,
)

if TYPE_CHECKING:
    from ase import Atoms

    from trimpot.validation.properties.case import Case, Phase, Report
    from trimpot.validation.subjects import Subject

VERSION = 1

DUMBBELLS = {
    "dumbbell_100": (1, 0, 0),
    "dumbbell_110": (1, 1, 0),
    "dumbbell_111": (1, 1, 1),
}

HOLES = {
    "bcc": {"octahedral": (0.5, 0.5, 0.0), "tetrahedral": (0.5, 0.25, 0.0)},
    "fcc": {"octahedral": (0.5, 0.5, 0.5), "tetrahedral": (0.25, 0.25, 0.25)},
    "diamond": {"tetrahedral": (0.5, 0.5, 0.5), "hexagonal": (0.625, 0.625, 0.375)},
}
"""Sites of the conventional cell, in units of its vectors."""


@dataclass(frozen=True)
class Settings:
    """Sites, supercell and relaxation.

    Attributes
    ----------
    sites : tuple of str
        Names of dumbbells (``dumbbell_110``) and holes (``octahedral``, ``tetrahedral``;
        ``hexagonal`` in diamond).
    repeat : tuple of int
        Conventional cells along each vector.
    separation : float
        Distance of the two atoms of a dumbbell at the start, as a share of that of nearest
        neighbours.
    shortest : float
        No two atoms are nearer than this share at the start: a model knows little of what
        lies below, and nobody asks for it.
    fmax : float
        Forces left, eV/A.
    steps : int
        Most steps of a relaxation.
    """

    sites: tuple[str, ...] = ("dumbbell_110", "dumbbell_111", "dumbbell_100")
    repeat: tuple[int, int, int] = (4, 4, 4)
    separation: float = 0.85
    shortest: float = 0.82
    fmax: float = 0.01
    steps: int = 400


@guarded
def measure(
    subject: Subject, case: Case, settings: Settings, report: Report = silent
) -> Outcome:
    """Return the formation energy (eV) of each site: E(N + 1) - (N + 1)/N E(N).

    A site that is not stable relaxes into another one; values are of where it ended.

    Raises
    ------
    InputError
        If a site is unknown in this lattice.
    """
    check(case.phase, settings)
    calculator = subject.calculator()
    perfect = case.phase.conventional(case.a0) * settings.repeat
    starts = {site: _with_atom(perfect, case, site, settings) for site in settings.sites}
    each = energy_per_atom(perfect, calculator)
    spoiled: list[str] = []
    values, trouble, notes = {}, [], [f"{len(perfect)} sites, one atom more"]
    for k, (site, start) in enumerate(starts.items()):
        relaxed = relax_ions(start, calculator, settings.fmax, settings.steps)
        shortest = shortest_distance(relaxed.atoms)
        notes.append(f"{site}: shortest distance {shortest:.2f} A")
        if relaxed.trouble is None:
            values[site] = Value(relaxed.energy - each * len(start), "eV")
            if values[site].value < 0.0:
                spoiled += [site, "lowest"]
                trouble.append(f"{site}: the crystal lowers its energy by taking an atom")
        else:
            trouble.append(f"{site}: {relaxed.trouble}")
        report((k + 1) / len(starts))
    if values:
        values["lowest"] = Value(min(v.value for v in values.values()), "eV")
    failure = "; ".join(trouble) or None
    plain = asdict(settings)
    return Outcome(values, {}, plain, tuple(notes), failure, tuple(spoiled))


def check(phase: Phase, settings: Settings) -> None:
    """Raise ``InputError`` if a site is unknown in the lattice of a phase."""
    known = [*DUMBBELLS, *HOLES.get(phase.lattice, {})]
    for site in settings.sites:
        if site not in known:
            raise InputError(
                f"interstitial: found the site {site!r}, expected one of "
                f"{', '.join(known)} in {phase.lattice}"
            )


def _with_atom(perfect: Atoms, case: Case, site: str, settings: Settings) -> Atoms:
    """Return the supercell with one more atom, near its middle."""
    atoms: Atoms = perfect.copy()
    a = case.phase.conventional(case.a0).cell.array
    shift = np.floor(np.array(settings.repeat) / 2.0) @ a
    nearest = shortest_distance(perfect)
    holes = HOLES.get(case.phase.lattice, {})
    if site in DUMBBELLS:
        middle = int(np.argmin(np.linalg.norm(atoms.positions - shift, axis=1)))
        along = np.array(DUMBBELLS[site], dtype=np.float64)
        half = 0.5 * settings.separation * nearest * along / np.linalg.norm(along)
        atoms.append(Atom(atoms.symbols[middle], atoms.positions[middle] + half))
        atoms.positions[middle] -= half
    else:
        atoms.append(Atom(atoms.symbols[0], shift + np.array(holes[site]) @ a))
    atoms.positions += 1e-3 * np.random.default_rng(1).normal(size=(len(atoms), 3))
    spread_apart(atoms, settings.shortest * nearest)
    return atoms
