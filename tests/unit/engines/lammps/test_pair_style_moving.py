"""The pair style while atoms and boxes move: lists, restarts, minimisers, guards."""

import numpy as np
import pytest

from engine_structures import crystal, liquid
from plugin_runs import Case, lmp, setup
from spline_samples import SPECIES
from trimpot.contract import Structure
from trimpot.files import save
from trimpot.neighbors import neighborhood
from trimpot.splines.core import CoreSettings
from trimpot.splines.density_settings import DensitySettings
from trimpot.splines.pair_settings import PairSettings
from trimpot.splines.potential import SplinePotential
from trimpot.splines.profile import PairProfile
from trimpot.splines.triplet_settings import TripletSettings


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A potential that holds atoms apart, with small terms of every reach, and its file."""
    species = SPECIES[2]
    profile = PairProfile(species, np.full((2, 2), 1.5), np.zeros((2, 2, 10)), 5.0)
    rng = np.random.default_rng(3)
    terms, values = [CoreSettings(outer=1.9).build(species, profile)], [np.zeros(0)]
    pair = PairSettings(cutoff=4.5, intervals=12).build(species, profile)
    coefficients = np.zeros(pair.n_coefficients)
    for curve in pair.curves:
        knots = curve.knots
        centers = (knots[1:-3] + knots[2:-2] + knots[3:-1]) / 3
        free = curve.columns >= 0
        r = np.maximum(centers[free], 1.6)
        coefficients[curve.columns[free]] = 0.4 * ((2.4 / r) ** 8 - 2 * (2.4 / r) ** 4)
    terms.append(pair)
    values.append(coefficients)
    for settings in (
        TripletSettings(cutoff=3.6, intervals=6, r_min=1.5),
        DensitySettings(cutoff=4.0, functions=2, r_min=1.4, order=2),
    ):
        term = settings.build(species, profile)
        if term.n_limits:
            term = term.with_limits(np.full((2, term.n_limits), 5.0))
        terms.append(term)
        values.append(1e-3 * rng.normal(size=term.n_coefficients))
    potential = SplinePotential(species, tuple(terms), tuple(values))
    path = tmp_path_factory.mktemp("model") / "a.trimpot"
    save(potential, path)
    return potential, path


def start(seed=1):
    return liquid(SPECIES[2], 160, 14.5, seed, shortest=1.9)


LAST = """write_dump all custom last.dump id type x y z fx fy fz modify sort id &
  format float %22.17g
