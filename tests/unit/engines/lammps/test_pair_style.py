"""The pair style in LAMMPS: the numbers of our own evaluation, on any number of ranks."""

from dataclasses import replace

import numpy as np
import pytest

from engine_structures import structures
from plugin_runs import Case, lmp, run, setup
from spline_samples import KINDS, OTHER_SPACING, SPECIES, UNIFORM, random_potential
from trimpot.contract import Structure
from trimpot.files import save
from trimpot.neighbors import neighborhood

SETTINGS = (UNIFORM, OTHER_SPACING)
STYLES = KINDS[1:]
SIZES = {"energy": 1e-10, "force": 1e-9, "stress": 1e-8}
"""Bounds: eV/atom, eV/A, eV/A^3; relative where numbers are above 1."""


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Potentials of every kind and number of species, with their files."""
    folder = tmp_path_factory.mktemp("models")
    found = {}
    for kind in STYLES:
        for n in SPECIES:
            potential = random_potential(kind, n, SETTINGS[len(found) % 2])
            path = folder / f"{kind}-{n}.trimpot"
            save(potential, path)
            found[kind, n] = potential, path
    return found


def chosen(models, alone):
    """Every structure with all terms, and with so many kinds alone, in turn."""
    cases, expected = [], []
    for k, (n, structure) in enumerate(structures().values()):
        kinds = [STYLES[(3 * k + q) % (len(STYLES) - 1)] for q in range(alone)] + ["sum"]
        for q, kind in enumerate(kinds):
            potential, path = models[kind, n]
            newton = "on" if (k + q) % 2 else "off"
            cases.append(Case(structure, path, newton=newton, species=SPECIES[n]))
            expected.append(potential.evaluate(neighborhood(structure, potential.cutoff)))
    return cases, expected


def assert_close(found, expected, bound, what):
    size = max(1.0, np.abs(expected).max(initial=0.0))
    worst = np.abs(found - expected).max(initial=0.0)
    assert worst <= bound * size, f"{what}: {worst:.2e} of {size:.2e}"


def volume_of(structure):
    return max(1.0, abs(np.linalg.det(structure.cell)) if structure.pbc.all() else 100.0)


@pytest.mark.parametrize(("ranks", "alone"), [(1, 3), (2, 3), (4, 0)])
def test_numbers_are_ours_on_any_number_of_ranks(models, ranks, alone, tmp_path):
    cases, expected = chosen(models, alone)
    names = [name for name in structures() for _ in range(alone + 1)]
    for name, case, ours, theirs in zip(
        names, cases, expected, run(cases, tmp_path, ranks), strict=True
    ):
        what = f"{name}, {case.model.stem}, newton {case.newton}"
        assert_close(theirs.energies, ours.energies, SIZES["energy"], what)
        assert_close(theirs.forces, ours.forces, SIZES["force"], what)
        volume = volume_of(case.structure)
        assert_close(theirs.virial / volume, ours.virial / volume, SIZES["stress"], what)
        total = ours.energies.sum()
        assert abs(theirs.energy - total) <= 1e-10 * len(ours.energies) * max(1, abs(total))
        # stresses of atoms add up to the whole, either way to share them out
        for stresses in theirs.stresses:
            assert_close(-stresses.sum(axis=0), ours.virial, 1e-8, what)


def test_threads_change_no_bit(models, tmp_path):
    n, structure = structures()["molten, three species"]
    case = Case(structure, models["sum", n][1], species=SPECIES[n])
    threads = replace(case, style="trimpot precision double threads 3")
    one, three = run([case, threads], tmp_path)
    assert one.forces.tobytes() == three.forces.tobytes()
    assert one.energy == three.energy


def test_mixed_precision_is_within_its_bound(models, tmp_path):
    cases = [
        Case(structure, models[kind, n][1], "trimpot", species=SPECIES[n])
        for kind in ("pair", "triplet", "screened_triplet", "sum")
        for n, structure in (structures()["bcc"][:2], structures()["molten, three species"])
    ]
    for case, found in zip(cases, run(cases, tmp_path, 2), strict=True):
        exact = run([replace(case, style="trimpot precision double")], tmp_path)[0]
        size = max(1.0, np.abs(exact.forces).max())
        assert np.abs(found.forces - exact.forces).max() < 2e-5 * size
        assert np.abs(found.energies - exact.energies).max() < 2e-5 * size
        assert np.abs(found.forces - exact.forces).max() > 0.0


def test_atoms_of_other_styles_are_left_to_these(models, tmp_path):
    """Two halves of an alloy by two styles, and what acts between them by a third."""
    n, structure = structures()["fcc, two species"]
    _, path = models["pair", n]
    _si, w = SPECIES[2]
    hybrid = Case(
        structure,
        path,
        "hybrid/overlay trimpot precision double lj/cut 5.0",
        coefficients=(
            f"pair_coeff * * trimpot {path} NULL W",
            "pair_coeff 1 1 lj/cut 0.01 2.3",
            "pair_coeff 1 2 lj/cut 0.02 2.4",
        ),
        tensors=False,
        species=SPECIES[2],
    )
    rest = ("pair_coeff 1 1 0.01 2.3", "pair_coeff 1 2 0.02 2.4", "pair_coeff 2 2 0.0 2.4")
    alone = replace(hybrid, style="lj/cut 5.0", coefficients=rest)
    for ranks in (1, 2):
        for newton in ("on", "off"):
            both, rest = run(
                [replace(c, newton=newton) for c in (hybrid, alone)], tmp_path, ranks
            )
            ours = structure.numbers == w
            part = Structure(
                structure.numbers[ours],
                structure.positions[ours],
                structure.cell,
                structure.pbc,
            )
            potential = models["pair", n][0]
            expected = potential.evaluate(neighborhood(part, potential.cutoff))
            forces = np.zeros_like(structure.positions)
            forces[ours] = expected.forces
            assert_close(both.forces - rest.forces, forces, 1e-9, "forces")
            assert abs(both.energy - rest.energy - expected.energies.sum()) < 1e-8


def test_a_centroid_stress_gives_the_heat_flux(models, tmp_path):
    """J = sum_i v_i . S_i has the power that flows between atoms: its time derivative of
    sum_i r_i E_i at fixed kinetic energies, by finite differences."""
    n, structure = structures()["cluster"]
    potential, path = models["sum", n]
    case = Case(structure, path, species=SPECIES[n])
    found = run([case], tmp_path)[0]
    velocities = np.random.default_rng(1).normal(size=structure.positions.shape)
    _, centroid = found.stresses
    flux = -np.einsum("iab,ib->a", centroid, velocities)

    def moment(t):
        moved = structure.positions + t * velocities
        one = Structure(structure.numbers, moved, structure.cell, structure.pbc)
        return potential.evaluate(neighborhood(one, potential.cutoff)).energies

    h = 1e-5
    slope = (moment(h) - moment(-h)) / (2 * h)
    # d/dt sum r_i E_i = sum v_i E_i + sum r_i dE_i/dt, and the second has the work
    # done on atoms where they are: sum r_i (F_i . v_i)
    work = np.einsum("ia,ia->i", found.forces, velocities)
    expected = structure.positions.T @ (slope + work)
    np.testing.assert_allclose(
        flux, expected, rtol=1e-6, atol=1e-6 * np.abs(expected).max()
    )


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ({"style": "trimpot precision single"}, "found precision single, expected mixed"),
        ({"style": "trimpot threads 0"}, "found threads 0"),
        ({"style": "trimpot fast yes"}, "found fast, expected precision or threads"),
        ({"coefficients": ("pair_coeff * * missing.trimpot W",)}, "missing.trimpot"),
        ({"coefficients": ("pair_coeff * * {model} Cu",)}, "found element Cu"),
        (
            {"after": ("neigh_modify exclude type 1 1",)},
            "exclude and include are not supported",
        ),
        ({"before": ("units real",)}, "found units real, expected metal"),
    ],
)
def test_what_is_not_supported_is_refused_with_the_reason(models, lines, reason, tmp_path):
    n, structure = structures()["bcc"]
    path = models["pair", n][1]
    if "coefficients" in lines:
        lines = {
            "coefficients": tuple(
                t.replace("{model}", str(path)) for t in lines["coefficients"]
            )
        }
    case = replace(Case(structure, path), **lines)
    text = setup(case, "x.data", tmp_path)
    if "before" in lines:
        text = text.replace("units metal\n", "")
    assert reason in lmp(text + "run 0\n", tmp_path, fails=True)


def test_a_force_that_is_no_number_stops_the_run(models, tmp_path):
    n, structure = structures()["bcc"]
    potential = models["pair", n][0]
    huge = replace(
        potential, coefficients=(np.full_like(potential.coefficients[0], 1e308),)
    )
    save(huge, tmp_path / "huge.trimpot")
    text = setup(Case(structure, tmp_path / "huge.trimpot"), "x.data", tmp_path)
    output = lmp(text + "fix 1 all nve\nrun 5\n", tmp_path, fails=True)
    assert "step 0: energy or force of atom 1 is not a finite number" in output
