"""Potentials of the size of real ones for tests of engines."""

from spline_samples import random_potential
from trimpot.splines.potential import SplinePotential

SCALE = 0.05
"""Of coefficients: energies of a few eV per atom, as parity is asked for in eV."""


def tame_potential(kind, n_species):
    """A random potential whose energies and forces are as large as real ones."""
    wild = random_potential(kind, n_species)
    scaled = tuple(SCALE * values for values in wild.coefficients)
    return SplinePotential(wild.species, wild.terms, scaled)