"""
HEAT = "velocity all create 3000 12345 mom yes rot no dist gaussian loop geom\n"


def last(path):
    """Return numbers, positions, forces and cell of a dump."""
    lines = path.read_text().splitlines()
    at = next(k for k, line in enumerate(lines) if line.startswith("ITEM: BOX"))
    bounds = np.array([line.split() for line in lines[at + 1 : at + 4]], dtype=float)
    low, high, tilts = bounds[:, 0].copy(), bounds[:, 1].copy(), np.zeros(3)
    if bounds.shape[1] == 3:
        tilts = bounds[:, 2]
        xy, xz, yz = tilts
        low -= [min(0, xy, xz, xy + xz), min(0, yz), 0]
        high -= [max(0, xy, xz, xy + xz), max(0, yz), 0]
    cell = np.diag(high - low)
    cell[1, 0], cell[2, 0], cell[2, 1] = tilts
    table = np.loadtxt(lines[at + 5 :], ndmin=2)
    numbers = np.array(SPECIES[2])[table[:, 1].astype(int) - 1]
    return Structure(numbers, table[:, 2:5], cell, np.ones(3, dtype=bool)), table[:, 5:]


MOVES = {
    "hot": (HEAT + "fix 1 all nve\nrun 150\n", 1e-9),
    "hot, rare checks": (
        "neigh_modify every 20 delay 40 check no\n" + HEAT + "fix 1 all nve\nrun 90\n",
        1e-9,
    ),
    "pressure": (HEAT + "fix 1 all npt temp 3000 1500 0.05 tri 0 0 0.2\nrun 150\n", 1e-9),
    "shear": (
        # the box changes after forces are computed: not at the last step
        HEAT + "fix 1 all nve\nfix 2 all deform 10 xy erate 2.0 remap x\nrun 155\n",
        1e-9,
    ),
    "minimum": ("min_style cg\nminimize 0 1e-3 60 600\n", 1e-9),
    "box, relaxed": ("fix 1 all box/relax aniso 0\nminimize 0 1e-3 40 400\n", 1e-9),
    "no skin": ("neighbor 0.0 bin\n" + HEAT + "fix 1 all nve\nrun 20\n", 1e-9),
    "mixed": (HEAT + "fix 1 all nve\nrun 150\n", 2e-4),
}


@pytest.mark.parametrize("ranks", [1, 2])
@pytest.mark.parametrize("name", MOVES)
def test_forces_at_the_end_are_those_of_the_positions(model, name, ranks, tmp_path):
    commands, bound = MOVES[name]
    potential, path = model
    style = "trimpot precision mixed" if name == "mixed" else "trimpot precision double"
    case = Case(start(), path, style, species=SPECIES[2])
    skewed = "change_box all triclinic\n" if name in {"pressure", "shear"} else ""
    text = setup(case, "x.data", tmp_path) + skewed + "neighbor 0.6 bin\n"
    lmp(text + commands + LAST, tmp_path, ranks)
    structure, forces = last(tmp_path / "last.dump")
    moved = structure.positions - start().positions
    assert np.abs(moved).max() > 0.01
    expected = potential.evaluate(neighborhood(structure, potential.cutoff)).forces
    size = max(1.0, np.abs(expected).max())
    assert np.abs(forces - expected).max() < bound * size


def test_a_run_goes_on_from_a_restart_file(model, tmp_path):
    """To rounding: LAMMPS sorts atoms and renews lists at other steps then."""
    case = Case(start(), model[1], species=SPECIES[2])
    text = setup(case, "x.data", tmp_path)
    lmp(f"{text}{HEAT}fix 1 all nve\nrun 30\nwrite_restart r\nrun 30\n{LAST}", tmp_path)
    through = last(tmp_path / "last.dump")
    pair = "pair_style trimpot precision double\n" + f"pair_coeff * * {case.model} Si W\n"
    lmp(f"read_restart r\n{pair}fix 1 all nve\nrun 30\n{LAST}", tmp_path, 2)
    again = last(tmp_path / "last.dump")
    assert np.abs(through[0].positions - again[0].positions).max() < 1e-8
    assert np.abs(through[1] - again[1]).max() < 1e-7
    assert "pair_coeff is missing" not in lmp(
        "read_restart r\nfix 1 all nve\nrun 1\n", tmp_path, fails=True
    )


def test_energy_is_conserved(model, tmp_path):
    case = Case(crystal("W", "bcc", 3.0, (4, 4, 4), 1), model[1], species=SPECIES[2])
    text = setup(case, "x.data", tmp_path) + HEAT.replace("3000", "600")
    text += (
        "thermo_style custom step etotal\nthermo 20\nthermo_modify format float %20.12f\n"
    )
    drifts = {}
    for fs in (2.0, 1.0):
        steps = int(200 / fs)
        output = lmp(
            f"{text}fix 1 all nve\ntimestep {fs / 1000}\nrun {steps}\n", tmp_path, 2
        )
        lines = [line.split() for line in output.splitlines()]
        rows = [w for w in lines if len(w) == 2 and w[0].isdigit() and "." in w[1]]
        energies = np.array([float(w[1]) for w in rows])
        drifts[fs] = energies.std() / 128
    assert drifts[1.0] < 2e-4
    assert 2.5 < drifts[2.0] / drifts[1.0] < 6.0


def test_stresses_of_atoms_follow_from_energies_under_strain(model, tmp_path):
    """The sum of stresses of atoms, in a run that writes them at some steps alone."""
    case = Case(start(), model[1], species=SPECIES[2])
    text = setup(case, "x.data", tmp_path)
    text += """compute s all stress/atom NULL virial
compute t all reduce sum c_s[*]
compute w all pressure NULL virial
fix 1 all nve
thermo 7
thermo_style custom step vol c_w[1] c_w[4] c_t[1] c_t[4]
thermo_modify format float %20.12g
run 21
"""
    output = lmp(text, tmp_path, 2)
    lines = [line.split() for line in output.splitlines()]
    rows = np.array([w for w in lines if len(w) == 6 and w[0].isdigit()], dtype=float)
    assert rows[:, 0].tolist() == [0, 7, 14, 21]
    for whole, shared in ((rows[:, 2], rows[:, 4]), (rows[:, 3], rows[:, 5])):
        np.testing.assert_allclose(-whole * rows[:, 1], shared, rtol=1e-9, atol=1e-3)
