"""With anchors, potentials fitted near equilibrium stay sane far from it.

Eight frames of a rattled crystal within 3 % of its lattice constant, labelled by a Morse
potential. Without anchors densities and triplets do anything beyond; the last test shows
that.
"""

import numpy as np
import pytest

from toy_potentials import Morse, crystal
from trimpot.data import Frame
from trimpot.engines.singlepoint import evaluate
from trimpot.fitting import FitSettings, Model, fit
from trimpot.fitting.paths import lattice, scaled
from trimpot.splines.core import CoreSettings
from trimpot.splines.density_settings import DensitySettings
from trimpot.splines.packing import pack
from trimpot.splines.pair_settings import PairSettings
from trimpot.splines.profile import pair_profile
from trimpot.splines.ranges import bounded_terms
from trimpot.splines.triplet_settings import TripletSettings
from trimpot.validation.scans import dimer_scan, trimer_scan

W = (74,)
PAIR = PairSettings(cutoff=5.0, intervals=16)
MODELS = {
    "pair": (PAIR,),
    "density": (PAIR, DensitySettings(cutoff=5.0, functions=9, r_min=2.2)),
    "angular density": (PAIR, DensitySettings(cutoff=5.0, functions=7, l_max=2, r_min=2.2)),
    "density to 1 A": (PAIR, DensitySettings(cutoff=5.0, functions=9, r_min=1.0)),
    "triplet": (PAIR, TripletSettings(cutoff=4.2, intervals=6)),
}
REST = {"bcc": 2.43, "fcc": 2.52, "sc": 2.38}
SLACK = 0.02
"""Between the points where the fit demands something, eV/atom."""


def trained(terms, *, anchors):
    structures = [
        crystal(2, a, 0.03, 74, seed=k) for k, a in enumerate(np.linspace(2.72, 2.9, 8))
    ]
    frames = []
    for s in structures:
        found = evaluate(Morse(isolated={74: -2.0}), s, threads=1)
        frames.append(Frame(s, found.energy, found.forces))
    packed = pack(structures, W)
    profile = pair_profile(packed, 5.0)
    built = bounded_terms([t.build(W, profile) for t in (*terms, CoreSettings())], packed)
    model = Model(W, built, np.array([-2.0]), refine_e0s=False)
    settings = FitSettings(
        kappa=(0.9,), ridge=(1e-9,), curvature=(1e-9,), anchors=anchors, folds=2
    )
    result = fit(model, frames, settings, profile=profile, threads=1)
    return result.potential, profile, frames


@pytest.fixture(scope="module", params=MODELS)
def fitted(request):
    return trained(MODELS[request.param], anchors=True)


def cold_curve(potential, name, scales):
    structures = [scaled(lattice(name, W), float(s * REST[name])) for s in scales]
    found = potential.evaluate_many(structures, threads=1)
    return np.array([e.energy for e in found]) - potential.coefficients[0][0]


def largest_drop(energies):
    """How far energies that should rise fall at most."""
    return float((np.maximum.accumulate(energies) - energies).max())


@pytest.mark.parametrize("name", REST)
def test_crystals_rise_on_compression(fitted, name):
    e = cold_curve(fitted[0], name, np.arange(0.88, 0.6, -0.01))
    assert largest_drop(e) < SLACK
    assert e[-1] > 3.0


@pytest.mark.parametrize("name", REST)
def test_crystals_rise_on_expansion_up_to_isolated_atoms(fitted, name):
    e = cold_curve(fitted[0], name, np.arange(1.25, 2.6, 0.01))
    assert largest_drop(e) < SLACK
    assert e.max() < SLACK
    assert e[-1] == pytest.approx(0.0, abs=1e-12)


def test_dimers_and_trimers_repel_below_the_data(fitted):
    potential, profile, _ = fitted
    wall = profile.shortest(74, 74)
    r = np.arange(0.35 * wall, wall, 0.02)
    scans = [dimer_scan(potential, 74, 74, r)]
    scans += [
        trimer_scan(potential, (74,) * 3, r, geometry=g) for g in ("equilateral", "linear")
    ]
    for scan in scans:
        assert largest_drop(scan.energy[::-1]) < SLACK * (2 if scan is scans[0] else 3)
        assert scan.energy[0] > 100.0


def test_the_data_are_described_as_before(fitted):
    potential, _, frames = fitted
    found = potential.evaluate_many([f.structure for f in frames], threads=1)
    errors = [(e.forces - f.forces).ravel() for e, f in zip(found, frames, strict=True)]
    spread = np.concatenate([f.forces.ravel() for f in frames]).std()
    assert np.concatenate(errors).std() < 0.05 * spread


def test_without_anchors_crystals_collapse_and_energies_fall_on_expansion():
    potential, _, _ = trained(MODELS["density to 1 A"], anchors=False)
    inwards = cold_curve(potential, "bcc", np.arange(0.88, 0.6, -0.01))
    assert largest_drop(inwards) > 5 * SLACK
    outwards = cold_curve(potential, "fcc", np.arange(1.25, 2.6, 0.01))
    assert largest_drop(outwards) > 5 * SLACK
