"""Energy is conserved as well as the time step allows, and time can be turned back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from trimpot.contract import has_gradient
from trimpot.engines.following import fastest_precision, follow
from trimpot.validation.checks.derivative import DIRECT
from trimpot.validation.checks.trajectories import (
    State,
    masses_of,
    run_verlet,
    thermal_velocities,
)
from trimpot.validation.checks.verdict import Family, Measured, NotApplicable, Spec
from trimpot.validation.transform import with_positions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trimpot.contract import Potential, Precision, Structure
    from trimpot.validation.checks.judged import Judged
    from trimpot.validation.checks.verdict import Found

TEMPERATURE_K = 600.0
"""Of the velocities at the start; about half of it remains."""

HEAVY = 20.0
"""amu from which the time step is 1 fs; below, it falls with the root of the mass."""

QUENCH_STEPS, QUENCH_MOVE = 150, 0.05
"""Steps towards the nearest minimum, and the largest move of an atom in one, angstrom."""

ORDER_FS = 100.0
REVERSED_STEPS = 500


def measure(judged: Judged) -> Mapping[str, Found]:
    """Run a small crystal, quenched and then heated, in several ways."""
    if not has_gradient(judged.potential):
        return {spec.name: NotApplicable(DIRECT) for spec in SPECS}
    structure = _start(judged)
    lightest = float(masses_of(structure).min())
    timestep = min(1.0, (lightest / HEAVY) ** 0.5)
    velocities = thermal_velocities(structure, TEMPERATURE_K, judged.rng)
    start = State(structure.positions, velocities)
    return {
        "nve-drift": _drift(judged, structure, start, timestep, "double"),
        "nve-drift-mixed": (
            _drift(judged, structure, start, timestep, "mixed")
            if fastest_precision(judged.potential) == "mixed"
            else NotApplicable("the potential computes in one precision only")
        ),
        "nve-order": _order(judged.sharp, structure, start, timestep),
        "time-reversal": _reversed(judged.sharp, structure, start, timestep),
        "momentum": _momentum(judged.potential, structure, start, timestep),
    }


def _start(judged: Judged) -> Structure:
    """Return the first periodic structure of the user, or the crystal, near a minimum."""
    given = [s for s in judged.samples.given if s.pbc.all() and len(s) > 1]
    structure = given[0] if given else judged.samples.crystal
    follower = follow(judged.sharp, threads=1)
    velocities = np.zeros_like(structure.positions)
    for _ in range(QUENCH_STEPS):  # damped: velocities against the force are dropped
        forces = follower.evaluate(structure).forces
        velocities = np.where(velocities * forces > 0.0, velocities, 0.0) + 0.01 * forces
        move = np.clip(velocities, -QUENCH_MOVE, QUENCH_MOVE)
        structure = with_positions(structure, structure.positions + move)
    return structure


def _drift(
    judged: Judged,
    structure: Structure,
    start: State,
    timestep: float,
    precision: Precision,
) -> Measured:
    """Slope of a line through the total energy, meV per atom and ps."""
    steps = round(1000.0 * judged.settings.drift_ps)
    follower = follow(judged.sharp, threads=1, precision=precision)
    _, energies = run_verlet(follower, structure, start, timestep, steps)
    time_ps = 1e-3 * timestep * np.arange(steps + 1)
    slope = abs(float(np.polyfit(time_ps, energies, 1)[0]))
    length = f"{time_ps[-1]:.3g} ps, {len(structure)} atoms, {timestep:.2g} fs"
    return Measured(1e3 * slope / len(structure), length)


def _order(
    potential: Potential, structure: Structure, start: State, timestep: float
) -> Measured:
    """Ratio of the energy errors of two time steps, one twice the other, beside 4."""
    steps = round(ORDER_FS / 2.0)
    follower = follow(potential, threads=1)
    _, coarse = run_verlet(follower, structure, start, timestep, steps)
    _, fine = run_verlet(follower, structure, start, 0.5 * timestep, 2 * steps)
    errors = [float(np.sqrt(np.mean(e**2))) for e in (coarse, fine[::2])]
    ratio = errors[0] / errors[1] if errors[1] > 0.0 else float("nan")
    return Measured(abs(ratio - 4.0), f"ratio {ratio:.3f}")


def _reversed(
    potential: Potential, structure: Structure, start: State, timestep: float
) -> Measured:
    """Distance from the start after running there and back."""
    there, _ = run_verlet(
        follow(potential, threads=1), structure, start, timestep, REVERSED_STEPS
    )
    turned = replace(there, velocities=-there.velocities)
    back, _ = run_verlet(
        follow(potential, threads=1), structure, turned, timestep, REVERSED_STEPS
    )
    away = float(np.abs(back.positions - start.positions).max())
    return Measured(away, f"{REVERSED_STEPS} steps there and back")


def _momentum(
    potential: Potential, structure: Structure, start: State, timestep: float
) -> Measured:
    """Velocity of the centre of mass after a run, over the thermal one of an atom."""
    follower = follow(potential, threads=1)
    last, _ = run_verlet(follower, structure, start, timestep, REVERSED_STEPS)
    masses = masses_of(structure)
    centre = (masses * last.velocities).sum(axis=0) / masses.sum()
    thermal = float(np.sqrt(np.mean(start.velocities**2)))
    return Measured(float(np.abs(centre).max()) / thermal, f"{REVERSED_STEPS} steps")


SPECS = (
    Spec(
        "nve-drift",
        "drift of the total energy at constant energy, 1 fs",
        "meV/atom/ps",
        1e-2,
        "Energy is not conserved: long runs heat up or cool down by themselves.",
        single=1e-1,
        sharp=True,
    ),
    Spec(
        "nve-drift-mixed",
        "the same in mixed precision, in which dynamics runs by default",
        "meV/atom/ps",
        1e-1,
        "Single arithmetic is not enough for long runs: take double precision.",
        sharp=True,
    ),
    Spec(
        "nve-order",
        "ratio of energy errors at a time step and half of it, beside 4",
        "",
        0.4,
        "Energy errors do not fall with the square of the time step: forces are not the "
        "smooth gradient of one energy.",
        single=4.0,
        sharp=True,
    ),
    Spec(
        "time-reversal",
        "distance from the start after running there and back",
        "A",
        1e-8,
        "Dynamics does not retrace its way: forces depend on the past or are not smooth.",
        single=1e-2,
        sharp=True,
    ),
    Spec(
        "momentum",
        "velocity of the centre of mass after a run, over the thermal velocity",
        "relative",
        1e-9,
        "The whole crystal starts to drift.",
        single=1e-3,
    ),
)

FAMILY = Family("dynamics", SPECS, measure)
