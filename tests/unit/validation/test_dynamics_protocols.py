"""Protocols of dynamics in LAMMPS: what they find, refuse, resume and tell."""

import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from ase.build import bulk

from crystal_subjects import (
    DIAMOND_SI,
    FCC_CU,
    SW_SI,
    lj_subject,
    measured,
    sw_subject,
)
from trimpot.engines.lammps.calculator import PairLines
from trimpot.engines.lammps.finding import find_lmp
from trimpot.engines.lammps.models import model_of_lines
from trimpot.engines.lammps.stages import Simulation, Stage
from trimpot.errors import EndedRunError, EngineError, InputError, NonFiniteResultError
from trimpot.validation.properties import melting
from trimpot.validation.properties.case import Case, Phase
from trimpot.validation.properties.coexistence import Course
from trimpot.validation.properties.crystal_order import SlabOrder
from trimpot.validation.properties.in_lammps import Progress, barostat, started_at
from trimpot.validation.properties.liquid import cube
from trimpot.validation.properties.liquid_structure import (
    Angles,
    deviation,
    first_shell,
)
from trimpot.validation.properties.melting_search import Boxes, Search, repeats
from trimpot.validation.running_suites import RunSettings, run_suite
from trimpot.validation.subjects import subject_of_lammps
from trimpot.validation.suites import load_suite

needs_lmp = pytest.mark.skipif(find_lmp() is None, reason="needs lmp")

ARGON = ("pair_style lj/cut 8.5", "pair_coeff * * 0.0103 3.405")


def argon(lines=ARGON):
    return subject_of_lammps(PairLines(lines, ("Ar",)), "argon")


FCC_AR = Phase("fcc", "fcc", ("Ar",), 5.3)


@pytest.mark.parametrize(
    ("name", "a", "nearest", "repeat"),
    [
        ("bcc", 3.2, 2.771, (6, 6, 12)),
        ("fcc", 3.9, 2.758, (5, 5, 10)),
        ("diamond", 5.43, 2.351, (4, 4, 9)),
    ],
)
def test_slabs_tell_a_hot_crystal_from_a_liquid(name, a, nearest, repeat):
    cell = bulk("W", name, a=a, cubic=True)
    order = SlabOrder.of(cell, repeat)
    atoms = cell * repeat
    np.testing.assert_allclose(order(atoms), 1.0, atol=1e-9)
    rng = np.random.default_rng(5)
    atoms.positions += rng.normal(scale=0.12 * nearest / np.sqrt(3.0), size=(len(atoms), 3))
    level = order(atoms).mean()
    assert level > 0.7  # vibrations of the Lindemann rule
    half = atoms.positions[:, 2] > 0.5 * atoms.cell[2, 2]
    atoms.positions[half] += rng.normal(scale=3.0, size=(half.sum(), 3))
    atoms.positions[:, 2] += 0.37 * a  # a drift does not matter
    solid = order.solid(atoms, level)
    assert 0.35 < solid.mean() < 0.6
    assert solid.min() < 0.15
    assert solid.max() > 0.8


def test_boxes_are_large_and_long_enough():
    for cell_atoms in (1, 2, 4, 8):
        x, y, z = repeats(cell_atoms, 4000, 2.0)
        assert x == y
        assert z >= 2 * x
        assert 4000 <= cell_atoms * x * y * z < 5000
    hexagonal = bulk("Ti", "hcp", a=2.95)
    widths = np.array(cube(hexagonal, 300)) * hexagonal.cell.lengths()
    assert len(hexagonal) * np.prod(cube(hexagonal, 300)) >= 300
    assert widths.max() / widths.min() < 1.7


def course(verdict, late_k, ps=200.0):
    times = np.linspace(0.0, ps, 50)
    flat = np.full(50, late_k)
    return Course(verdict, times, flat, np.zeros((50, 3)), times, np.full(50, 0.5))


class Fake:
    """A box that melts at 1000 K and keeps both phases from trials nearby."""

    def __init__(self, tolerance):
        self.tolerance, self.starts = tolerance, []
        atoms = bulk("Cu") * (10, 10, 10)
        self.simulation = SimpleNamespace(atoms=atoms)

    def steps(self, pieces):
        return pieces

    def run(self, trial, _allowed):
        self.starts.append(trial.start_k)
        if abs(trial.start_k - 1000.0) < self.tolerance:
            return course("both", 0.5 * (trial.start_k + 1000.0))
        if trial.start_k < 1000.0:
            return course("solid", trial.start_k)
        return course("liquid", trial.start_k)


def search(tmp_path, pilot, main, **settings):
    boxes = Boxes(Fake(main), Fake(pilot), None)
    given = melting.Settings(**settings)
    return Search(boxes, given, tmp_path, Progress(lambda _: None)), boxes


