"""Which anchors are chosen, what they demand, and that the demands reach the solve."""

from dataclasses import replace

import numpy as np
import pytest

from fitting_samples import PAIR, TRIPLET, labelled_frames, model_of
from spline_samples import profile_of
from toy_potentials import Morse, crystal
from trimpot.contract import Structure
from trimpot.data import Frame
from trimpot.elements import covalent_radius
from trimpot.engines.singlepoint import evaluate
from trimpot.fitting import FitSettings, Model, QuantityWeights
from trimpot.fitting.anchor_choice import ELEMENT_LATTICES, anchor_paths
from trimpot.fitting.anchor_frames import AT_REST, DOUBT, groups_of
from trimpot.fitting.anchors import MOST_ROWS, anchors, binding_rows, inequalities_of
from trimpot.fitting.crowding import REACH, SOFTNESS, crowding
from trimpot.fitting.fit import gather, refit
from trimpot.fitting.paths import (
    LATTICES,
    approaching,
    bending,
    cluster,
    compressed,
    expanded,
    lattice,
    repeated,
    repelling,
    scaled,
)
from trimpot.neighbors import neighborhood
from trimpot.splines.core import CoreSettings
from trimpot.splines.one_body import OneBody
from trimpot.splines.potential import SplinePotential

W = (74,)
NEIGHBOURS = {"fcc": 12, "bcc": 8, "sc": 6, "diamond": 4, "CsCl": 8, "NaCl": 6, "ZnS": 4}


def labelled(structure, **labels):
    found = evaluate(Morse(), structure, threads=1)
    return Frame(structure, found.energy, found.forces, **labels)


def tungsten(scales, number=74):
    return [
        labelled(crystal(1, 3.1 * s, 0.01, number, seed=k)) for k, s in enumerate(scales)
    ]


def paths_of(frames, species=W, e0s=(-2.0,), reach=5.0):
    found = anchor_paths(frames, species, np.array(e0s), reach=reach, threads=1)
    return {p.name: p for p in found}


def lengths(path):
    return [abs(np.linalg.det(s.cell)) ** (1 / 3) for s in path.structures]


@pytest.mark.parametrize("name", LATTICES)
def test_lattices_have_their_neighbours_at_unit_distance(name):
    structure = lattice(name, (14, 74))
    near = neighborhood(structure, 1.05)
    i = np.repeat(np.arange(near.n_local), np.diff(near.first))
    r = np.linalg.norm(near.positions[near.neighbors] - near.positions[i], axis=1)
    assert np.allclose(r, 1.0)
    assert (np.diff(near.first) == NEIGHBOURS[name]).all()
    if len(structure) == 2:
        assert (near.numbers[near.neighbors] != near.numbers[i]).all()


def test_compression_demands_rising_pressure_and_then_rising_energy():
    path = compressed("x", lattice("sc", W), 1.0, 0.5)
    v = np.array([s.volume for s in path.structures])
    assert (np.diff(v) < 0.0).all()
    assert v[-1] == pytest.approx(0.125)
    assert (path.demands @ (1.0 / v) > 0.0).all()
    assert (path.demands @ -v >= -1e-9).all()
    assert (path.demands @ v < 0.0).any(), "falling energy"
    plateau = np.minimum(-v, -v[3])
    assert (path.demands @ plateau < -1e-9).any(), "pressure falls at once"
    softer, flat = (-v - (1.0 - kept) * np.maximum(v[-5] - v, 0.0) for kept in (0.6, 0.0))
    assert (path.demands @ softer >= -1e-9).all(), "far away pressure may fall, by half"
    assert (path.demands @ flat < -1e-9).any(), "but not to nothing"


def test_about_rest_only_the_bulk_modulus_is_positive():
    path = bending("x", lattice("sc", W), 1.12, 0.9)
    v = np.array([s.volume for s in path.structures])
    assert path.many_body
    assert (path.demands @ (v - 1.0) ** 2 >= -1e-9).all(), "one well, wherever"
    assert (path.demands @ (v - 1.3) ** 2 >= -1e-9).all()
    two_wells = np.minimum((v - 1.0) ** 2, (v - 1.3) ** 2)
    assert (path.demands @ two_wells < -1e-9).any()


def test_pairs_alone_are_not_asked_for_bulk_moduli_of_unknown_crystals():
    frames, reach = tungsten((0.98, 1.0, 1.02)), 4.5
    terms = tuple(s.build(W, profile_of(W, 1.9)) for s in (PAIR, TRIPLET))
    pairs, more = (
        Model(W, t, np.array([-2.0]), refine_e0s=False) for t in (terms[:1], terms)
    )
    asked = [p for p in paths_of(frames, reach=reach).values() if p.many_body]
    assert {p.name for p in asked} == {f"{x} W about rest" for x in ELEMENT_LATTICES}
    fewer, all_of_them = (len(anchors(m, frames, threads=1)) for m in (pairs, more))
    assert all_of_them - fewer == sum(len(p.demands) for p in asked)


