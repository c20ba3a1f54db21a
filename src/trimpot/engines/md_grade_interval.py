"""How often a run can afford to look at extrapolation grades."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from trimpot.engines.ase import structure_from_atoms
from trimpot.engines.following import follow

if TYPE_CHECKING:
    from collections.abc import Callable

    from ase import Atoms

    from trimpot.contract import Grader, Potential, Precision, Structure
    from trimpot.engines.md_settings import MdSettings

SHARE = 0.2
"""Most time of looks, over that of force calls."""

INTERVALS = (10, 20, 50, 100, 200, 500, 1000)
"""Steps; the last where none of them is affordable."""

MANY = 10_000
"""Atoms whose first call is measured; fewer are called once before."""

CALLS = 4
"""Force calls that are timed."""

STEP = 0.005
"""Angstrom; atoms move in a run, so lists are searched."""


def with_grade_interval(
    settings: MdSettings,
    potential: Potential,
    grader: Grader,
    atoms: Atoms,
    *,
    precision: Precision,
) -> MdSettings:
    """Return settings with an interval of looks: that given, or one that is affordable.

    It is measured on the atoms at hand: as seldom as keeps looks to a fifth of the time of
    force calls. Trajectories do not depend on it.
    """
    if settings.grade_interval is not None:
        return settings
    here = structure_from_atoms(atoms)
    follower = follow(
        potential, skin=settings.skin, threads=settings.threads, precision=precision
    )
    warm = len(atoms) < MANY
    call = _seconds(follower.forces, here, calls=CALLS, warm=True)
    look = _seconds(grader.grades, here, calls=1, warm=warm)
    affordable = (n for n in INTERVALS if look <= SHARE * n * call)
    return replace(settings, grade_interval=next(affordable, INTERVALS[-1]))


def _seconds(
    work: Callable[[Structure], object], structure: Structure, *, calls: int, warm: bool
) -> float:
    """Return the mean time of calls, after one that is not counted if wanted."""
    if warm:
        work(structure)
    start = time.perf_counter()
    for n in range(calls):
        work(replace(structure, positions=structure.positions + STEP * (n + 1)))
    return (time.perf_counter() - start) / calls
