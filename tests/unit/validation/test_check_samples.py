"""Made-up structures lie where a potential is calm; rounding is judged by forces."""

import numpy as np
import pytest

from toy_potentials import Morse, crystal
from trimpot.contract import Evaluation, Structure
from trimpot.engines.singlepoint import evaluate
from trimpot.validation.checks import CheckSettings, Known, run_checks
from trimpot.validation.checks.jumps import find_jumps
from trimpot.validation.checks.samples import (
    CALM,
    PRESSED,
    make_samples,
    resting_distance,
)
from trimpot.validation.smoothness import Path

QUICK = CheckSettings(drift_ps=0.2, calls=300, trios=1)

WATERY = Morse(isolated={1: -1.0, 8: -2.0})
"""Wells at 2.7 A: 177 eV/A where radii of H and O put a crystal, at 0.97 A."""


def samples_of(potential, shortest=None):
    return make_samples(potential, (), np.random.default_rng(0), shortest)


def test_samples_are_widened_until_forces_and_stress_are_moderate():
    assert resting_distance(WATERY) == pytest.approx(0.97)
    samples = samples_of(WATERY)
    assert samples.nearest > 1.5
    for name, structure in samples.all:
        found = evaluate(WATERY, structure)
        assert np.abs(found.forces).max() <= CALM, name
        if structure.volume > 0.0:
            assert np.abs(found.stress(structure.volume)).max() <= PRESSED, name


def test_samples_of_a_calm_crystal_are_where_it_is_at_rest():
    assert samples_of(Morse()).nearest == resting_distance(Morse())


def test_no_crystal_is_denser_than_the_data():
    assert samples_of(Morse(), {(14, 14): 2.0, (14, 74): 3.4}).nearest == 3.4


class Failing(Morse):
    def evaluate(self, neighborhood, *, threads=0):  # noqa: ARG002 - the contract
        raise ValueError("never")


def test_a_potential_that_fails_has_samples_all_the_same():
    samples = samples_of(Failing())
    assert all(np.isfinite(structure.positions).all() for _, structure in samples.all)


class Coarse(Morse):
    """Forces with errors of a share of the largest one, another at every place."""

    share = 1e-6

    def evaluate(self, neighborhood, *, threads=0):
        found = super().evaluate(neighborhood, threads=threads)
        noise = np.sin(1e7 * neighborhood.positions[: neighborhood.n_local])
        errors = self.share * np.abs(found.forces).max(initial=0.0) * noise
        return Evaluation(found.energies, found.forces + errors, found.virial)


def squeezed():
    """A crystal in which one atom has come close to another."""
    loose = crystal(2)
    positions = loose.positions.copy()
    positions[1] = positions[0] + np.array([0.5, 0.3, 0.2])
    return Structure(loose.numbers, positions, loose.cell, loose.pbc)


def test_single_arithmetic_is_judged_beside_the_forces():
    given, only = [squeezed()], ["symmetries", "cells"]
    assert np.abs(evaluate(Coarse(width=2.5), given[0]).forces).max() > 1e3
    run = {"structures": given, "settings": QUICK, "only": only}
    checks = run_checks(Coarse(width=2.5), Known(single=True), **run)
    assert checks["rotation-forces"].passed
    assert checks["translation-forces"].passed
    assert not run_checks(Coarse(width=2.5), Known(), **run)["rotation-forces"].passed
    worse = Coarse(width=2.5)
    worse.share = 1e-3
    checks = run_checks(worse, Known(single=True), **run)
    assert not checks["rotation-forces"].passed
    assert not checks["translation-forces"].passed


def along(force):
    """The path of an atom on which a force acts."""

    def path_of(x):
        forces = np.zeros((len(x), 1, 3))
        forces[:, 0, 0] = force(x)
        return Path(x, np.zeros((len(x), 1)), forces)

    return path_of


def test_a_steep_smooth_force_is_no_jump_and_a_small_step_is_one():
    x = np.arange(1.0, 2.0, 4e-3)
    steep = along(lambda x: 60.0 * np.tanh((x - 1.4361) / 2e-3))
    assert find_jumps(steep, x, 6).force[0] < 1e-10
    step = along(lambda x: np.sin(x) + 1e-6 * (x > 1.4361))
    jump, place = find_jumps(step, x, 6).force
    assert jump == pytest.approx(1e-6, rel=0.01)
    assert place == pytest.approx(1.4361, abs=1e-3)