@pytest.mark.parametrize("guess", [600.0, 1900.0])
def test_a_search_closes_in_on_where_both_phases_last(tmp_path, guess):
    looking, boxes = search(tmp_path, 150.0, 150.0, tries=12)
    found = looking._searched(guess, pilot=True)
    assert found.verdict == "both"
    assert abs(boxes.main.starts[-1] - 1000.0) < 80.0
    assert len(looking.told) == len(boxes.pilot.starts) + len(boxes.main.starts)


def test_a_search_ends_with_what_it_tried(tmp_path):
    looking, boxes = search(tmp_path, 0.0, 0.0, tries=3)
    why = looking._searched(600.0, pilot=True)
    assert "no try kept both phases" in why
    assert "all became solid (600 K)" in why
    assert len(boxes.pilot.starts) == 3
    looking, boxes = search(tmp_path, 1e9, 1e9, limit_minutes=1e-9)
    why = looking._searched(900.0, pilot=True)
    assert "minutes are over (limit_minutes)" in why


@needs_lmp
def test_stages_are_run_once_and_anew_where_one_before_changed(tmp_path):
    atoms = bulk("Ar", "fcc", a=5.3, cubic=True) * (2, 2, 2)
    model = model_of_lines(PairLines(ARGON, ("Ar",)))
    simulation = Simulation(model, atoms, tmp_path / "work", 2.0)

    def both(seed):
        start = started_at(40.0, seed)
        one = Stage("one", 20, (start, "fix move all nve"), rows=10)
        two = Stage("two", 30, ("fix move all nve",), "one", rows=10, frames=10)
        return simulation.run(one), simulation.run(two)

    first, second = both(1)
    assert first.temperature_k.shape == (2,)
    frames = list(simulation.frames(second))
    assert len(frames) == 3
    np.testing.assert_allclose(frames[0].cell.array, atoms.cell.array)
    total = second.column("pe") + 1.5 * 31 * 8.617e-5 * second.temperature_k
    assert np.ptp(total) < 0.005 * abs(total[0])  # the cutoff is a step
    inodes = [s.folder.stat().st_ino for s in (first, second)]
    again = both(1)
    assert [s.folder.stat().st_ino for s in again] == inodes
    np.testing.assert_array_equal(again[1].table, second.table)
    other = both(2)
    assert not np.array_equal(other[1].table, second.table)


@needs_lmp
def test_runs_that_blow_up_or_fail_say_so(tmp_path):
    atoms = bulk("Ar", "fcc", a=5.3, cubic=True) * (2, 2, 2)
    model = model_of_lines(PairLines(ARGON, ("Ar",)))
    simulation = Simulation(model, atoms, tmp_path, 2.0)
    with pytest.raises(EngineError, match="before its first step: Unrecognized fix style"):
        simulation.run(Stage("bad", 5, ("fix move all nonsense",)))
    hot = (started_at(1e12, 1), "fix move all nve")
    with pytest.raises((EngineError, NonFiniteResultError), match="fs"):
        simulation.run(Stage("hot", 50, hot, rows=1))
    assert not list(tmp_path.iterdir())


@needs_lmp
def test_the_barostat_keeps_the_enthalpy(tmp_path):
    (tmp_path / "Si.sw").write_text(SW_SI)
    lines = PairLines(("pair_style sw", "pair_coeff * * Si.sw Si"), ("Si",), tmp_path)
    atoms = bulk("Si", "diamond", a=5.46, cubic=True) * (2, 2, 3)
    n = len(atoms)
    simulation = Simulation(model_of_lines(lines), atoms, tmp_path / "work", 1.0)
    simulation.run(Stage("start", 500, (started_at(4000.0, 3), barostat("xy-z", 1.0))))
    free = simulation.run(Stage("free", 5000, (barostat("xy-z", 1.0),), "start", rows=50))
    enthalpy = free.column("pe") + 1.5 * (n - 1) * 8.617343e-5 * free.temperature_k
    slope = np.polyfit(free.column("step") / 1000.0, 1000.0 * enthalpy / n, 1)[0]
    assert abs(slope) < 0.15  # meV/atom/ps; with LAMMPS' default several times as much


@needs_lmp
def test_a_lammps_that_is_killed_says_nothing_of_the_model(tmp_path):
    atoms = bulk("Ar", "fcc", a=5.3, cubic=True) * (4, 4, 4)
    model = model_of_lines(PairLines(ARGON, ("Ar",)))

    def kill(step):
        for entry in Path("/proc").iterdir():
            with suppress(OSError):
                if step and str(tmp_path) in (entry / "cmdline").read_text():
                    os.kill(int(entry.name), 9)

    simulation = Simulation(model, atoms, tmp_path / "work", 2.0, kill)
    stage = Stage("one", 100_000, (started_at(40.0, 1), "fix move all nve"))
    with pytest.raises(EndedRunError, match="SIGKILL"):
        simulation.run(stage)


