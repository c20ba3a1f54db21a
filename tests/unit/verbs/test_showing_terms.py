"""What ``show`` says and draws of densities and screened terms."""

from dataclasses import replace

import numpy as np
import pytest

from spline_samples import SPECIES, lone_dimer, random_potential, terms_of
from trimpot.contract import Structure
from trimpot.engines.singlepoint import evaluate
from trimpot.envelopes import EnvelopeSettings
from trimpot.envelopes.settings import Limits
from trimpot.fitting.paths import lattice, scaled
from trimpot.splines.potential import SplinePotential
from trimpot.splines.screened import ScreenedPair
from trimpot.verbs import show
from trimpot.verbs.card import card_facts, trios_by_limits
from trimpot.verbs.drawing import pair_curves, triplet_slices
from trimpot.verbs.drawing_terms import (
    energies_by_term,
    envelope_pictures,
    radial_functions,
)


@pytest.fixture(scope="module")
def everything():
    """Two elements, all kinds of terms, and the statistics of a fit."""
    potential = random_potential("sum", 2)
    statistics = {
        "smallest": np.full((2, 2), 2.0),
        "pair_counts": np.ones((2, 2, 40)),
        "pair_cutoff": np.array([6.0]),
    }
    return replace(potential, statistics=statistics)


def test_all_figures_are_drawn(everything, tmp_path):
    show(everything, output=tmp_path)
    found = {p.stem for p in (tmp_path / "figures").iterdir()}
    assert found == {
        *("pair_curves", "triplet_slices", "density_functions"),
        *("energy_by_term", "envelopes"),
    }


def test_pair_curves_leave_densities_out_and_set_screened_pairs_apart(everything):
    si, w = SPECIES[2]
    curve = {c.label: c for c in pair_curves(everything)}["Si-W"]
    k = 150
    dimer = lone_dimer(si, w, float(curve.r[k]))
    plain = evaluate(everything.only("pair", "zbl"), dimer).energy
    screened = evaluate(everything.only("screened_pair"), dimer).energy
    assert curve.energy[k] == pytest.approx(0.5 * plain, rel=1e-12)
    assert curve.screened[k] == pytest.approx(0.5 * screened, rel=1e-12)
    only_plain = pair_curves(everything.only("pair", "zbl", "density"))
    assert all(c.screened is None for c in only_plain)


def test_screened_pairs_alone_have_curves():
    (curve,) = pair_curves(random_potential("screened_pair", 1))
    assert not curve.energy.any()
    assert curve.screened.any()


def test_screened_triplets_are_labelled():
    labels = [s.label for s in triplet_slices(random_potential("screened_triplet", 1))]
    assert labels == ["screened W-W-W"] * 2


def test_energies_by_term_sum_to_the_binding_energy(everything):
    crystals = energies_by_term(everything)
    assert [c.label.split()[1] for c in crystals] == ["Si", "W", "Si-W"]
    compound = crystals[2]
    k = 60
    structure = scaled(lattice(compound.label.split()[0], SPECIES[2]), float(compound.r[k]))
    isolated = sum(everything.only("one_body").coefficients[0])
    expected = 0.5 * (evaluate(everything, structure).energy - isolated)
    assert compound.total[k] == pytest.approx(expected, rel=1e-10)
    assert set(compound.parts) == {
        *("pairs and core", "triplets", "densities"),
        *("screened pairs", "screened triplets", "screened densities"),
    }


def test_crystals_are_drawn_only_where_there_are_densities():
    assert energies_by_term(random_potential("uf23", 1)) == []


def test_saturation_begins_at_the_limit_of_a_density():
    (term,) = terms_of("density", SPECIES[1])
    limits = np.full((1, term.n_limits), 1e9)
    limits[0, 0] = 0.5
    bounded = term.with_limits(limits)
    c = np.zeros(term.n_coefficients)
    (crystal,) = energies_by_term(SplinePotential(SPECIES[1], (bounded,), (c,)))
    name = crystal.label.split()[0]
    for k, r in enumerate(crystal.r):
        rho = _density(bounded, scaled(lattice(name, SPECIES[1]), float(r)))
        assert bool(crystal.saturated[k]) == (rho > 0.5)


def _density(term, structure: Structure) -> float:
    from trimpot.neighbors import neighborhood

    near = neighborhood(structure, term.cutoff)
    d = near.positions[near.neighbors[: near.first[1]]] - near.positions[0]
    return float(term.radial.values(0, 0, np.linalg.norm(d, axis=1))[0][:, 0].sum())


def test_radial_functions_are_those_of_the_term(everything):
    plain, screened = radial_functions(everything)
    assert plain.label == "densities: Si-Si, Si-W, W-W"
    assert plain.angular.shape[0] == 0
    assert screened.label.startswith("screened densities")
    assert screened.angular.shape[0] == 2
    assert plain.counts.sum() == 120.0
    assert plain.densities[:, -1].max() == 0.0


def envelope():
    settings = EnvelopeSettings(
        c_min=0.2,
        c_max=2.8,
        never_screen=("Si",),
        inner=1.0,
        outer=1.5,
        trios={"W-W-W": Limits(0.1, 0.6)},
    )
    return settings.build(SPECIES[2])


def test_envelopes_are_drawn_once_for_every_pair_of_limits(everything):
    labels = [p.label for p in envelope_pictures(everything)]
    kinds = ["screened pairs", "screened triplets", "screened densities"]
    assert labels == kinds
    inner = everything.only("screened_pair").terms[0].inner
    term = ScreenedPair(inner, envelope())
    twice = SplinePotential(SPECIES[2], (term, term), (np.zeros(inner.n_coefficients),) * 2)
    pictures = envelope_pictures(twice)
    assert [(p.c_min, p.c_max) for p in pictures] == [(0.2, 2.8), (0.1, 0.6)]
    assert pictures[1].label == "screened pairs\nW-W-W"


def test_trios_are_named_by_their_limits():
    found = trios_by_limits(envelope())
    assert found == {(0.2, 2.8): "Si-W-Si, Si-W-W", (0.1, 0.6): "W-W-W"}
    settings = EnvelopeSettings(trios={"W-Si-W": Limits(c_max=0.7)})
    found = trios_by_limits(settings.build(SPECIES[2]))
    assert found == {(0.3, 1.1): "all other trios", (0.3, 0.7): "W-Si-W"}


def test_card_says_what_every_term_is(everything):
    terms = card_facts(everything, "x")["terms"]
    counts = [t["coefficients"] for t in terms]
    assert counts == [len(c) for c in everything.coefficients]
    card = show(everything).card
    for part in (
        "- **screened_pair:** to 4.6 Å, 36 coefficients; screened: C 0.2 to 1.7 (smooth, ",
        "no screening below 1.5 Å, in full from 2.5 Å",
        "3 densities per element, products of up to 3",
        "2 angular densities per element, l up to 3, with mixed products and triples",
    ):
        assert part in card
    assert "saturate" not in card  # limits are not known


def test_card_says_who_never_screens_and_how_far_screening_reaches(everything):
    inner = everything.only("screened_pair").terms[0].inner
    term = ScreenedPair(inner, envelope())
    potential = SplinePotential(SPECIES[2], (term,), (np.zeros(inner.n_coefficients),))
    card = show(potential).card
    for part in (
        "never screening: Si",
        "from 4 % beyond the cutoff",
        "W-W-W: C 0.1 to 0.6",
    ):
        assert part in card
