"""Materials of which MEAM has little left but its screening.

The densities of all atoms are 1 at any distance and have no angular parts, the reference
structure is the dimer. Then (Baskes 1992; documentation of pair_style meam), in eV,

    E = sum_i F_i(rho_i) + sum_{i<j} phi_ij(r_ij) S_ij f(r_ij),  rho_i = sum_j S_ij f(r_ij),
    F_i = -a_i d_ii rho_i ln rho_i,    phi_ij = 2 d_ij e^{-z} (1 + z + (z / SMALL)^3),

z = SMALL (r / R_E - 1). SMALL is so small that phi is a cubic, which LAMMPS' table and our
splines hold to the last digit. f is 1 up to EDGE before the cutoff; structures have no
distance in between.
"""

from dataclasses import dataclass
from itertools import combinations_with_replacement, product

import numpy as np
import textbook
from ase.data import chemical_symbols

from trimpot.contract import Evaluation
from trimpot.engines.ase import structure_from_atoms
from trimpot.envelopes import EnvelopeSettings, reference
from trimpot.envelopes.settings import Limits
from trimpot.neighbors import neighborhood
from trimpot.splines.knots import clamped
from trimpot.splines.pair import PairCurve, PairTerm
from trimpot.splines.potential import SplinePotential
from trimpot.splines.screened import ScreenedPair

CUTOFF, EDGE, R_E, SMALL = 5.0, 2e-4, 2.5, 1e-15
NEVER = "Cmin({0}) = -1000000001\nCmax({0}) = -1000000000"
"""C is above both: k does not screen. LAMMPS' forces take C beside the pair, too, where it
is negative, hence numbers that no C comes near."""


@dataclass(frozen=True)
class Material:
    """Species (ascending), depths d_ij of pairs, strengths a_i of the embedding, limits.

    ``trios``: (C_min, C_max) by indices (i, j, k) with i <= j, k the screening atom; other
    trios have LAMMPS' defaults, 2.0 and 2.8. ``never``: indices of species that do not
    screen.
    """

    species: tuple
    depths: np.ndarray
    strengths: np.ndarray
    trios: dict
    never: tuple = ()

    def indices(self, numbers):
        return np.searchsorted(self.species, numbers)

    @property
    def symbols(self):
        return tuple(chemical_symbols[z] for z in self.species)

    def limits(self, i, j, k):
        """C_min and C_max, None where k does not screen."""
        if k in self.never:
            return None
        return self.trios.get((min(i, j), max(i, j), k), (2.0, 2.8))

    @property
    def envelope(self):
        """Ours, from settings as users write them: the screening atom in the middle."""
        s = self.symbols
        trios = {
            f"{s[i]}-{s[k]}-{s[j]}": Limits(*limits)
            for (i, j, k), limits in self.trios.items()
        }
        return EnvelopeSettings(
            c_min=2.0,
            c_max=2.8,
            switch="meam",
            trios=trios,
            never_screen=tuple(s[k] for k in self.never),
        ).build(self.species)

    @property
    def potential(self):
        """The pair part as a spline potential, for the native kernel."""
        breaks = [0.0, 0.3, 1.25, 2.5, 3.75, *(CUTOFF - np.array([3, 2, 1, 0]) * EDGE / 3)]
        knots = clamped(np.array(breaks))
        n, curves, values = len(knots) - 4, [], []
        polar = 1.0 + np.prod([knots[1 + m : n + 1 + m] / R_E - 1.0 for m in range(3)], 0)
        for a, b in combinations_with_replacement(range(len(self.species)), 2):
            columns = np.full(n, -1, dtype=np.int32)
            columns[:-3] = len(values) + np.arange(n - 3)
            curves.append(
                PairCurve((self.species[a], self.species[b]), knots, columns, 0.0)
            )
            values.extend(self.depths[a, b] * polar[:-3])
        term = ScreenedPair(PairTerm(self.species, tuple(curves)), self.envelope)
        return SplinePotential(self.species, (term,), (np.array(values),))

    def commands(self, folder):
        """Write the library and the parameter file; return what makes LAMMPS use them."""
        (folder / "library.meam").write_text("\n".join(self._library()))
        (folder / "parameters.meam").write_text("\n".join(self._parameters()) + "\n")
        names = " ".join(self.symbols)
        return (
            "pair_style meam",
            f"pair_coeff * * library.meam {names} parameters.meam {names}",
        )

    def _library(self):
        """Element, lat, z, number, weight; alpha, b, alat, esub, asub; t, rozero, ibar."""
        for i, (z, symbol) in enumerate(zip(self.species, self.symbols, strict=True)):
            esub, asub = float(-self.depths[i, i]), float(self.strengths[i])
            yield f"'{symbol}' 'dim' 1 {z} 1.0"
            yield f"{SMALL} 0 0 0 0 {R_E} {esub} {asub}"
            yield "1.0 0 0 0 1.0 0"

    def _parameters(self):
        yield f"rc = {CUTOFF}\ndelr = {EDGE}\naugt1 = 0\nerose_form = 2"
        n = len(self.species)
        own = -np.diag(self.depths)
        for i, j in combinations_with_replacement(range(n), 2):
            at, cube = f"({i + 1},{j + 1})", SMALL**-3
            yield f"zbl{at} = 0\nattrac{at} = {cube}\nrepuls{at} = {cube}"
            if i < j:  # Ec 0 means: the mean of both elements less delta
                delta = float((own[i] + own[j]) / 2.0 + self.depths[i, j])
                yield f"lattce{at} = 'dim'\nalpha{at} = {SMALL}\nre{at} = {R_E}"
                yield f"Ec{at} = 0\ndelta{at} = {delta}"
            for k in range(n):
                trio = f"{i + 1},{j + 1},{k + 1}"
                if k in self.never:
                    yield NEVER.format(trio)
                elif (i, j, k) in self.trios:
                    low, high = self.trios[i, j, k]
                    yield f"Cmin({trio}) = {low}\nCmax({trio}) = {high}"