def test_expansion_demands_rising_energy_up_to_isolated_atoms():
    path = expanded("x", lattice("sc", W), 1.2, 3.0)
    v = np.array([s.volume for s in path.structures])
    assert (path.demands @ (-1.0 / v) > 0.0).all()
    assert (path.demands @ (1.0 - 1.0 / v)).min() < 0.0, "above isolated atoms"
    assert (path.demands @ np.sin(v)).min() < 0.0


def test_atoms_move_towards_each_other():
    dimer = cluster((74, 74), np.array([[0.0, 0.0, 0.0], [2.0, 0.0, 0.0]]))
    path = repelling("x", dimer, 1.0, 0.5)
    r = [s.positions[1, 0] for s in path.structures]
    assert (r[0], r[-1]) == (2.0, 1.0)
    block = repeated(scaled(lattice("bcc", W), 2.7), 8)
    assert len(block) == 8
    bond = np.array([1.0, 1.0, 1.0]) * 2.7 / 3**0.5
    path = approaching("x", block, 0, bond, 2.0, 0.5)
    for s in (path.structures[0], path.structures[-1]):
        near = neighborhood(s, 4.0)
        mine = near.neighbors[: near.first[1]]
        closest = np.linalg.norm(near.positions[mine] - near.positions[0], axis=1).min()
        assert closest == pytest.approx(2.0 if s is path.structures[0] else 0.5)
    assert np.array_equal(path.demands, np.diff(np.eye(len(path.structures)), axis=0))


def test_crowding_is_that_of_bond_valences():
    structure = crystal(1, 3.16, 0.05, 74, seed=1)
    radius = 2 * covalent_radius(74)
    near = neighborhood(structure, radius + REACH)
    i = np.repeat(np.arange(near.n_local), np.diff(near.first))
    r = np.linalg.norm(near.positions[near.neighbors] - near.positions[i], axis=1)
    w = np.exp(-(r - radius) / SOFTNESS)
    v, w2 = (np.bincount(i, weights=x) for x in (w, w * w))
    found = crowding([structure], (14, 74), threads=1)
    assert found.valence[0] == pytest.approx(v.mean(), rel=0.06)
    assert found.coordination[0] == pytest.approx(np.mean(v * v / w2), rel=0.1)


def test_pauling_finds_the_bonds_of_silicon_in_other_lattices():
    """Diamond at 2.35 A; calculations give 2.5 to 2.55 A for sc and 2.7 to 2.75 for fcc."""
    r = np.arange(2.0, 3.2, 0.01)
    rest = crowding([scaled(lattice("diamond", (14,)), 2.35)], (14,), threads=1).valence
    for name, low, high in (("sc", 2.45, 2.6), ("fcc", 2.65, 2.85)):
        v = crowding([scaled(lattice(name, (14,)), x) for x in r], (14,), threads=1).valence
        assert low < np.interp(-rest[0], -v, r) < high


def test_the_lowest_of_the_small_frames_and_crystals_are_chosen():
    frames = tungsten((0.94, 1.0, 1.04))
    large = labelled(crystal(4, 3.1, 0.0, 74, seed=3))
    paths = paths_of([*frames, large])
    assert {"dimer W-W", "triangle W-W-W", "line W-W-W"} <= set(paths)
    assert {f"{x} W compressed" for x in ("lowest", "fcc", "bcc", "sc", "diamond")} <= set(
        paths
    )
    (group,) = groups_of(frames, W, np.array([-2.0]), threads=1).values()
    energies = [f.energy for f in frames]
    assert group.examples[0].structure is frames[int(np.argmin(energies))].structure
    start = lengths(paths["lowest W expanded"])[0]
    rest = group.examples[0].structure.volume ** (1 / 3)
    assert start >= AT_REST[1] * rest * 0.999
    assert lengths(paths["lowest W expanded"])[-1] / rest * 2.6 > 5.0, "beyond the cutoff"


def test_nothing_is_asked_where_frames_of_the_composition_are():
    few = paths_of(tungsten((0.88, 0.9, 0.92)))
    wide = paths_of(tungsten((0.75, 0.82, 0.9, 1.0, 1.1)))
    for name in ("bcc W", "fcc W"):
        near, far = (lengths(p[f"{name} compressed"])[0] for p in (few, wide))
        assert far < 0.95 * near
        assert f"{name} about rest" in few
        assert f"{name} about rest" not in wide, "data say what it does"
        near, far = (lengths(p[f"{name} expanded"])[0] for p in (few, wide))
        assert far > 1.05 * near


def test_less_is_asked_on_a_side_without_other_volumes():
    """Rest may lie beyond: frames of one volume do not say where."""
    both, dense, sparse = (
        groups_of(tungsten(scales), W, None)[((74, 1),)]
        for scales in ((0.87, 0.9, 0.93), (0.9, 0.95), (0.85, 0.9))
    )
    assert both.doubt == (1.0, 1.0)
    assert dense.doubt == (DOUBT, 1.0)
    assert sparse.doubt == (1.0, 1.0 / DOUBT)


