"""Energy, forces and their slope have no jumps, at cutoffs and anywhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trimpot.engines.singlepoint import evaluate, symbol
from trimpot.validation.checks.jumps import find_jumps
from trimpot.validation.checks.verdict import Family, Measured, Spec, worst
from trimpot.validation.smoothness import Path, trimer_path
from trimpot.validation.transform import with_positions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from trimpot.contract import FloatArray
    from trimpot.validation.checks.judged import Judged
    from trimpot.validation.checks.jumps import Jumps
    from trimpot.validation.checks.verdict import Found

TRIOS = 4
"""Of species, at most, whose trimers are looked at."""

HALF_WIDTH, STEP = 0.05, 2e-3
"""Angstrom around a radius, and between two places of the first look."""

LONG_STEP = 4e-3
"""Of the way from short distances to the cutoff."""

SHORTEST = 0.8
"""Where that begins, over the shortest distance of the data."""

TRAVEL = 0.4
"""Angstrom in both directions that an atom moves in the crystal."""


def at_radii(judged: Judged) -> Mapping[str, Found]:
    """Move the end of a trimer across every radius."""
    jumps = []
    for trio in judged.trios[:TRIOS]:
        for radius in judged.radii:
            x = radius + np.arange(-HALF_WIDTH, HALF_WIDTH + 0.5 * STEP, STEP)
            jumps.append((_name(trio), find_jumps(_trimer(judged, trio), x, 3)))
    return _found("cutoff", jumps)


def along_trimers(judged: Judged) -> Mapping[str, Found]:
    """Move the end of a trimer from short distances to the cutoff."""
    jumps = []
    for trio in judged.trios[:TRIOS]:
        start = max(0.5, SHORTEST * judged.known.shortest_of(trio[0], trio[2]))
        x = np.arange(start, 1.02 * judged.potential.cutoff, LONG_STEP)
        jumps.append((_name(trio), find_jumps(_trimer(judged, trio), x, 6)))
    return _found("trimer", jumps)


def in_crystal(judged: Judged) -> Mapping[str, Found]:
    """Move an atom of a crystal."""
    home = judged.samples.crystal.positions[-1, 0]
    x = home + np.arange(-TRAVEL, TRAVEL, LONG_STEP)
    return _found("crystal", [("x", find_jumps(_moving(judged), x, 6))])


def _name(trio: tuple[int, int, int]) -> str:
    return "-".join(symbol(trio[k]) for k in (1, 0, 2))


def _found(where: str, jumps: list[tuple[str, Jumps]]) -> dict[str, Found]:
    kinds = ("energy", "force", "slope") if where == "cutoff" else ("energy", "force")
    found: dict[str, Found] = {}
    for kind in kinds:
        values = []
        for name, one in jumps:
            jump, place = getattr(one, kind)
            values.append(Measured(jump, f"{name} at {place:.4f} A"))
        found[f"{where}-{kind}-jump"] = worst(values)
    return found


def _trimer(judged: Judged, trio: tuple[int, int, int]) -> Callable[[FloatArray], Path]:
    return lambda x: trimer_path(judged.sharp, trio, x)


def _moving(judged: Judged) -> Callable[[FloatArray], Path]:
    crystal = judged.samples.crystal

    def path_of(x: FloatArray) -> Path:
        energies, forces = [], []
        for value in x:
            positions = crystal.positions.copy()
            positions[-1, 0] = value
            found = evaluate(judged.sharp, with_positions(crystal, positions), threads=1)
            energies.append(found.energies)
            forces.append(found.forces)
        return Path(x, np.array(energies), np.array(forces))

    return path_of


def _specs(where: str, title: str, energy: float, force: float) -> tuple[Spec, Spec]:
    meaning = (
        "{} jumps where an atom crosses a distance: dynamics gains or loses energy at "
        "every crossing, and minimisers get stuck."
    )
    return (
        Spec(
            f"{where}-energy-jump",
            f"jump of the energy {title}",
            "eV",
            energy,
            meaning.format("The energy"),
            single=1e-4,
            sharp=True,
        ),
        Spec(
            f"{where}-force-jump",
            f"jump of a force {title}",
            "eV/A",
            force,
            meaning.format("A force"),
            single=1e-3,
            sharp=True,
        ),
    )


RADII_SPECS = (
    *_specs("cutoff", "at cutoffs and edges of envelopes", 1e-12, 1e-9),
    Spec(
        "cutoff-slope-jump",
        "jump of dF/dr at cutoffs and edges of envelopes",
        "eV/A^2",
        0.05,
        "The slope of the force jumps: elastic constants and phonons depend on whether a "
        "shell of neighbours lies just inside, and large time steps drift.",
        single=1e3,
        sharp=True,
        mandatory=False,
    ),
)

FAMILIES = (
    Family("smoothness", RADII_SPECS, at_radii),
    Family(
        "smoothness",
        _specs("trimer", "on a trimer's way in from the cutoff", 1e-11, 1e-9),
        along_trimers,
    ),
    Family(
        "smoothness",
        _specs("crystal", "of an atom moving in a crystal", 1e-11, 1e-9),
        in_crystal,
    ),
)
"""Made one by one: each takes as long as all others together."""
