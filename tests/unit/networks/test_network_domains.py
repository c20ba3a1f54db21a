"""Networks as simulation programs run them: local atoms, ghosts, features handed on."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="random weights come from PyTorch networks")

import api_host  # noqa: E402
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
from trimpot.files import save  # noqa: E402

NETWORKS = {
    "screened": lambda: network(narrow(radial="cosine")),
    "not screened": lambda: network(unscreened(l_max=2)),
    "with a core": lambda: network(TINY, prior=core()),
    "one layer": lambda: network(narrow(layers=1)),
    "three layers": lambda: network(narrow(layers=3)),
    "no attention, no gate": lambda: network(
        unscreened(attention=False, gate=False, pooling=("mean",))
    ),
}


def slab():
    one = structures()[0]
    return Structure(one.numbers, one.positions, one.cell, np.array([True, False, True]))


STRUCTURES = {
    "small triclinic cell": lambda: structures()[0],
    "cluster": lambda: structures()[1],
    "slab": slab,
}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder, made = tmp_path_factory.mktemp("networks"), {}
    for number, (name, make) in enumerate(NETWORKS.items()):
        potential, path = make(), folder / f"{number}.trimpot"
        save(potential, path)
        made[name] = potential, path
    return made


def domain(path, how, **changes):
    """A domain and how far its ghosts must reach."""
    made = api_host.Domain(path, **changes)
    if how == "exchange":
        return made.exchanges_features(), api_host.cutoff(path)
    return made.has_wide_ghosts(), api_host.influence_distance(path)


def moved(structure, seed, by):
    step = by * np.random.default_rng(seed).uniform(-1.0, 1.0, structure.positions.shape)
    return replace(structure, positions=structure.positions + step / np.sqrt(3.0))


@pytest.mark.parametrize("how", ["exchange", "wide ghosts"])
@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("name", NETWORKS)
def test_ghosts_of_either_kind_give_what_periods_give(files, name, structure, how):
    (potential, path), structure = files[name], STRUCTURES[structure]()
    one, distance = domain(path, how)
    one.build(structure, SPECIES, distance)
    for step in range(2):
        structure = moved(structure, step, 0.09)
        energies, forces, virial, of_atoms = one.evaluate(structure)
        expected = evaluate(potential, structure, threads=1)
        assert np.abs(expected.forces).max() > 0.01
        np.testing.assert_allclose(energies, expected.energies, rtol=0, atol=1e-11)
        np.testing.assert_allclose(forces, expected.forces, rtol=0, atol=1e-10)
        np.testing.assert_allclose(virial, expected.virial, rtol=0, atol=1e-9)
        np.testing.assert_allclose(of_atoms.sum(axis=0), virial, rtol=0, atol=1e-9)
    assert one.builds == 1
    calls = 2 * (potential.settings.layers - 1) if how == "exchange" else 0
    assert one.exchanges == 2 * 2 * calls


def test_features_are_a_row_of_components_and_channels(files):
    potential, path = files["not screened"]
    for mixed, size in ((True, 4), (False, 8)):
        one, _ = domain(path, "exchange", mixed=mixed)
        assert one.exchanged_bytes == size * (potential.settings.l_max + 1) ** 2 * 16
    assert domain(files["one layer"][1], "exchange")[0].exchanged_bytes == 0


def test_wide_ghosts_are_needed_as_far_as_they_reach(files):
    potential, path = files["not screened"]
    settings, structure = potential.settings, structures()[0]
    distance = api_host.influence_distance(path)
    assert distance == pytest.approx(settings.layers * settings.cutoff)
    found = [
        domain(path, "wide ghosts", skin=0.0)[0].build(structure, SPECIES, d)
        for d in (distance, settings.cutoff)
    ]
    near, far = (one.evaluate(structure)[0] for one in reversed(found))
    expected = evaluate(potential, structure, threads=1).energies
    np.testing.assert_allclose(far, expected, rtol=0, atol=1e-11)
    assert np.abs(near - expected).max() > 1e-4


def test_lists_are_built_anew_before_they_lack_a_pair(files):
    potential, path = files["with a core"]
    structure = structures()[0]
    one, distance = domain(path, "exchange", skin=0.4)
    one.build(structure, SPECIES, distance + 1.0)
    shift = np.zeros_like(structure.positions)
    shift[0] = 0.21, 0.0, 0.0
    structure = replace(structure, positions=structure.positions + shift)
    energies, forces, *_ = one.evaluate(structure)
    assert one.builds == 2
    expected = evaluate(potential, structure, threads=1)
    np.testing.assert_allclose(energies, expected.energies, rtol=0, atol=1e-11)
    np.testing.assert_allclose(forces, expected.forces, rtol=0, atol=1e-10)


@pytest.mark.parametrize("how", ["exchange", "wide ghosts"])
def test_single_precision_is_close_and_threads_change_little(files, how):
    potential, path = files["three layers"]
    structure = structures()[0]
    results = {}
    for mixed, threads in ((False, 1), (False, 2), (True, 1)):
        one, distance = domain(path, how, mixed=mixed, threads=threads)
        results[mixed, threads] = one.build(structure, SPECIES, distance).evaluate(
            structure
        )
    expected = evaluate(potential, structure, threads=1)
    for (mixed, _), (energies, forces, *_) in results.items():
        bound = 1e-5 if mixed else 1e-12
        largest = np.abs(expected.forces).max()
        assert np.abs(energies - expected.energies).max() < bound * 10.0
        assert np.abs(forces - expected.forces).max() < bound * 10.0 * largest


def test_what_cannot_be_right_is_refused(files):
    structure = structures()[0]
    with pytest.raises(RuntimeError, match=r"3 layers of messages.*set_exchange"):
        api_host.Domain(files["three layers"][1]).build(structure, SPECIES, 4.0)
    one = api_host.Domain(files["one layer"][1]).build(structure, SPECIES, 4.0)
    with pytest.raises(RuntimeError, match="virials by receiver"):
        one.heat_flux_virials(structure)


@pytest.mark.parametrize("how", ["exchange", "wide ghosts"])
def test_a_number_that_is_none_is_noticed(files, how):
    structure = structures()[0]
    one, distance = domain(files["with a core"][1], how)
    positions = structure.positions.copy()
    positions[1] = positions[0]
    together = replace(structure, positions=positions)
    one.build(together, SPECIES, distance)
    with pytest.raises(RuntimeError, match="not a finite number: atoms may be too close"):
        one.evaluate(together)


def test_a_program_that_cannot_exchange_is_told(files, monkeypatch):
    monkeypatch.setattr(api_host.Domain, "_spread", lambda *_: 1)
    one, distance = domain(files["screened"][1], "exchange")
    one.build(structures()[0], SPECIES, distance)
    with pytest.raises(RuntimeError, match="could not exchange features"):
        one.evaluate(structures()[0])
