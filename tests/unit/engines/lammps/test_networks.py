"""Networks in the real LAMMPS under MPI, held against this package."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="random weights come from PyTorch networks")

import lammps_points  # noqa: E402
from network_samples import (  # noqa: E402
    SPECIES,
    TINY,
    core,
    narrow,
    network,
    structures,
    unscreened,
)
from trimpot.contract import Structure  # noqa: E402
from trimpot.engines.singlepoint import evaluate  # noqa: E402
from trimpot.envelopes import EnvelopeSettings  # noqa: E402
from trimpot.files import save  # noqa: E402

NETWORKS = {
    "screened": lambda: network(narrow(l_max=2)),
    "with a core": lambda: network(unscreened(), prior=core()),
    "one layer": lambda: network(narrow(layers=1)),
    "three layers": lambda: network(
        replace(TINY, layers=3, envelope=EnvelopeSettings(c_min=0.2, c_max=2.8))
    ),
}


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder, made = tmp_path_factory.mktemp("networks"), {}
    for number, (name, make) in enumerate(NETWORKS.items()):
        made[name] = make(), folder / f"{number}.trimpot"
        save(*made[name])
    return made


def large(n=40, seed=3):
    """A cell of several cutoffs, with edges that are not at right angles."""
    rng = np.random.default_rng(seed)
    cell = np.array([[9.0, 0.0, 0.0], [1.5, 8.5, 0.0], [-0.8, 0.6, 9.5]])
    grid = np.stack(np.meshgrid(*[np.arange(4) / 4.0] * 3), axis=-1).reshape(-1, 3)[:n]
    positions = grid @ cell + 0.15 * rng.normal(size=(n, 3))
    numbers = rng.choice(SPECIES, n).astype(np.int32)
    return Structure(numbers, positions, cell, np.ones(3, bool))


def samples():
    """A triclinic cell smaller than the cutoff, a cluster, surfaces, many atoms."""
    small, cluster = structures()
    slab = replace(small, pbc=np.array([True, True, False]))
    wire = replace(small, pbc=np.array([False, False, True]))
    alone = Structure(
        small.numbers[:1], small.positions[:1], 2.9 * np.eye(3), np.ones(3, bool)
    )
    return [
        small,
        cluster,
        slab,
        wire,
        alone,
        large(),
        replace(large(seed=4), pbc=slab.pbc),
    ]


def compare(found, potential, structure, bound=1.0):
    expected = evaluate(potential, structure, threads=1)
    volume = abs(np.linalg.det(structure.cell)) if structure.pbc.all() else 100.0
    e, f = (
        np.abs(found.energies - expected.energies),
        np.abs(found.forces - expected.forces),
    )
    s = np.abs(found.virial - expected.virial) / volume
    assert e.max() < 1e-10 * bound
    assert f.max() < 1e-9 * bound
    assert s.max() < 1e-8 * bound
    assert found.energy == pytest.approx(expected.energy, rel=1e-7 * bound)
    np.testing.assert_allclose(found.virials.sum(axis=0), found.virial, atol=1e-6 * bound)


@pytest.mark.parametrize("newton", ["on", "off"])
@pytest.mark.parametrize("ranks", [1, 2, 4, 6])
@pytest.mark.parametrize("name", NETWORKS)
def test_any_number_of_ranks_says_what_python_says(files, name, ranks, newton, tmp_path):
    potential, path = files[name]
    several = samples()
    found = lammps_points.points(
        tmp_path, path, several, SPECIES, ranks=ranks, before=f"newton {newton}"
    )
    for point, structure in zip(found, several, strict=True):
        compare(point, potential, structure)


def test_mixed_precision_is_that_of_python(files, tmp_path):
    potential, path = files["with a core"]
    several = samples()
    found = lammps_points.points(tmp_path, path, several, SPECIES, ranks=2, words="")
    for point, structure in zip(found, several, strict=True):
        largest = np.abs(evaluate(potential, structure, threads=1).forces).max()
        compare(point, potential, structure, bound=1e5 * max(1.0, largest))


RUN = f"""velocity all create 3000 7 loop geom
fix move all nve
timestep 0.002
neigh_modify every 1 delay 0 check yes
run 40
dump d all custom 1 {{k}}.dump {lammps_points.DUMP}
dump_modify d sort id format float %.17g
run 0
velocity all set 0 0 0
run 0"""


@pytest.mark.parametrize("decomposition", ["brick", "tiled"])
def test_atoms_move_among_ranks(files, decomposition, tmp_path):
    potential, path = files["screened"]
    several = [large(), replace(large(seed=4), pbc=np.array([True, False, True]))]
    after = "" if decomposition == "brick" else "comm_style tiled\nbalance 1.0 rcb"
    texts = {"run": RUN, "after": f"neighbor 0.3 bin\n{after}"}
    found = lammps_points.points(tmp_path, path, several, SPECIES, ranks=4, **texts)
    for point, structure in zip(found, several, strict=True):
        there = replace(structure, positions=point.positions)
        apart = np.abs(point.positions - structure.positions).max()
        assert apart > 0.5
        compare(point, potential, there)


@pytest.mark.parametrize("newton", ["on", "off"])
def test_atoms_of_other_styles_are_not_seen(files, newton, tmp_path):
    potential, path = files["three layers"]
    whole = large()
    others = np.arange(40) % 3 == 1
    numbers = np.where(others, 18, whole.numbers).astype(np.int32)
    mixture = replace(whole, numbers=numbers)
    (found,) = lammps_points.points(
        tmp_path,
        path,
        [mixture],
        (14, 18, 74),
        ranks=4,
        before=f"newton {newton}",
        style="hybrid/overlay trimpot precision double zero 3.0",
        coefficients=f"* * trimpot {path} Si NULL W\npair_coeff * * zero",
    )
    own = replace(whole, numbers=numbers[~others], positions=whole.positions[~others])
    expected = evaluate(potential, own, threads=1)
    np.testing.assert_allclose(found.energies[~others], expected.energies, atol=1e-10)
    np.testing.assert_allclose(found.forces[~others], expected.forces, atol=1e-9)
    assert np.abs(found.forces[others]).max() == 0.0
    np.testing.assert_allclose(found.virial, expected.virial, atol=1e-6)


def test_heat_flux_of_a_network_is_refused(files, tmp_path):
    with pytest.raises(RuntimeError, match="centroid/stress/atom"):
        lammps_points.points(
            tmp_path,
            files["screened"][1],
            [large()],
            SPECIES,
            after="compute c all centroid/stress/atom NULL pair\n"
            "compute s all reduce sum c_c[1]\nvariable s equal c_s",
            run="thermo_style custom step c_s\nrun 0",
        )
