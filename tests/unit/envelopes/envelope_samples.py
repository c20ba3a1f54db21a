"""Envelopes, clusters and crystals to try them on; derivatives by differences."""

import numpy as np

from trimpot.contract import Structure
from trimpot.envelopes import EnvelopeSettings

BASES = {
    "fcc": [[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]],
    "bcc": [[0, 0, 0], [0.5, 0.5, 0.5]],
    "sc": [[0, 0, 0]],
}
BASES["diamond"] = BASES["fcc"] + [[x + 0.25 for x in site] for site in BASES["fcc"]]


def envelope(species=(29,), **settings):
    return EnvelopeSettings(**settings).build(species)


def cluster(n=9, *, size=4.0, shortest=1.4, seed=0):
    """Displacements of n atoms at random around one at the origin, none too close."""
    rng = np.random.default_rng([n, seed])
    placed = [np.zeros(3)]
    while len(placed) <= n:
        trial = rng.uniform(-size / 2, size / 2, 3)
        if min(np.linalg.norm(trial - x) for x in placed) > shortest:
            placed.append(trial)
    return np.array(placed[1:])


def crystal(name, a, repeats=(1, 1, 1), *, noise=0.0, number=29, seed=0):
    """A cubic crystal of one element, displaced at random."""
    cells = np.array(list(np.ndindex(*repeats)))
    sites = (cells[:, None] + np.array(BASES[name])).reshape(-1, 3)
    positions = a * sites + noise * np.random.default_rng(seed).normal(size=sites.shape)
    numbers = np.full(len(sites), number, np.int32)
    return Structure(numbers, positions, a * np.diag(repeats), np.ones(3, bool))


def slope_of(function, h=1e-4):
    """The derivative of a function of one number at 0, fourth order in h."""
    return (
        8.0 * (function(h) - function(-h)) - (function(2.0 * h) - function(-2.0 * h))
    ) / (12.0 * h)


def moved(array, index, by):
    """A copy in which one element is another."""
    changed = array.copy()
    changed[index] += by
    return changed
