"""Extrapolation in a run: noted once, saved with measure, stopped by name."""

import numpy as np
import pytest
from ase import Atoms
from ase.io import read

from toy_potentials import Morse, crystal
from trimpot.engines.md import run
from trimpot.engines.md_outputs import ExtrapolationFile
from trimpot.engines.md_settings import MdSettings
from trimpot.errors import InputError, StoppedRunError


class Displaced:
    """Grades that grow with the look, of atom 5 the fastest."""

    def __init__(self, slope=0.1, start=0.0):
        self.slope = slope
        self.start = start
        self.looks = 0

    def grades(self, structure):
        found = np.full(len(structure), self.start)
        found[5] = self.start + self.slope * self.looks
        self.looks += 1
        return found


class Kept:
    begun = None

    def __init__(self, path):
        self.path = path

    def keep(self, state):
        pass

    def save_extrapolated(self, atoms, step, grades):
        size = self.path.stat().st_size if self.path.exists() else 0
        with ExtrapolationFile(self.path, whole=size) as file:
            file.save(atoms, step, grades)


class Notes:
    def __init__(self):
        self.lines = []

    def note(self, text):
        self.lines.append(text)

    def progress(self, stage, done, total):
        pass


def moving(grader, keeper=None, watcher=None, **changes):
    s = crystal()
    atoms = Atoms(s.numbers, s.positions, cell=s.cell, pbc=True)
    usual = {"temperature_k": 300.0, "steps": 60, "grade_interval": 2, "threads": 1}
    settings = MdSettings(**{**usual, **changes})
    return run(Morse(), atoms, settings, grader=grader, keeper=keeper, watcher=watcher)


def test_grades_are_in_the_samples_and_the_first_crossing_is_told(tmp_path):
    keeper, notes = Kept(tmp_path / "e.extxyz"), Notes()
    grader = Displaced(0.1)
    result = moving(grader, keeper, notes, stop_grade=None, log_interval=5)
    assert grader.looks == 31
    # the largest since the last line: looks at 0, 2, 4; line at 5
    np.testing.assert_allclose(result.samples.grade[:3], [0.0, 0.2, 0.5])
    warnings = [line for line in notes.lines if "warning" in line]
    assert len(warnings) == 1
    assert "step 22: grade 1.1 of atom 5 (W) is above 1" in warnings[0]
    assert result.grades.largest == pytest.approx(3.0)
    assert result.grades.largest_step == 60
    assert result.grades.above == 20


def test_a_line_without_a_look_has_no_grade():
    result = moving(Displaced(0.0), grade_interval=20, log_interval=10)
    assert np.isnan(result.samples.grade).tolist() == [0, 1, 0, 1, 0, 1, 0]


def test_the_run_stops_and_names_atom_step_and_grade(tmp_path):
    keeper = Kept(tmp_path / "e.extxyz")
    with pytest.raises(
        StoppedRunError,
        match=r"step 42 \(42 fs\).*atom 5 \(W\) is 2\.1, above stop_grade 2;.*label",
    ):
        moving(Displaced(0.1), keeper, stop_grade=2.0)
    frames = read(tmp_path / "e.extxyz", ":")
    assert frames[0].info["step"] == 22
    assert frames[-1].info["step"] == 42
    assert frames[-1].arrays["grade"].argmax() == 5
    assert frames[-1].info["largest_grade"] == pytest.approx(2.1)
    assert frames[-1].calc is None  # what the potential says is no reference


@pytest.mark.parametrize("bad", [np.inf, np.nan])
def test_grades_that_are_no_numbers_stop_the_run(bad):
    class Broken(Displaced):
        def grades(self, structure):
            found = super().grades(structure)
            found[7] = bad if self.looks > 3 else 0.5
            return found

    with pytest.raises(StoppedRunError, match=r"step 6 .*atom 7 \(W\) is inf"):
        moving(Broken())


def test_structures_are_saved_at_growing_distances_and_not_without_end(
    tmp_path, monkeypatch
):
    keeper = Kept(tmp_path / "e.extxyz")
    result = moving(Displaced(0.0, 1.5), keeper, steps=700, grade_interval=1)
    steps = [frame.info["step"] for frame in read(tmp_path / "e.extxyz", ":")]
    assert result.grades.above == 701
    assert steps[:9] == list(range(9))
    gaps = np.diff(steps)
    assert (gaps[1:] >= gaps[:-1]).all()
    assert gaps.max() >= 16
    assert len(steps) == result.grades.saved < 70
    monkeypatch.setattr("trimpot.engines.md_grades.MOST_FRAMES", 4)
    capped = Kept(tmp_path / "f.extxyz")
    assert moving(Displaced(0.0, 1.5), capped, steps=100).grades.saved == 4


def test_wrong_graders_and_settings_are_refused():
    class Total:
        def grades(self, structure):  # noqa: ARG002
            return np.zeros(1)

    with pytest.raises(InputError, match=r"shape \(1,\), expected \(16,\)"):
        moving(Total())
    with pytest.raises(InputError, match=r"stop_grade is 0\.5, below"):
        MdSettings(stop_grade=0.5)