def test_unbound_frames_are_not_asked_to_rise_on_expansion():
    frames = tungsten((0.98, 1.0, 1.02))
    assert any("expanded" in name for name in paths_of(frames))
    assert not any("expanded" in name for name in paths_of(frames, e0s=(-100.0,)))
    found = anchor_paths(frames, W, None, reach=5.0, threads=1)
    assert any("expanded" in p.name for p in found), "E0s that are fitted can rise"


def test_without_energies_only_closing_in_is_asked():
    bare = [replace(f, energy=None) for f in tungsten((0.98, 1.02))]
    paths = paths_of(bare)
    assert {"dimer W-W", "bcc W", "diamond W"} <= set(paths)
    assert not any("expanded" in n or "lowest" in n for n in paths)


def test_frames_without_weight_are_no_anchors():
    frames = [replace(f, config_type="good") for f in tungsten((0.98, 1.0, 1.02))]
    odd = replace(tungsten((0.6,))[0], energy=-1e3, config_type="odd")
    model, settings = (
        model_of(PAIR),
        FitSettings(weights={"odd": QuantityWeights(energy=0)}),
    )
    good = replace(odd, config_type="good")
    expected = anchors(model, [*frames, replace(good, energy=None)], threads=1)
    found = gather(model, [*frames, odd], settings, threads=1).anchors
    trusting = gather(model, [*frames, good], FitSettings(), threads=1).anchors
    assert np.array_equal(found.rows, expected.rows)
    assert found.rows.shape != trusting.rows.shape or not np.allclose(
        found.rows, trusting.rows
    )


def test_rows_are_energies_above_isolated_atoms():
    model = model_of(PAIR, TRIPLET)
    structures = [f.structure for f in labelled_frames(3)]
    structures.append(cluster((14, 74), np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 2.1]])))
    rows = binding_rows(model.free, structures, model.species, threads=1)
    rng = np.random.default_rng(0)
    parts = [rng.normal(size=t.n_coefficients) for t in model.free]
    potential = SplinePotential(model.species, model.free, tuple(parts))
    found = potential.evaluate_many(structures, threads=1)
    alone = dict(zip(model.species, parts[0], strict=True))
    assert isinstance(model.free[0], OneBody)
    expected = [
        e.energy - sum(alone[z] for z in s.numbers.tolist())
        for e, s in zip(found, structures, strict=True)
    ]
    assert np.allclose(rows @ np.concatenate(parts), expected, rtol=1e-10, atol=1e-10)


def test_half_of_the_repulsion_of_the_core_must_remain():
    core = CoreSettings(outer=1.8)
    model = model_of(PAIR, core)
    dimer = cluster((74, 74), np.array([[0.0, 0.0, 0.0], [1.7, 0.0, 0.0]]))
    found = inequalities_of(model, [repelling("x", dimer, 1.0, 0.5)], threads=1)
    assert (found.bounds > 0.0).all(), "without the other terms every demand holds"
    only_core = SplinePotential(model.species, model.terms[1:], (np.zeros(0),))
    path = repelling("x", dimer, 1.0, 0.5)
    energies = [e.energy for e in only_core.evaluate_many(path.structures, threads=1)]
    assert np.allclose(found.bounds, 0.5 * np.diff(energies))


def test_the_number_of_inequalities_is_bounded_for_many_elements():
    species = (5, 6, 7, 8, 13, 14, 15, 16, 29, 74)
    rng = np.random.default_rng(0)
    numbers = np.array(species * 2, dtype=np.int32)
    positions = crystal(2, 3.0, 0.05, 74, seed=0).positions
    numbers = np.resize(numbers, len(positions))
    structure = Structure(numbers, positions, 6.0 * np.eye(3), np.ones(3, dtype=bool))
    frames = [Frame(structure, float(rng.normal()), rng.normal(size=positions.shape))]
    model = replace(model_of(PAIR), species=species)
    term = PAIR.build(species, profile_of(species, 1.9))
    model = replace(model, species=species, terms=(term,), e0s=np.zeros(len(species)))
    found = anchors(model, frames, threads=1)
    assert MOST_ROWS - 100 < len(found) <= MOST_ROWS
    assert (found.bounds >= 0.0).all()


def test_a_fit_obeys_its_anchors_and_says_so():
    frames, model = labelled_frames(10), model_of(PAIR, TRIPLET)
    one = FitSettings(kappa=(0.8,), ridge=(1e-8,), curvature=(1e-8,))
    blocks = gather(model, frames, one, threads=1)
    result = refit(model, blocks, one, threads=1)
    c = np.concatenate(result.potential.coefficients)
    assert blocks.anchors.held(c).all()
    assert result.binding > 0
    facts = result.potential.provenance["fit"]["anchors"]
    assert facts == {"inequalities": len(blocks.anchors), "binding": result.binding}
    off = gather(model, frames, replace(one, anchors=False), threads=1)
    assert len(off.anchors) == 0
    free = np.concatenate(refit(model, off, one, threads=1).potential.coefficients)
    assert not blocks.anchors.held(free).all(), "the anchors ask for nothing; empty test"
