"""Rotations, reflections, translations, order of atoms; forces that cancel."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from trimpot.validation.checks.verdict import Family, Measured, Spec, worst
from trimpot.validation.symmetry import (
    check_net_force,
    check_permutation,
    check_rotation,
    check_translation,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trimpot.validation.checks.judged import Judged
    from trimpot.validation.checks.verdict import Found


def measure(judged: Judged) -> Mapping[str, Found]:
    """Turn, mirror, move and reorder every sample; add up forces and torques."""
    found: dict[str, list[Measured]] = {}
    for name, structure in judged.samples.all:
        rng, potential = judged.rng, judged.potential
        rounding = judged.rounding(structure)
        checks = [
            *check_rotation(potential, structure, rng),
            *check_translation(potential, structure, rng),
            *check_permutation(potential, structure, rng),
            *(
                replace(check, value=check.value / len(structure))
                for check in check_net_force(potential, structure)
            ),
        ]
        for check in checks:
            key = check.name.replace(": ", "-").replace(" ", "-")
            found.setdefault(key, []).append(Measured(check.value / rounding, name))
    return {name: worst(values) for name, values in found.items()}


def _pair(name: str, title: str, meaning: str) -> tuple[Spec, Spec]:
    return (
        Spec(f"{name}-energy", f"energy after {title}", "eV/atom", 1e-10, meaning, 1e-4),
        Spec(f"{name}-forces", f"forces after {title}", "eV/A", 1e-9, meaning, 1e-3),
    )


SPECS = (
    *_pair(
        "rotation",
        "a rotation",
        "The potential has preferred directions in space: results depend on how a "
        "structure is oriented.",
    ),
    *_pair(
        "reflection",
        "a reflection",
        "Mirror images differ, which no interaction of atoms knows: a defect of the model.",
    ),
    *_pair(
        "translation",
        "a translation",
        "The potential knows where in space atoms are: momentum is not conserved.",
    ),
    *_pair(
        "permutation",
        "another order of atoms",
        "Equal atoms are treated differently by their place in the list: results depend "
        "on how a file was written.",
    ),
    Spec(
        "net-force",
        "sum of all forces, per atom",
        "eV/A",
        1e-10,
        "Forces do not cancel: the centre of mass starts to move by itself.",
        single=1e-4,
    ),
    Spec(
        "net-torque",
        "sum of all torques of a cluster, per atom",
        "eV",
        1e-9,
        "Torques do not cancel: a free molecule starts to spin by itself.",
        single=1e-3,
    ),
)

FAMILY = Family("symmetries", SPECS, measure)