@pytest.mark.parametrize("protocol", ["melting", "liquid", "thermal_expansion"])
def test_other_calculators_are_told_what_they_lack(protocol):
    found = measured(lj_subject(), protocol, FCC_CU)
    assert found.failure.startswith("not measured: needs LAMMPS, found an ASE")


@needs_lmp
@pytest.mark.parametrize("protocol", ["melting", "liquid", "thermal_expansion"])
def test_slow_models_are_not_run(protocol):
    began = time.monotonic()
    found = measured(argon(), protocol, FCC_AR, limit_minutes=1e-4)
    assert "us/atom/step would take" in found.failure
    assert "limit 0.0001" in found.failure
    assert time.monotonic() - began < 20.0


@pytest.mark.parametrize(
    ("protocol", "phase", "settings", "words"),
    [
        ("melting", Phase("x", "hcp", ("Ti",), 2.9), {}, "no right angles"),
        ("melting", FCC_CU, {"discard": 1.0}, "discard is 1.0"),
        ("liquid", FCC_CU, {"density": 8.0}, "ensemble: nvt"),
        ("liquid", FCC_CU, {"reference": {"Cu-O": "x"}}, "'Cu-O', expected a pair of Cu"),
        ("liquid", FCC_CU, {"reference": {"Cu-Cu": "none.txt"}}, "cannot read"),
        ("thermal_expansion", FCC_CU, {"temperatures": (300.0,)}, "at least two"),
        ("thermal_expansion", Phase("x", "hcp", ("Ti",), 2.9), {}, "expected a cubic"),
    ],
)
def test_settings_that_do_not_fit_are_refused(protocol, phase, settings, words):
    module = pytest.importorskip(f"trimpot.validation.properties.{protocol}")
    with pytest.raises(InputError, match=words):
        module.check(phase, module.Settings(**settings))


def test_first_shell_of_a_known_distribution():
    r = (np.arange(160) + 0.5) * 0.05
    g = 1.0 + 2.0 * np.exp(-((r - 2.51) ** 2) / 0.02) + 0.3 * np.cos(2.0 * (r - 4.6))
    g[r < 2.0] = 0.0
    shell = first_shell(r, g, 0.05)
    assert shell.peak_a == pytest.approx(2.51, abs=0.02)
    assert shell.end_a == pytest.approx(3.03, abs=0.15)
    inside = (r <= shell.end_a) * g * 4.0 * np.pi * r**2 * 0.05 * 0.05
    assert shell.neighbors == pytest.approx(inside.sum(), rel=1e-6)
    assert deviation(r, g, ((2.0, 5.0), (3.0, 5.0))) == pytest.approx(
        np.abs(g[(r > 2.0) & (r < 3.0)] - 5.0).mean()
    )
    assert first_shell(r, np.zeros(160), 0.05) is None


def test_angles_of_diamond_are_tetrahedral():
    atoms = bulk("Si", "diamond", a=5.43, cubic=True) * (2, 2, 2)
    angles = Angles(2.6)
    density = angles.density([atoms])
    assert angles.degrees[np.argmax(density)] == pytest.approx(109.47, abs=1.0)
    assert density.sum() * 2.0 == pytest.approx(1.0)
    atoms.numbers[::2] = 8
    assert Angles(2.6, ("O",)).density([atoms]).sum() >= 0.0


@needs_lmp
def test_argon_expands_and_flows():
    settings = {"atoms": 108, "timestep_fs": 5.0, "equilibration_ps": 5.0}
    solid = measured(
        argon(),
        "thermal_expansion",
        FCC_AR,
        temperatures=(20.0, 50.0),
        production_ps=20.0,
        **settings,
    )
    assert solid.failure is None
    cold, hot = solid.values["a_20"], solid.values["a_50"]
    assert hot.value - cold.value > 5.0 * np.hypot(hot.error, cold.error)
    assert 200.0 < solid.number("alpha") < 900.0  # argon: about 500
    liquid = measured(
        argon(),
        "liquid",
        FCC_AR,
        temperature=100.0,
        melt=300.0,
        density=1.3,
        ensemble="nvt",
        melt_ps=6.0,
        production_ps=30.0,
        reference={"Ar-Ar": ((3.0, 0.0), (3.8, 3.0))},
        **settings,
    )
    assert liquid.failure is None
    assert liquid.number("density") == pytest.approx(1.3, rel=1e-6)
    assert liquid.number("temperature") == pytest.approx(100.0, rel=0.05)
    assert liquid.number("first_peak") == pytest.approx(3.75, abs=0.12)
    assert 10.0 < liquid.number("coordination") < 14.0
    assert 0.15 < liquid.number("diffusion") < 0.8  # argon: 2.4e-5 cm^2/s at 85 K
    assert 0.0 < liquid.number("rdf_error") < 2.0
    g = liquid.curves["rdf"].y
    assert g[liquid.curves["rdf"].x > 7.0].mean() == pytest.approx(1.0, abs=0.15)


