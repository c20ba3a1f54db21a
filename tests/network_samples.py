"""Small networks with weights of some size, and structures for them."""

from dataclasses import replace

import numpy as np

from trimpot.contract import Structure
from trimpot.envelopes import EnvelopeSettings
from trimpot.networks.charges import ChargeStates
from trimpot.networks.mlanet import MLANetSettings
from trimpot.networks.potential import NetworkPotential
from trimpot.splines.core import CoreSettings
from trimpot.splines.potential import SplinePotential
from trimpot.splines.profile import PairProfile

SPECIES = (14, 74)

TINY = MLANetSettings(
    cutoff=3.4,
    layers=2,
    channels=4,
    l_max=1,
    correlation=2,
    bessel=4,
    radial_hidden=4,
    gate_hidden=4,
    readout_hidden=4,
    pooling=("sum", "attention"),
)


def core(outer=2.6):
    """A repulsion that the sample structures feel."""
    profile = PairProfile(SPECIES, np.full((2, 2), 2.1), np.zeros((2, 2, 4)), 4.0)
    term = CoreSettings(outer=outer).build(SPECIES, profile)
    return SplinePotential(SPECIES, (term,), (np.zeros(0),))


def random_state(settings, seed=0):
    """Weights as a new network has them, from a generator of NumPy."""
    from trimpot.networks.mlanet import MLANet

    shapes = {n: p.shape for n, p in MLANet(settings, SPECIES).named_parameters()}
    rng = np.random.default_rng(seed)
    return {
        name: (0.5 * rng.normal(size=tuple(shape))).astype(np.float32)
        for name, shape in sorted(shapes.items())
    }


def network(settings=TINY, *, prior=None, precision="float64", seed=0):
    return NetworkPotential(
        species=SPECIES,
        settings=settings,
        state=random_state(settings, seed),
        e0s=np.array([-1.25, -3.5]),
        mean_weight=4.0,
        scale=0.7,
        prior=prior,
        precision=precision,
        provenance={"data": {"sha256": "00"}, "numbers": [0.1 + 0.2, -0.0, None]},
    )


KINDS = ((14, -1), (14, 0), (14, 1), (74, 0), (74, 1))
CONSTANTS = {-1: 2.5, 0: 0.0, 1: -6.25}


def charged(settings=TINY, *, seed=0, **changes):
    """A network that knows three total charges, tungsten only with two of them."""
    states = ChargeStates(KINDS, CONSTANTS)
    plain = network(settings, seed=seed, **changes)
    embedding = np.random.default_rng(seed).normal(size=(len(KINDS), settings.channels))
    state = {**plain.state, "embedding": embedding.astype(np.float32)}
    return replace(plain, state=state, charges=states)


def unscreened(**changes):
    return MLANetSettings(**{**vars(TINY), "envelope": None, **changes})


def narrow(**changes):
    """A screening that acts in part on many pairs of the samples."""
    envelope = EnvelopeSettings(c_min=0.2, c_max=2.4)
    return MLANetSettings(**{**vars(TINY), "envelope": envelope, **changes})


def structures():
    """A triclinic cell smaller than the cutoff, and a cluster."""
    rng = np.random.default_rng(11)
    numbers = np.array([14, 74, 74, 14, 74], dtype=np.int32)
    grid = np.array([[0, 0, 0], [2.4, 0, 0], [0, 2.5, 0], [0, 0, 2.3], [2.4, 2.4, 2.4]])
    positions = grid + 0.1 * rng.normal(size=grid.shape)
    cell = np.array([[5.0, 0, 0], [0.7, 5.2, 0], [0.1, -0.4, 4.9]])
    return [
        Structure(numbers, positions, cell, np.ones(3, dtype=bool)),
        Structure(numbers, positions, np.zeros((3, 3)), np.zeros(3, dtype=bool)),
    ]
