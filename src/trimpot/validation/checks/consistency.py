"""The same structure gives the same numbers, however it is computed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from trimpot.engines.following import follow
from trimpot.engines.singlepoint import evaluate
from trimpot.errors import InputError
from trimpot.neighbors import neighborhood
from trimpot.threads import thread_count
from trimpot.validation.checks.verdict import Family, Measured, NotApplicable, Spec, worst
from trimpot.validation.predictions import BatchPotential
from trimpot.validation.transform import repeated, with_positions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trimpot.contract import Evaluation, FloatArray, Follower, Precision, Structure
    from trimpot.validation.checks.judged import Judged
    from trimpot.validation.checks.verdict import Found

WALK, WALK_STEP = 25, 0.05
"""Steps of a random walk, and their standard deviation in angstrom."""

AT_ONCE = 4
"""Python threads that evaluate at the same time, each several times."""


def measure(judged: Judged) -> Mapping[str, Found]:
    """Evaluate again, in threads, in batches, while moving, mixed, after reloading."""
    return {
        "inputs-unchanged": _inputs(judged),
        "repeatable": _repeatable(judged),
        "threads": _threads(judged),
        "concurrent": _concurrent(judged),
        "batch": _batch(judged),
        "moving": _walked(judged, "double"),
        "forces-only": _forces_only(judged),
        "mixed-precision": _mixed(judged),
        "save-load": _reloaded(judged),
    }


def _inputs(judged: Judged) -> Measured:
    """Count arrays of a neighbourhood that an evaluation changed."""
    changed: list[str] = []
    for name, structure in judged.samples.all:
        around = neighborhood(structure, judged.potential.cutoff)
        names = ("positions", "numbers", "owners", "first", "neighbors")
        before = {n: getattr(around, n).copy() for n in names}
        judged.potential.evaluate(around, threads=1)
        changed += [
            f"{name}, {n}"
            for n, values in before.items()
            if not np.array_equal(getattr(around, n), values)
        ]
    return Measured(float(len(changed)), ", ".join(changed))


def _repeatable(judged: Judged) -> Measured:
    """Evaluate twice, with other structures between."""
    structures = [s for _, s in judged.samples.all]
    first = [evaluate(judged.potential, s, threads=1) for s in structures]
    again = [evaluate(judged.potential, s, threads=1) for s in reversed(structures)][::-1]
    return worst([Measured(_apart(a, b)) for a, b in zip(first, again, strict=True)])


def _threads(judged: Judged) -> Measured:
    structure = _large(judged)
    one = evaluate(judged.potential, structure, threads=1)
    counts = sorted({2, 3, thread_count(judged.settings.threads)} - {1})
    return worst(
        [
            Measured(
                _apart(one, evaluate(judged.potential, structure, threads=count)),
                f"{count} threads, {len(structure)} atoms",
            )
            for count in counts
        ]
    )


def _concurrent(judged: Judged) -> Measured:
    """Several Python threads share the potential, each with a structure of its own."""
    rng, crystal = judged.rng, judged.samples.crystal
    cases = [
        with_positions(
            crystal, crystal.positions + rng.normal(0.0, 0.02, (len(crystal), 3))
        )
        for _ in range(AT_ONCE)
    ]
    alone = [evaluate(judged.potential, s, threads=1) for s in cases]

    def several(structure: Structure) -> list[Evaluation]:
        return [evaluate(judged.potential, structure, threads=1) for _ in range(5)]

    with ThreadPoolExecutor(AT_ONCE) as pool:
        together = list(pool.map(several, cases))
    return worst(
        [
            Measured(_apart(one, other), f"{AT_ONCE} at once")
            for one, others in zip(alone, together, strict=True)
            for other in others
        ]
    )


def _batch(judged: Judged) -> Found:
    potential = judged.potential
    if not isinstance(potential, BatchPotential):
        return NotApplicable("the potential evaluates one structure at a time")
    structures = [s for _, s in judged.samples.all]
    together = potential.evaluate_many(structures, threads=1)
    single = [evaluate(judged.potential, s, threads=1) for s in structures]
    return worst([Measured(_apart(a, b)) for a, b in zip(single, together, strict=True)])


def _walked(judged: Judged, precision: Precision) -> Measured:
    """Follow a random walk with kept lists; compare with a fresh list at every step."""
    potential, structure, rng = judged.sharp, judged.samples.crystal, judged.rng
    follower = follow(potential, threads=1, precision=precision)
    found = []
    for step in range(WALK):
        moves = rng.normal(0.0, WALK_STEP * (step > 0), (len(structure), 3))
        structure = with_positions(structure, structure.positions + moves)
        fresh = evaluate(potential, structure, threads=1)
        error = _apart(fresh, follower.evaluate(structure))
        found.append(Measured(error, f"step {step}"))
    return worst(found)


def _forces_only(judged: Judged) -> Measured:
    structure = judged.samples.crystal
    follower: Follower = follow(judged.sharp, threads=1)
    whole = follower.evaluate(structure).forces.copy()
    return Measured(_largest(follower.forces(structure) - whole))


def _mixed(judged: Judged) -> Found:
    try:
        follow(judged.potential, precision="mixed")
    except InputError:
        return NotApplicable("the potential computes in one precision only")
    return _walked(judged, "mixed")


def _reloaded(judged: Judged) -> Found:
    if judged.known.reloaded is None:
        return NotApplicable("the potential has no file")
    again = judged.known.reloaded()
    return worst(
        [
            Measured(
                _apart(
                    evaluate(judged.potential, s, threads=1), evaluate(again, s, threads=1)
                ),
                name,
            )
            for name, s in judged.samples.all
        ]
    )


def _large(judged: Judged) -> Structure:
    return repeated(judged.samples.crystal, (3, 3, 3))


def _apart(one: Evaluation, other: Evaluation) -> float:
    """Largest difference of an energy or a force."""
    energies = _largest(one.energies - other.energies)
    return max(energies, _largest(one.forces - other.forces))


def _largest(values: FloatArray) -> float:
    return float(np.abs(values).max(initial=0.0))


SPECS = (
    Spec(
        "inputs-unchanged",
        "arrays of the input that an evaluation changed",
        "arrays",
        0.0,
        "An evaluation changes the caller's atoms or lists: everything after it is wrong.",
    ),
    Spec(
        "repeatable",
        "energies and forces of a second evaluation",
        "eV, eV/A",
        0.0,
        "The same structure gives other numbers the second time: something remembers.",
    ),
    Spec(
        "threads",
        "energies and forces with 2, 3 and all threads",
        "eV, eV/A",
        1e-12,
        "Results depend on the number of threads: threads write into each other's sums.",
        single=1e-4,
    ),
    Spec(
        "concurrent",
        "energies and forces when Python threads share the potential",
        "eV, eV/A",
        1e-12,
        "Calculators that share the potential disturb each other.",
        single=1e-4,
    ),
    Spec(
        "batch",
        "energies and forces of structures evaluated together",
        "eV, eV/A",
        1e-10,
        "Error tables, which evaluate many structures at once, judge another function than "
        "dynamics uses.",
        single=1e-3,
    ),
    Spec(
        "moving",
        "energies and forces of moving atoms, beside fresh neighbour lists",
        "eV, eV/A",
        1e-10,
        "Lists that are kept from step to step miss neighbours: dynamics is wrong.",
        single=1e-3,
        sharp=True,
    ),
    Spec(
        "forces-only",
        "forces alone beside those with the energy",
        "eV/A",
        0.0,
        "Dynamics, which asks for forces alone, sees other forces.",
        sharp=True,
    ),
    Spec(
        "mixed-precision",
        "mixed beside double arithmetic, energies and forces",
        "eV, eV/A",
        1e-3,
        "Single arithmetic is not enough for this potential: run dynamics in double.",
        sharp=True,
        mandatory=False,
    ),
    Spec(
        "save-load",
        "energies and forces after saving and loading",
        "eV, eV/A",
        0.0,
        "The file does not hold the potential: what others load is not what was judged.",
    ),
)

FAMILY = Family("consistency", SPECS, measure)