def some_material(species=(14, 32, 74), *, strength=0.0, largest=2.7, never=(), seed=0):
    """Depths near 1 eV, and limits at random for every trio."""
    n, rng = len(species), np.random.default_rng([seed, len(species)])
    depths = rng.uniform(0.5, 1.5, (n, n))
    trios = {}
    for i, j, k in product(range(n), repeat=3):
        if i <= j:
            low = float(rng.uniform(0.0, 1.2))
            trios[i, j, k] = low, float(rng.uniform(low + 0.4, largest))
    return Material(
        species,
        (depths + depths.T) / 2.0,
        strength * rng.uniform(0.5, 1.5, n),
        trios,
        tuple(never),
    )


def phi(material, i, j, r):
    """The pair potential and its slope."""
    z = r / R_E - 1.0
    depth = 2.0 * material.depths[i, j]
    return depth * (1.0 + z**3), depth * 3.0 * z**2 / R_E


def native(material, atoms):
    """The pair part by the native kernel."""
    potential = material.potential
    around = neighborhood(structure_from_atoms(atoms), potential.cutoff)
    return potential.evaluate(around, threads=1)


def by_reference(material, z_i, d, z_j):
    """Weights of neighbours and their derivatives by ``envelopes.reference``."""
    return reference.screening(material.envelope, z_i, d, z_j)


def by_textbook(material, z_i, d, z_j):
    """The same by the textbook."""
    i, kinds = material.indices(z_i), material.indices(z_j)
    return textbook.screening(d, lambda j, k: material.limits(i, kinds[j], kinds[k]))


def readable(material, atoms, weigh=by_reference):
    """Energies of atoms, forces and virial, embedding included, from weights of pairs."""
    hood = neighborhood(structure_from_atoms(atoms), CUTOFF * material.envelope.stretch)
    energies, forces = np.zeros(len(atoms)), np.zeros((len(atoms), 3))
    virial = np.zeros((3, 3))
    for i in range(len(atoms)):
        j = hood.neighbors[hood.first[i] : hood.first[i + 1]]
        d, z_i, z_j = (
            hood.positions[j] - hood.positions[i],
            hood.numbers[i],
            hood.numbers[j],
        )
        weights = weigh(material, int(z_i), d, z_j)
        energies[i], gradient = _one(material, weights, z_i, d, z_j)
        forces[i] += gradient.sum(axis=0)
        np.subtract.at(forces, hood.owners[j], gradient)
        virial -= d.T @ gradient
    return Evaluation(energies, forces, virial)


def _one(material, weights, z_i, d, z_j):
    """Energy of one atom and its gradient by the displacements of its neighbours."""
    s, by_d = weights
    i, r = material.indices(z_i), np.linalg.norm(d, axis=1)
    assert not ((r > CUTOFF - 1.01 * EDGE) & (r < CUTOFF + 0.01 * EDGE)).any()
    near = 1.0 * (r < CUTOFF)
    v, slope = (0.5 * near * x for x in phi(material, i, material.indices(z_j), r))
    strength, rho = -material.strengths[i] * material.depths[i, i], s @ near
    energy, by_s = v @ s, v
    if strength != 0.0 and rho > 0.0:
        energy += strength * rho * np.log(rho)
        by_s = v + strength * (1.0 + np.log(rho)) * near
    gradient = np.einsum("j,jka->ka", by_s, by_d)
    return energy, gradient + (slope * s / r)[:, None] * d
