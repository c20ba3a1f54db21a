"""How often a run looks at grades."""

import numpy as np
import pytest
from ase import Atoms

from toy_potentials import Morse, crystal
from trimpot.engines import md_grade_interval
from trimpot.engines.md_grade_interval import with_grade_interval
from trimpot.engines.md_settings import MdSettings


@pytest.mark.parametrize(
    ("look", "interval"), [(1.0, 10), (2.0, 10), (3.0, 20), (150.0, 1000), (1e9, 1000)]
)
def test_looks_take_a_fifth_of_the_time_of_force_calls(monkeypatch, look, interval):
    def seconds(work, structure, *, calls, warm):  # noqa: ARG001
        return look if calls == 1 else 1.0

    monkeypatch.setattr(md_grade_interval, "_seconds", seconds)
    s = crystal()
    atoms = Atoms(s.numbers, s.positions, cell=s.cell, pbc=True)

    class Grader:
        def grades(self, structure):
            return np.zeros(len(structure))

    def chosen(**changes):
        given = MdSettings(temperature_k=300.0, threads=1, **changes)
        found = with_grade_interval(given, Morse(), Grader(), atoms, precision="double")
        return found.grade_interval

    assert chosen() == interval
    assert chosen(grade_interval=7) == 7