@needs_lmp
def test_a_crystal_that_melts_is_no_expansion():
    found = measured(
        argon(),
        "thermal_expansion",
        FCC_AR,
        temperatures=(20.0, 200.0),
        atoms=108,
        timestep_fs=5.0,
        equilibration_ps=10.0,
        production_ps=10.0,
    )
    assert found.failure == "the crystal gave way at 200 K"
    assert found.fails("alpha")
    assert not found.fails("a_20")


SUITE = """
name: argon
elements: [Ar]
phases:
  fcc: {lattice: fcc, elements: [Ar], a: 5.3}
properties:
  expansion:
    protocol: thermal_expansion
    phase: fcc
    settings: {temperatures: [20, 30, 40, 50], atoms: 108, production_ps: PS}
"""

KILLED = """
from trimpot.engines.lammps.calculator import PairLines
from trimpot.validation.running_suites import RunSettings, run_suite
from trimpot.validation.subjects import subject_of_lammps
from trimpot.validation.suites import load_suite
lines = PairLines({lines}, ("Ar",))
run_suite(
    [subject_of_lammps(lines, "argon")], load_suite("{suite}"), RunSettings("{kept}", 2),
    watch=lambda model, name, share: print(model, name, share, flush=True),
)
"""


@needs_lmp
def test_a_killed_run_goes_on_and_tells_how_far_it_is(tmp_path):
    suite, kept = tmp_path / "argon.yaml", tmp_path / "kept"
    suite.write_text(SUITE.replace("PS", "20"))
    script = tmp_path / "run.py"
    script.write_text(KILLED.format(lines=ARGON, suite=suite, kept=kept))
    shares = []
    with subprocess.Popen(
        [sys.executable, script], stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as run:
        for line in run.stdout:
            model, name, share = line.split()
            assert (model, name) == ("argon", "expansion")
            shares.append(float(share))
            if shares[-1] > 0.55:
                os.killpg(run.pid, 9)
    assert shares == sorted(shares)
    assert len(shares) > 2
    (work,) = kept.glob("*/*.work")
    done = {path.name: path.stat().st_ino for path in work.glob("at-*")}
    assert {"at-20-warm", "at-20", "at-30-warm", "at-30"} <= set(done)
    (stage,) = work.glob("at-30")
    table = json.loads((stage / "done.json").read_text())
    heard = []

    def watch(*_told):
        if work.is_dir():
            heard.append({p.name: p.stat().st_ino for p in work.glob("at-*")})

    settings = RunSettings(kept, 2)
    result = run_suite([argon()], load_suite(suite), settings, watch=watch)
    assert all(now.items() >= done.items() for now in heard)
    assert heard
    assert table["step_seconds"] > 0.0
    found = result.measured["argon"]["expansion"].outcome
    assert found.failure is None
    assert len(found.curves["lattice_constant"].x) == 4
    assert not list(kept.glob("*/*.work"))


@needs_lmp
@pytest.mark.slow
def test_stillinger_weber_silicon_melts_where_it_should(tmp_path):
    settings = melting.Settings(
        atoms=1000, guess=1500.0, equilibration_ps=2.0, melt_ps=3.0, coexistence_ps=100.0
    )
    case = Case(replace(DIAMOND_SI, a=5.431), {}, tmp_path / "work")
    found = melting.measure(sw_subject(tmp_path), case, settings)
    assert found.failure is None
    melts = found.values["temperature"]
    assert melts.value == pytest.approx(1691.0, abs=60.0)
    assert melts.error < 20.0
    assert abs(found.number("pressure")) < 0.1


@needs_lmp
@pytest.mark.slow
def test_silicon_expands_as_its_phonons_say(tmp_path):
    found = measured(
        sw_subject(tmp_path),
        "thermal_expansion",
        replace(DIAMOND_SI, a=5.431),
        temperatures=(150.0, 300.0),
    )
    # quasi-harmonic, classical: phonopy, 4x4x4 primitive cells, nine lattice constants
    assert found.number("a_300") == pytest.approx(5.4374, abs=5e-4)
