"""The network as a potential: derivatives, extensivity, batches, followers."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="networks need PyTorch")

from network_samples import (  # noqa: E402
    SPECIES,
    TINY,
    core,
    narrow,
    network,
    structures,
    unscreened,
)
from trimpot.contract import FollowingPotential, Potential, Structure  # noqa: E402
from trimpot.engines.following import fastest_precision, follow  # noqa: E402
from trimpot.engines.singlepoint import evaluate  # noqa: E402
from trimpot.envelopes import EnvelopeSettings  # noqa: E402
from trimpot.errors import InputError, NonFiniteResultError  # noqa: E402
from trimpot.neighbors import neighborhood  # noqa: E402
from trimpot.networks import potential as potential_module  # noqa: E402
from trimpot.networks.autograd import AutogradNetwork, restored  # noqa: E402
from trimpot.networks.compiled import CompiledNetwork  # noqa: E402
from trimpot.networks.lists import edge_lists  # noqa: E402

torch.set_num_threads(1)

KINDS = ("screened", "not screened", "with a core")


@pytest.fixture(scope="module")
def kinds():
    return {
        "screened": network(narrow(radial="cosine")),
        "not screened": network(unscreened()),
        "with a core": network(TINY, prior=core()),
    }


def energy(potential, structure):
    return evaluate(potential, structure, threads=1).energy


def moved(structure, positions=None, strain=None):
    x = structure.positions if positions is None else positions
    f = np.eye(3) + (0.0 if strain is None else strain)
    return Structure(structure.numbers, x @ f, structure.cell @ f, structure.pbc)


def slope(function, h=1e-4):
    """Central difference, of fourth order."""
    near, far = (function(k * h) - function(-k * h) for k in (1, 2))
    return (8.0 * near - far) / (12.0 * h)


def test_it_is_a_potential(kinds):
    assert isinstance(kinds["screened"], Potential)
    assert isinstance(kinds["screened"], FollowingPotential)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("number", [0, 1])
def test_forces_are_slopes_of_the_energy(kinds, kind, number):
    potential, structure = kinds[kind], structures()[number]
    found = evaluate(potential, structure, threads=1)
    assert np.abs(found.forces).max() > 0.1
    for atom, axis in [(0, 0), (2, 1), (3, 2)]:
        step = np.zeros_like(structure.positions)
        step[atom, axis] = 1.0

        def shifted(h, step=step):
            return energy(potential, moved(structure, structure.positions + h * step))

        assert found.forces[atom, axis] == pytest.approx(-slope(shifted), abs=2e-7)
    assert np.abs(found.forces.sum(axis=0)).max() < 1e-10


@pytest.mark.parametrize("kind", KINDS)
def test_virial_is_the_slope_with_strain(kinds, kind):
    potential, structure = kinds[kind], structures()[0]
    found = evaluate(potential, structure, threads=1).virial
    for a, b in [(0, 0), (1, 2), (2, 1)]:
        unit = np.zeros((3, 3))
        unit[a, b] = 1.0

        def strained(h, unit=unit):
            return energy(potential, moved(structure, strain=h * unit))

        assert found[a, b] == pytest.approx(-slope(strained), abs=2e-6)
    assert np.abs(found - found.T).max() < 1e-9


def test_supercell_repeats_energies_and_forces(kinds):
    potential, one = kinds["with a core"], structures()[0]
    images = [np.array([a, b, 0]) @ one.cell for a in range(2) for b in range(2)]
    many = Structure(
        np.tile(one.numbers, 4),
        np.concatenate([one.positions + shift for shift in images]),
        one.cell * np.array([[2.0], [2.0], [1.0]]),
        one.pbc,
    )
    small, large = (evaluate(potential, s, threads=1) for s in (one, many))
    np.testing.assert_allclose(large.energies, np.tile(small.energies, 4), rtol=1e-11)
    np.testing.assert_allclose(large.forces, np.tile(small.forces, (4, 1)), atol=1e-10)
    np.testing.assert_allclose(large.virial, 4.0 * small.virial, atol=1e-9)


def test_an_atom_alone_has_its_own_energy(kinds):
    alone = Structure(
        np.array(SPECIES, np.int32),
        np.array([[0.0, 0, 0], [50.0, 0, 0]]),
        np.zeros((3, 3)),
        np.zeros(3, bool),
    )
    found = evaluate(kinds["with a core"], alone, threads=1)
    np.testing.assert_allclose(found.energies, kinds["with a core"].e0s, atol=1e-12)
    assert np.abs(found.forces).max() == 0.0


def test_the_prior_is_added(kinds):
    structure = structures()[1]
    both, own = kinds["with a core"], replace(kinds["with a core"], prior=None)
    parts = [evaluate(p, structure, threads=1) for p in (both, own, core())]
    assert parts[2].energy > 0.1
    np.testing.assert_allclose(
        parts[0].energies, parts[1].energies + parts[2].energies, rtol=1e-13
    )
    np.testing.assert_allclose(
        parts[0].forces, parts[1].forces + parts[2].forces, atol=1e-12
    )


@pytest.mark.parametrize("at_once", [1, 150, 10**6])
def test_batches_say_what_single_structures_do(kinds, at_once, monkeypatch):
    monkeypatch.setattr(potential_module, "EDGES_AT_ONCE", at_once)
    potential = kinds["with a core"]
    several = [*structures(), moved(structures()[0], strain=0.03 * np.eye(3))]
    found = potential.evaluate_many(several, threads=1)
    for structure, batched in zip(several, found, strict=True):
        one = evaluate(potential, structure, threads=1)
        np.testing.assert_allclose(batched.energies, one.energies, rtol=1e-12)
        np.testing.assert_allclose(batched.forces, one.forces, atol=1e-11)
        np.testing.assert_allclose(batched.virial, one.virial, atol=1e-10)


def test_followers_keep_lists_and_agree(kinds):
    potential, structure = kinds["with a core"], structures()[0]
    follower = follow(potential, skin=0.6, threads=1)
    rng = np.random.default_rng(5)
    for _ in range(4):
        step = 0.03 * rng.normal(size=structure.positions.shape)
        structure = moved(structure, structure.positions + step)
        expected = evaluate(potential, structure, threads=1)
        found = follower.evaluate(structure)
        np.testing.assert_allclose(found.energies, expected.energies, rtol=1e-11)
        np.testing.assert_allclose(found.forces, expected.forces, atol=1e-9)
        np.testing.assert_allclose(found.virial, expected.virial, atol=1e-9)
    assert follower.builds == 1


def test_single_precision_is_close_and_is_offered(kinds):
    double = kinds["with a core"]
    single = replace(double, precision="float32")
    assert fastest_precision(single) == "mixed"
    structure = structures()[0]
    exact, near = (evaluate(p, structure, threads=1) for p in (double, single))
    assert near.forces.dtype == np.float64
    np.testing.assert_allclose(near.energies, exact.energies, rtol=1e-5)
    np.testing.assert_allclose(near.forces, exact.forces, atol=1e-4)
    mixed = follow(double, precision="mixed", threads=1).evaluate(structure)
    np.testing.assert_allclose(mixed.forces, near.forces, atol=1e-5)


def test_unknown_elements_are_refused(kinds):
    structure = structures()[1]
    other = replace(structure, numbers=np.full(5, 6, np.int32))
    with pytest.raises(InputError, match="found C, but this potential describes only Si"):
        kinds["screened"].evaluate(neighborhood(other, kinds["screened"].cutoff))


def test_coincident_atoms_are_an_error_that_names_one(kinds):
    structure = structures()[1]
    positions = structure.positions.copy()
    positions[1] = positions[0]
    around = neighborhood(moved(structure, positions), kinds["screened"].cutoff)
    with pytest.raises(NonFiniteResultError, match="atom 0"):
        kinds["screened"].evaluate(around, threads=1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"e0s": np.zeros(1)}, "isolated-atom energies"),
        ({"scale": 0.0}, "scale: found 0.0"),
        ({"mean_weight": np.nan}, "mean_weight"),
        ({"precision": "float16"}, "precision"),
        ({"state": {"embedding": np.array([np.nan], np.float32)}}, "embedding"),
        ({"species": (6, 14)}, "prior of elements"),
    ],
)
def test_parts_that_do_not_fit_are_refused(kinds, changes, message):
    with pytest.raises(InputError, match=message):
        replace(kinds["with a core"], **changes)


def test_weights_of_another_network_are_refused(kinds):
    other = replace(kinds["screened"], settings=replace(TINY, layers=1))
    with pytest.raises(InputError, match=r"weights layers\.1.* expected none"):
        energy(other, structures()[1])


def compiled_and_torch(potential, precision="float64"):
    given = potential.settings, SPECIES, potential.state
    scales = {"mean_weight": potential.mean_weight, "scale": potential.scale}
    model = restored(*given, **scales, precision="float64")
    compiled = CompiledNetwork(*given, **scales, precision=precision)
    return compiled, AutogradNetwork(model)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_the_compiled_network_is_the_one_of_torch(kinds, kind, precision):
    potential = kinds[kind]
    compiled, network_of_torch = compiled_and_torch(potential, precision)
    bound = {"float64": 1e-11, "float32": 2e-5}[precision]
    around = [neighborhood(s, potential.cutoff + 0.5) for s in structures()]
    for some in (around, around[:1], around[1:]):
        lists = edge_lists(some, SPECIES, potential.reach)
        expected = network_of_torch.evaluate(lists, threads=1)
        several = [compiled.evaluate(lists, threads=1)]
        if len(some) == 1:
            several.append(compiled.evaluate_neighborhood(some[0], threads=1))
        for found in several:
            for name in ("energies", "forces", "virials"):
                wanted = getattr(expected, name)
                error = np.abs(getattr(found, name) - wanted).max()
                assert error < bound * np.abs(wanted).max()


@pytest.mark.parametrize(
    "changes",
    [
        {"l_max": 0, "channels": 6},
        {"l_max": 3, "correlation": 3, "layers": 1},
        {"pooling": ("mean",), "gate": False},
        {"attention": False, "radial": "polynomial"},
        {"envelope": EnvelopeSettings(combine="softmin", switch="quintic", c_max=2.6)},
        {"envelope": EnvelopeSettings(switch="meam", inner=1.5, outer=2.9)},
    ],
)
def test_other_networks_are_compiled_as_they_are(changes):
    potential = network(replace(TINY, **changes))
    compiled, network_of_torch = compiled_and_torch(potential)
    around = [neighborhood(s, potential.cutoff) for s in structures()]
    lists = edge_lists(around, SPECIES, potential.reach)
    found, expected = (n.evaluate(lists, threads=1) for n in (compiled, network_of_torch))
    np.testing.assert_allclose(found.energies, expected.energies, atol=1e-12)
    np.testing.assert_allclose(found.forces, expected.forces, atol=1e-10)
    np.testing.assert_allclose(found.virials, expected.virials, atol=1e-9)


def test_results_do_not_depend_on_the_number_of_threads():
    potential = network(TINY)
    rng = np.random.default_rng(8)
    positions = rng.uniform(0.0, 26.0, (1100, 3))
    large = Structure(
        rng.choice(SPECIES, 1100).astype(np.int32),
        positions,
        26.0 * np.eye(3),
        np.ones(3, bool),
    )
    one, two, three = (evaluate(potential, large, threads=n) for n in (1, 2, 3))
    for other in (two, three):
        np.testing.assert_allclose(other.forces, one.forces, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(other.virial, one.virial, rtol=1e-9)
    assert np.abs(one.forces.sum(axis=0)).max() < 1e-7 * np.abs(one.forces).max()


def test_threads_give_the_same_bits_every_time():
    potential = network(precision="float32")
    rng = np.random.default_rng(9)
    species = rng.choice(SPECIES, 300).astype(np.int32)
    box, periodic = 16.0 * np.eye(3), np.ones(3, bool)
    large = Structure(species, rng.uniform(0.0, 16.0, (300, 3)), box, periodic)
    around = neighborhood(large, potential.cutoff)
    first, *others = [potential.evaluate(around, threads=3) for _ in range(4)]
    for other in others:
        assert np.array_equal(first.forces, other.forces)
        assert np.array_equal(first.energies, other.energies)


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_what_is_no_number_is_an_error(precision):
    potential = network(precision=precision)
    around = neighborhood(structures()[1], potential.cutoff)
    positions = around.positions.copy()
    positions[1, 2] = np.nan
    with pytest.raises(NonFiniteResultError):
        potential.evaluate(replace(around, positions=positions))


def test_poolings_are_few_and_known():
    with pytest.raises(InputError, match=r"pooling: found .*, expected 1 to 8 of sum"):
        replace(TINY, channels=9, pooling=("sum",) * 9)
    with pytest.raises(InputError, match="pooling"):
        replace(TINY, pooling=("sum", "maximum"))
