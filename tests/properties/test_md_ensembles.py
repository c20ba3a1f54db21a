"""Constant pressure beside constant volume: the same equation of state, two ways."""

import numpy as np
import pytest
from ase.build import bulk

from toy_potentials import Morse
from trimpot.engines.md import run
from trimpot.engines.md_settings import MdSettings
from trimpot.units import GPA_PER_EV_PER_A3

TEMPERATURE_K = 400.0
KT = TEMPERATURE_K * 8.617333262e-5
EQUILIBRATION = 0.1
N = 32


def cell(scale=1.0):
    return bulk("W", "fcc", a=3.7 * scale, cubic=True) * (2, 2, 2)  # what Morse prefers


def settings(ensemble, steps, **changes):
    return MdSettings(
        ensemble=ensemble,
        temperature_k=TEMPERATURE_K,
        timestep_fs=3.0,
        steps=steps,
        log_interval=3,
        structure_interval=0,
        equilibration=EQUILIBRATION,
        friction_per_ps=5.0,
        barostat_time_fs=300.0,
        threads=1,
        **changes,
    )


@pytest.mark.slow
@pytest.mark.parametrize("ensemble", ["npt", "npt-full"])
def test_volume_and_its_fluctuation_are_those_that_pressures_at_fixed_volume_say(ensemble):
    scales = np.array([0.99, 1.0, 1.01])
    runs = [
        run(Morse(), cell(x), settings("langevin", 8_000, seed=k))
        for k, x in enumerate(scales)
    ]
    volumes = cell().get_volume() * scales**3
    pressures = np.array([r.averages.pressure_gpa.mean for r in runs])
    errors = np.array([r.averages.pressure_gpa.error for r in runs])
    parabola = np.polyfit(volumes, pressures, 2)
    target = pressures[1]
    slope = np.polyval(np.polyder(parabola), volumes[1])  # GPa/A^3
    result = run(Morse(), cell(), settings(ensemble, 16_000, pressure_gpa=float(target)))
    found = result.averages
    pressure = found.pressure_gpa
    assert pressure.mean == pytest.approx(target, abs=4.0 * pressure.error)
    volume, error = N * found.volume_a3.mean, N * found.volume_a3.error
    allowed = 4.0 * np.hypot(error, errors.max() / abs(slope))
    assert allowed < 0.01 * volumes[1]
    assert volume == pytest.approx(volumes[1], abs=allowed)
    kept = result.samples.after(EQUILIBRATION * float(result.samples.time_fs[-1]))
    variance = np.var(N * kept.volume_a3)
    expected = KT / (abs(slope) / GPA_PER_EV_PER_A3)  # kT V kappa_T
    assert variance == pytest.approx(expected, rel=0.25)
    assert found.temperature_k.mean == pytest.approx(
        TEMPERATURE_K, abs=4.0 * found.temperature_k.error
    )
