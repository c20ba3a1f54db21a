"""The checks that openkim.org makes of models, and what else a host may do."""

from __future__ import annotations

import gc
import itertools
import threading
from pathlib import Path

import numpy as np
import pytest

from kim_host import VOIGT, Arguments, Model, Particles, opened, particles
from spline_samples import scattered
from trimpot.contract import Structure
from trimpot.engines.singlepoint import evaluate

KINDS = [("uf23", 1), ("sum", 3)]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """KIM writes its log into the working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(params=KINDS, ids=lambda kind: f"{kind[0]}-{kind[1]}")
def model(request, kim_models):
    return kim_models(*request.param)


def given_of(potential, *, n=6, seed=0, pbc=(True, True, True), margin=0.1):
    structure = scattered(potential.species, n, seed=seed, pbc=pbc)
    return structure, particles(structure, potential.species, potential.cutoff + margin)


def moved(given, coordinates):
    return Particles(
        np.ascontiguousarray(coordinates), given.codes, given.contributing, given.owners
    )


def turn():
    """A rotation about no special axis."""
    rotation, _ = np.linalg.qr(np.random.default_rng(5).normal(size=(3, 3)))
    return rotation * np.sign(np.linalg.det(rotation))


@pytest.mark.parametrize("pbc", list(itertools.product([True, False], repeat=3)))
def test_periodicity_and_parity(model, pbc):
    name, potential = model
    structure, given = given_of(potential, pbc=pbc)
    ours = evaluate(potential, structure)
    n = len(structure)
    with opened(name) as (_, arguments):
        theirs = arguments.compute(given)
    assert theirs.energy == pytest.approx(ours.energy, abs=1e-10 * n)
    np.testing.assert_allclose(theirs.energies[:n], ours.energies, atol=1e-10, rtol=0)
    assert not theirs.energies[n:].any()
    np.testing.assert_allclose(theirs.folded(given), ours.forces, atol=1e-9, rtol=0)
    np.testing.assert_allclose(theirs.virial, -ours.virial[VOIGT], atol=1e-8, rtol=1e-12)
    np.testing.assert_allclose(theirs.virials.sum(axis=0), theirs.virial, atol=1e-8)


def test_a_larger_cell_has_the_same_energy_per_atom(model):
    name, potential = model
    structure, given = given_of(potential)
    doubled = Structure(
        np.tile(structure.numbers, 2),
        np.concatenate([structure.positions, structure.positions + structure.cell[1]]),
        structure.cell * np.array([[1.0], [2.0], [1.0]]),
        structure.pbc,
    )
    more = particles(doubled, potential.species, potential.cutoff + 0.1)
    with opened(name) as (_, arguments):
        once, twice = arguments.compute(given), arguments.compute(more)
    assert twice.energy == pytest.approx(2.0 * once.energy, abs=1e-9)


def test_permutation_of_contributing_particles_and_padding(model):
    name, potential = model
    _, given = given_of(potential)
    order = np.random.default_rng(1).permutation(len(given.codes))
    with opened(name) as (_, arguments):
        plain, mixed = arguments.compute(given), arguments.compute(given.permuted(order))
    assert mixed.energy == pytest.approx(plain.energy, abs=1e-10)
    np.testing.assert_allclose(mixed.forces, plain.forces[order], atol=1e-10, rtol=0)
    np.testing.assert_allclose(mixed.energies, plain.energies[order], atol=1e-10, rtol=0)
    np.testing.assert_allclose(mixed.virials, plain.virials[order], atol=1e-9, rtol=0)


def derivative(function, h=2e-4):
    """The derivative at zero by differences of fourth order."""
    near, far = function(h) - function(-h), function(2 * h) - function(-2 * h)
    return (8.0 * near - far) / (12.0 * h)


def test_forces_are_derivatives_on_padding_too(model):
    name, potential = model
    structure, given = given_of(potential)
    rng = np.random.default_rng(2)
    near = np.linalg.norm(given.coordinates - structure.positions.mean(axis=0), axis=1)
    tried = [*range(3), *rng.choice(np.flatnonzero((near < 5.0) & (given.owners >= 0)), 8)]
    with opened(name) as (_, arguments):
        forces = arguments.compute(given).forces
        for particle, axis in itertools.product(tried, range(3)):

            def energy(step, particle=particle, axis=axis):
                coordinates = given.coordinates.copy()
                coordinates[particle, axis] += step
                return arguments.compute(moved(given, coordinates), virials=False).energy

            assert -derivative(energy) == pytest.approx(
                forces[particle, axis], abs=2e-6, rel=1e-7
            )


def test_virial_is_the_derivative_by_strain(model):
    name, potential = model
    _, given = given_of(potential)
    with opened(name) as (_, arguments):
        virial = arguments.compute(given).virial
        for number, (row, column) in enumerate(zip(*VOIGT, strict=True)):

            def energy(step, row=row, column=column):
                strain = np.zeros((3, 3))
                strain[row, column] += 0.5 * step
                strain[column, row] += 0.5 * step
                coordinates = given.coordinates @ (np.eye(3) + strain)
                return arguments.compute(moved(given, coordinates), virials=False).energy

            assert derivative(energy) == pytest.approx(virial[number], abs=2e-5, rel=1e-7)


def dimer(potential, a, b, r):
    numbers = np.array([potential.species[a], potential.species[b]], dtype=np.int32)
    positions = np.array([[0.3, -0.2, 0.1], [0.3, -0.2, 0.1 + r]])
    away = np.zeros(3, dtype=bool)
    structure = Structure(numbers, positions, np.zeros((3, 3)), away)
    return particles(structure, potential.species, potential.cutoff)


def test_dimers_are_continuous_up_to_their_end(model):
    name, potential = model
    last = len(potential.species) - 1
    distances = np.linspace(1.0, potential.cutoff + 0.5, 1500)
    h = distances[1] - distances[0]
    with opened(name) as (_, arguments):
        found = [
            arguments.compute(dimer(potential, 0, last, r), virials=False)
            for r in distances
        ]
    energies = np.array([one.energy for one in found])
    forces = np.array([one.forces[1, 2] for one in found])
    trapezoid = -0.5 * h * (forces[1:] + forces[:-1])
    np.testing.assert_allclose(np.diff(energies), trapezoid, atol=5e-4, rtol=1e-3)
    beyond = distances > potential.cutoff
    assert np.ptp(energies[beyond]) == 0.0
    assert not forces[beyond].any()
    just_below = energies[~beyond][-1] - energies[beyond][0]
    assert abs(just_below) < 1e-6


def test_objectivity_and_inversion(model):
    name, potential = model
    _, given = given_of(potential)
    rotation = turn()
    with opened(name) as (_, arguments):
        plain = arguments.compute(given)
        turned = arguments.compute(
            moved(given, given.coordinates @ rotation + [5.0, -70.0, 300.0])
        )
        inverted = arguments.compute(moved(given, -given.coordinates))
    assert turned.energy == pytest.approx(plain.energy, abs=1e-9)
    np.testing.assert_allclose(turned.forces, plain.forces @ rotation, atol=1e-9)
    assert inverted.energy == pytest.approx(plain.energy, abs=1e-9)
    np.testing.assert_allclose(inverted.forces, -plain.forces, atol=1e-9)


@pytest.mark.parametrize(
    ("length", "energy", "angstrom", "ev"),
    [  # what KIM 2.3 takes them for (CODATA 2014)
        ("nm", "J", 0.1, 1.6021766208e-19),
        ("Bohr", "Hartree", 1.0 / 0.52917721067, 1.0 / 27.21138602),
        ("m", "kcal_mol", 1e-10, 23.06054788),
    ],
)
def test_units_that_a_simulator_asks_for(model, length, energy, angstrom, ev):
    name, potential = model
    _, given = given_of(potential)
    with opened(name) as (_, arguments):
        plain = arguments.compute(given)
    with opened(name, length=length, energy=energy) as (other, arguments):
        assert other.influence == pytest.approx(potential.cutoff * angstrom, rel=1e-9)
        converted = arguments.compute(moved(given, given.coordinates * angstrom))
    close = {"rtol": 1e-6, "atol": 0.0}
    assert converted.energy == pytest.approx(plain.energy * ev, rel=1e-6)
    np.testing.assert_allclose(converted.energies, plain.energies * ev, **close)
    strong = np.abs(plain.forces) > 1e-3
    np.testing.assert_allclose(
        converted.forces[strong], (plain.forces * ev / angstrom)[strong], **close
    )
    np.testing.assert_allclose(converted.virial, plain.virial * ev, rtol=1e-6)


def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def test_no_memory_is_lost(kim_models):
    name, potential = kim_models("uf23", 1)
    _, given = given_of(potential)

    def cycle(times):
        for _ in range(times):
            with opened(name) as (_, arguments):
                arguments.compute(given)
        gc.collect()
        return resident()

    before = cycle(30)
    assert cycle(150) - before < 150 * 2048  # less than half a page a time


def test_threads_share_a_model(model):
    name, potential = model
    tasks = [given_of(potential, n=4 + k, seed=k)[1] for k in range(8)]
    with opened(name) as (shared, arguments):
        expected = [arguments.compute(given).forces for given in tasks]
        found = [None] * len(tasks)

        def work(k):
            mine = Arguments(shared)
            for turn in range(20):
                found[k] = mine.compute(tasks[(k + turn) % len(tasks)]).forces
            mine.close()

        threads = [threading.Thread(target=work, args=(k,)) for k in range(len(tasks))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for k, forces in enumerate(found):
        np.testing.assert_allclose(forces, expected[(k + 19) % len(tasks)], atol=1e-10)


def test_one_set_of_arguments_follows_whatever_happens(model):
    """Small steps, jumps, other atoms, other flags, none at all, in one life."""
    name, potential = model
    rng = np.random.default_rng(4)
    _, first = given_of(potential, margin=2.0)
    _, second = given_of(potential, n=9, seed=7, margin=1.0)
    history = [first]
    for _ in range(15):
        history.append(moved(first, history[-1].coordinates + rng.normal(0, 0.05, (1, 3))))
        shaken = history[-1].coordinates + rng.normal(0, 0.05, first.coordinates.shape)
        history.append(moved(first, shaken))
    last = history[-1]
    swapped = last.codes[::-1].copy()
    flags = last.contributing[::-1].copy()
    history += [
        second,
        first,
        moved(first, first.coordinates[::-1]),
        Particles(last.coordinates, swapped, last.contributing, last.owners),
        Particles(last.coordinates, swapped, flags, last.owners),
        Particles(last.coordinates, swapped, np.zeros_like(flags), last.owners),
        Particles(*(getattr(last, f)[:0] for f in last.__dataclass_fields__)),
        second,
    ]
    with opened(name) as (shared, arguments):
        for given in history:
            fresh = Arguments(shared)
            one, other = arguments.compute(given), fresh.compute(given)
            fresh.close()
            np.testing.assert_allclose(one.energies, other.energies, atol=1e-9, rtol=1e-10)
            np.testing.assert_allclose(one.forces, other.forces, atol=1e-9, rtol=1e-10)


def test_skin_changes_nothing_and_precision_little(kim_models):
    name, potential = kim_models("sum", 3)
    _, given = given_of(potential)
    with opened(name) as (shared, arguments):
        plain = arguments.compute(given)
        for skin in (0.0, 0.4, 3.0):
            shared.set_parameter("skin", skin)
            other = arguments.compute(given)
            np.testing.assert_allclose(other.forces, plain.forces, atol=1e-10)
        shared.set_parameter("mixed", 1)
        single = arguments.compute(given, virials=False)
        off = np.abs(single.forces - plain.forces).max()
        assert 0.0 < off < 1e-4 * max(1.0, np.abs(plain.forces).max() / 10.0)
        for parameter, value in (("skin", -1.0), ("mixed", 2)):
            with pytest.raises(RuntimeError, match="refresh"):
                shared.set_parameter(parameter, value)


def test_species_are_those_of_the_potential(kim_models):
    name, _ = kim_models("sum", 3)
    with opened(name) as (model, _):
        codes = [model.code(s) for s in ("Si", "Ge", "W", "Te")]
    assert codes == [0, 1, 2, None]


def test_what_is_not_finite_stops_the_run_with_a_reason(kim_models, folder):
    name, potential = kim_models("uf23", 1)
    _, given = given_of(potential)
    coordinates = given.coordinates.copy()
    coordinates[2, 1] = np.nan
    with opened(name) as (_, arguments):
        with pytest.raises(RuntimeError, match="compute"):
            arguments.compute(moved(given, coordinates))
        again = arguments.compute(given)
    assert np.isfinite(again.forces).all()
    assert "finite" in (folder / "kim.log").read_text()


def test_two_models_at_a_time(kim_models):
    (one, _), (other, potential) = kim_models("uf23", 1), kim_models("sum", 3)
    _, given = given_of(potential)
    first = Model(one)
    with opened(other) as (_, arguments):
        energy = arguments.compute(given).energy
        first.close()
        assert arguments.compute(given).energy == energy
