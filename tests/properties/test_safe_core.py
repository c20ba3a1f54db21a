"""No atom falls into another: fitted potentials repel below the data.

The data hold rattled tungsten and silicon, each alone, labelled by a Morse potential; the
pair W-Si does not occur in them.
"""

from itertools import combinations_with_replacement, product

import numpy as np
import pytest

from toy_potentials import Morse, crystal
from trimpot.contract import Structure
from trimpot.data import Frame
from trimpot.engines.singlepoint import evaluate
from trimpot.fitting import FitSettings, Model, fit
from trimpot.splines.core import CoreSettings
from trimpot.splines.packing import pack
from trimpot.splines.pair_settings import PairSettings
from trimpot.splines.profile import pair_profile
from trimpot.splines.triplet_settings import TripletSettings
from trimpot.validation.scans import check_repulsion, dimer_scan, trimer_scan

SPECIES = (14, 74)
MODELS = {
    "pairs": (PairSettings(cutoff=5.0, intervals=20),),
    "pairs and triplets": (
        PairSettings(cutoff=5.0, intervals=20),
        TripletSettings(cutoff=4.2, intervals=7),
    ),
}
SHORTEST, STEP = 0.2, 0.01


def diamond(spacing, rattle, seed):
    faces = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    sites = np.concatenate([faces, faces + 0.25]) * spacing
    sites = sites + rattle * np.random.default_rng(seed).normal(size=sites.shape)
    numbers = np.full(len(sites), 14, dtype=np.int32)
    return Structure(numbers, sites, spacing * np.eye(3), np.ones(3, dtype=bool))


def labelled(structure):
    found = evaluate(Morse(), structure, threads=1)
    stress = found.stress(structure.volume)
    return Frame(structure, found.energy, found.forces, stress, config_type="rattled")


@pytest.fixture(scope="module", params=MODELS)
def fitted(request):
    """(potential, distance profile) of a fit to 30 small frames."""
    structures = [
        make
        for k in range(15)
        for make in (
            crystal(2, 3.0 + 0.02 * k, 0.05 + 0.01 * (k % 8), 74, seed=k),
            diamond(5.1 + 0.03 * k, 0.05 + 0.01 * (k % 8), seed=k),
        )
    ]
    frames = [labelled(s) for s in structures]
    profile = pair_profile(pack(structures, SPECIES), 6.0)
    settings = (*MODELS[request.param], CoreSettings())
    terms = tuple(s.build(SPECIES, profile) for s in settings)
    e0s = np.array([Morse().isolated[z] for z in SPECIES])
    model = Model(SPECIES, terms, e0s, refine_e0s=False)
    return fit(model, frames, FitSettings(), profile=profile, threads=1).potential, profile


def test_the_fit_describes_its_data(fitted):
    potential, _ = fitted
    for structure in (crystal(2, 3.165, 0.08, 74, seed=90), diamond(5.43, 0.08, seed=91)):
        expected = evaluate(Morse(), structure, threads=1)
        found = evaluate(potential, structure, threads=1)
        error = found.forces - expected.forces
        assert np.sqrt(np.mean(error**2)) < 0.05 * expected.forces.std()


def test_pairs_rise_all_the_way_below_the_data(fitted):
    potential, profile = fitted
    for number in SPECIES:
        wall = profile.shortest(number, number)
        scan = dimer_scan(potential, number, number, np.arange(SHORTEST, wall, STEP))
        check = check_repulsion(scan, wall)
        assert check.passed, str(check)
        assert scan.energy[0] > 1000.0


def test_a_pair_that_the_data_lack_rises_below_its_assumed_distance(fitted):
    """Nothing is known of it but its core, which then reaches up to that distance."""
    potential, profile = fitted
    assert np.isinf(profile.smallest[0, 1])
    wall = profile.shortest(14, 74)
    assert potential.terms[-1].outer[0, 1] == wall
    scan = dimer_scan(potential, 14, 74, np.arange(SHORTEST, wall, STEP))
    check = check_repulsion(scan, wall)
    assert check.passed, str(check)


@pytest.mark.parametrize("geometry", ["equilateral", "isosceles", "linear"])
@pytest.mark.parametrize("number", SPECIES)
def test_trimers_rise_all_the_way_below_the_data(fitted, number, geometry):
    potential, profile = fitted
    wall = profile.shortest(number, number)
    r = np.arange(SHORTEST, wall, STEP)
    scan = trimer_scan(potential, (number,) * 3, r, geometry=geometry)
    check = check_repulsion(scan, wall)
    assert check.passed, str(check)


@pytest.mark.parametrize("geometry", ["equilateral", "isosceles", "linear"])
def test_trimers_with_a_pair_that_the_data_lack_rise_within_their_cores(fitted, geometry):
    potential, _ = fitted
    outer = potential.terms[-1].outer
    for center, pair in product((0, 1), combinations_with_replacement((0, 1), 2)):
        reach = 0.8 * min(outer[center, pair[0]], outer[center, pair[1]])
        numbers = (SPECIES[center], SPECIES[pair[0]], SPECIES[pair[1]])
        r = np.arange(SHORTEST, reach, STEP)
        check = check_repulsion(
            trimer_scan(potential, numbers, r, geometry=geometry), reach
        )
        assert check.passed, str(check)
