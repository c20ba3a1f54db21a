"""Forces and virial are the derivatives of the energy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trimpot.contract import NO_STRESS, has_gradient, is_conservative
from trimpot.engines.singlepoint import evaluate
from trimpot.validation.checks.verdict import Family, Measured, NotApplicable, Spec, worst
from trimpot.validation.derivatives import check_forces, check_stress

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from trimpot.contract import Structure
    from trimpot.validation.check import Check
    from trimpot.validation.checks.judged import Judged
    from trimpot.validation.checks.verdict import Found

MOVED = 6
"""Atoms of each structure that are moved."""

STEPS, SINGLE_STEPS = (1e-4, 2.5e-5), (1e-2, 4e-2)
"""Of the stencil, angstrom. The second is tried where the first fails: a stencil across a
knot of a spline errs by its step squared, rounding of single arithmetic by one over the
step, a wrong force by as much with any step."""

DIRECT = NO_STRESS.partition(", train")[0].partition(";")[0]


def measure(judged: Judged) -> Mapping[str, Found]:
    """Compare forces and stress with differences of the energy on every sample."""
    if not has_gradient(judged.potential):
        return {spec.name: NotApplicable(DIRECT) for spec in SPECS}
    if not is_conservative(judged.potential):
        without = {spec.name: NotApplicable("there is no stress") for spec in SPECS}
        return without | {"forces-derivative": worst(_all_forces(judged))}
    stresses, virials, skews = [], [], []
    for name, structure in judged.samples.all:
        rounding = judged.rounding(structure)
        if structure.volume > 0.0:
            stresses.append(_placed(name, _stress(judged, structure), rounding))
        virial = evaluate(judged.potential, structure, threads=1).virial
        scale = max(1.0, float(np.abs(virial).max()))
        skews.append(Measured(float(np.abs(virial - virial.T).max()) / scale, name))
        if not structure.pbc.any():
            virials.append(Measured(_moment(judged, structure), name))
    return {
        "forces-derivative": worst(_all_forces(judged)),
        "stress-derivative": worst(stresses),
        "virial-moment": worst(virials),
        "virial-symmetry": worst(skews),
    }


def _all_forces(judged: Judged) -> list[Measured]:
    return [
        _placed(name, _forces(judged, structure), judged.rounding(structure))
        for name, structure in judged.samples.all
    ]


def _forces(judged: Judged, structure: Structure) -> Check:
    moved = judged.rng.permutation(len(structure))[:MOVED].tolist()
    return _better(
        judged,
        SPECS[0],
        lambda step: check_forces(judged.potential, structure, step=step, atoms=moved),
    )


def _stress(judged: Judged, structure: Structure) -> Check:
    return _better(
        judged, SPECS[1], lambda step: check_stress(judged.potential, structure, step=step)
    )


def _better(judged: Judged, spec: Spec, check: Callable[[float], Check]) -> Check:
    single = judged.known.single
    bound = spec.single if single and spec.single is not None else spec.bound
    usual, other = SINGLE_STEPS if single else STEPS
    first = check(usual)
    if first.value <= bound:
        return first
    return min(first, check(other), key=lambda c: c.value)


def _moment(judged: Judged, structure: Structure) -> float:
    """Of a free cluster the virial is the sum of x f, whatever the potential."""
    found = evaluate(judged.potential, structure, threads=1)
    centred = structure.positions - structure.positions.mean(axis=0)
    moment = centred.T @ found.forces
    scale = max(1.0, float(np.abs(moment).max()))
    return float(np.abs(found.virial - moment).max()) / scale


def _placed(name: str, check: Check, rounding: float) -> Measured:
    return Measured(check.value / rounding, f"{name}, {check.detail}")


SPECS = (
    Spec(
        "forces-derivative",
        "forces beside -dE/dx (five-point stencil)",
        "eV/A",
        1e-7,
        "Forces are not the slope of the energy: dynamics does not conserve energy, and "
        "relaxations end in the wrong place.",
        single=5e-3,
    ),
    Spec(
        "stress-derivative",
        "stress beside (1/V) dE/d(strain), nine components",
        "eV/A^3",
        1e-8,
        "The stress is not the slope of the energy: lattice constants, elastic constants "
        "and constant-pressure dynamics are wrong.",
        single=1e-4,
    ),
    Spec(
        "virial-moment",
        "virial of a cluster beside the sum of x f",
        "relative",
        1e-10,
        "Virial and forces disagree, so one of the two is wrong.",
        single=1e-4,
    ),
    Spec(
        "virial-symmetry",
        "virial beside its transpose",
        "relative",
        1e-10,
        "The virial holds a torque: the energy changes when everything is turned.",
        single=1e-4,
    ),
)

FAMILY = Family("derivatives", SPECS, measure)
