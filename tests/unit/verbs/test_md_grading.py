"""Dynamics with the grades that a potential gives itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from ase.build import bulk
from ase.io import read

from toy_potentials import Morse
from trimpot.data import Frame
from trimpot.engines.ase import structure_from_atoms
from trimpot.engines.md_settings import MdSettings
from trimpot.engines.singlepoint import evaluate
from trimpot.errors import StoppedRunError
from trimpot.fitting import FitSettings, Model, fit, folds_of, make_targets
from trimpot.splines.packing import pack
from trimpot.splines.pair_settings import PairSettings
from trimpot.splines.profile import pair_profile
from trimpot.uncertainty import Job, learn_trust
from trimpot.verbs.dynamics import md

SETTINGS = FitSettings(kappa=(0.5,), ridge=(1e-8,), curvature=(1e-8,), anchors=False)


def crystal():
    return bulk("W", "bcc", a=3.1, cubic=True).repeat(3)


def rattled(count, seed=0):
    """Crystals as they are at some hundred kelvin, labelled by a Morse potential."""
    rng = np.random.default_rng(seed)
    frames = []
    for _ in range(count):
        atoms = crystal()
        atoms.positions += rng.normal(scale=rng.uniform(0.02, 0.12), size=(len(atoms), 3))
        structure = structure_from_atoms(atoms)
        found = evaluate(Morse(), structure, threads=1)
        frames.append(Frame(structure, found.energy, found.forces, None))
    return frames


@pytest.fixture(scope="module")
def potential():
    frames = rattled(30)
    profile = pair_profile(pack([f.structure for f in frames], (74,)), 5.0)
    term = PairSettings(cutoff=5.0, intervals=16).build((74,), profile)
    model = Model((74,), (term,), np.zeros(1), refine_e0s=True)
    result = fit(model, frames, SETTINGS, profile=profile, threads=1)
    targets = make_targets(frames, (74,), model.fixed, SETTINGS)
    trust = learn_trust(
        Job(model, result, targets, folds_of(frames, SETTINGS), SETTINGS), threads=1
    )
    statistics = {**result.potential.statistics, **trust.statistics()}
    return replace(result.potential, statistics=statistics)


def settings(**changes):
    chosen = {
        "ensemble": "langevin",
        "temperature_k": 300.0,
        "steps": 100,
        "threads": 1,
        "structure_interval": 0,
    }
    return MdSettings(**(chosen | changes))


class Notes:
    def __init__(self):
        self.lines = []

    def note(self, text):
        self.lines.append(text)

    def progress(self, stage, done, total):
        pass


def test_a_run_near_the_data_goes_through_and_looks_at_grades(potential, tmp_path):
    notes = Notes()
    done = md(
        potential,
        crystal(),
        settings(),
        output=tmp_path / "a",
        watcher=notes,
        figures=False,
    )
    assert done.result.grades.looks >= 1
    assert done.result.grades.largest < 1.5
    assert any(line.startswith("extrapolation grades every") for line in notes.lines)


def test_a_run_that_melts_stops_and_saves_what_it_met(potential, tmp_path):
    hot = settings(
        temperature_k=30_000.0, friction_per_ps=100.0, steps=400, grade_interval=10
    )
    with pytest.raises(StoppedRunError, match=r"step \d+ .*atom \d+ \(W\)"):
        md(potential, crystal(), hot, output=tmp_path / "b", figures=False)
    saved = read(tmp_path / "b" / "extrapolation.extxyz", index=":")
    assert saved
    grades = next(v for k, v in saved[-1].arrays.items() if "grade" in k)
    assert grades.max() > 3.0
    np.testing.assert_allclose(
        potential.grader(threads=1).grades(structure_from_atoms(saved[-1])),
        grades,
        rtol=1e-3,
    )


def test_grades_do_not_touch_the_trajectory(potential, tmp_path):
    runs = [
        md(
            potential,
            crystal(),
            settings(grade_interval=n),
            output=tmp_path / str(n),
            figures=False,
        )
        for n in (0, 7)
    ]
    np.testing.assert_array_equal(
        runs[0].result.atoms.positions, runs[1].result.atoms.positions
    )
    assert runs[0].result.grades is None


def test_a_potential_without_grades_says_so(tmp_path):
    notes = Notes()
    md(
        Morse(),
        crystal(),
        settings(steps=2),
        output=tmp_path / "c",
        watcher=notes,
        figures=False,
    )
    assert any("no extrapolation grades" in line for line in notes.lines)
