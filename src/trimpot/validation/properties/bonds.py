"""Bonds of a molecule: which they are, how long they are in motion."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from ase.data import chemical_symbols

from trimpot.elements import covalent_radius
from trimpot.engines.ase import structure_from_atoms
from trimpot.errors import InputError
from trimpot.neighbors import neighborhood

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ase import Atoms

    from trimpot.contract import FloatArray, IndexArray
    from trimpot.engines.md_samples import Sample

BONDED = 1.25
"""Longest bond over the sum of covalent radii."""

BIN_A = 0.01
"""Width of the bins of bond lengths."""


@dataclass(frozen=True)
class Bonds:
    """Pairs of atoms that are bonded.

    Attributes
    ----------
    first, second : (b,) int
        Indices of the atoms.
    names : tuple of str
        Such as "C-H", elements in the order of the alphabet.
    lengths : (b,) float64
        Angstrom, where the molecule rests.
    """

    first: IndexArray
    second: IndexArray
    names: tuple[str, ...]
    lengths: FloatArray

    def of(self, atoms: Atoms) -> FloatArray:
        """Return the lengths (b,) of the same bonds in a structure, angstrom."""
        apart = atoms.positions[self.second] - atoms.positions[self.first]
        found: FloatArray = np.linalg.norm(apart, axis=1)
        return found

    def label(self, bond: int) -> str:
        """Return "C-H (0, 4)" for a bond."""
        return f"{self.names[bond]} ({self.first[bond]}, {self.second[bond]})"


def bonds_of(atoms: Atoms) -> Bonds:
    """Return the bonds of a molecule: pairs up to 1.25 times the sum of covalent radii.

    Raises
    ------
    InputError
        If there are none.
    """
    first, second, apart = bonded_pairs(atoms)
    if len(first) == 0:
        raise InputError(
            f"found no bond in {atoms.get_chemical_formula()}, expected two atoms nearer "
            f"than {BONDED} times the sum of their covalent radii; see the structure"
        )
    kinds = [
        "-".join(sorted((_symbol(atoms, int(i)), _symbol(atoms, int(j)))))
        for i, j in zip(first, second, strict=True)
    ]
    return Bonds(first, second, tuple(kinds), np.linalg.norm(apart, axis=1))


def bonded_pairs(atoms: Atoms) -> tuple[IndexArray, IndexArray, FloatArray]:
    """Return atoms (b,), their partners (b,) and the ways to them (b, 3), angstrom.

    Pairs of different atoms up to 1.25 times the sum of covalent radii, each once for each
    image that is so near.
    """
    structure = structure_from_atoms(atoms)
    radii = np.array([covalent_radius(int(z)) for z in structure.numbers])
    around = neighborhood(structure, 2.0 * BONDED * float(radii.max()))
    first = np.repeat(np.arange(around.n_local), np.diff(around.first))
    second = around.owners[around.neighbors]
    apart = around.positions[around.neighbors] - around.positions[first]
    longest = BONDED * (radii[first] + radii[second])
    bonded = (np.linalg.norm(apart, axis=1) < longest) & (first < second)
    return first[bonded], second[bonded], apart[bonded]


@dataclass
class BondJudge:
    """Ends a run when a bond is much longer or shorter than at rest.

    Attributes
    ----------
    bonds
        Of the molecule.
    largest
        Change that is allowed, angstrom.
    found
        The largest change so far, angstrom.
    """

    bonds: Bonds
    largest: float
    found: float = 0.0

    def __call__(self, atoms: Atoms, sample: Sample) -> str | None:  # noqa: ARG002
        """Return which bond broke, if one did."""
        now = self.bonds.of(atoms)
        change = np.abs(now - self.bonds.lengths)
        k = int(change.argmax())
        self.found = max(self.found, float(change[k]))
        if change[k] <= self.largest:
            return None
        at_rest = self.bonds.lengths[k]
        return f"bond {self.bonds.label(k)} is {now[k]:.2f} A long, {at_rest:.2f} at rest"


@dataclass
class BondLengths:
    """An output of dynamics that collects bond lengths."""

    bonds: Bonds
    interval: int
    collected: list[FloatArray] = field(default_factory=list)

    def record(self, atoms: Atoms, sample: Sample) -> None:  # noqa: ARG002
        """Keep the lengths of a moment."""
        self.collected.append(self.bonds.of(atoms))


@dataclass(frozen=True)
class Histogram:
    """Density of lengths, 1/A, in bins with the given middles."""

    middles: FloatArray
    density: FloatArray


def histograms(
    bonds: Bonds, lengths: Sequence[FloatArray], edges: Mapping[str, FloatArray]
) -> dict[str, Histogram]:
    """Return the density of lengths of each kind of bond.

    Parameters
    ----------
    bonds
        Of the molecule.
    lengths
        Of all bonds (b,), of each moment.
    edges
        Of the bins, by kind; see ``edges_of``.
    """
    found = {}
    for kind, bounds in edges.items():
        values = _of_kind(bonds, lengths, kind)
        counts, _ = np.histogram(values, bounds)
        middles = 0.5 * (bounds[1:] + bounds[:-1])
        found[kind] = Histogram(middles, counts / (len(values) * BIN_A))
    return found


def edges_of(bonds: Bonds, lengths: Sequence[FloatArray]) -> dict[str, FloatArray]:
    """Return edges of bins that hold all lengths, by kind of bond."""
    found: dict[str, FloatArray] = {}
    for kind in sorted(set(bonds.names)):
        values = _of_kind(bonds, lengths, kind)
        low, high = int(values.min() / BIN_A) - 1, int(values.max() / BIN_A) + 2
        found[kind] = BIN_A * np.arange(low, high + 1, dtype=np.float64)
    return found


def difference(one: Mapping[str, Histogram], other: Mapping[str, Histogram]) -> float:
    """Return the mean over kinds of the integral of |p - q|: 0 if the same, at most 2."""
    each = [
        float(np.abs(one[k].density - other[k].density).sum() * BIN_A) for k in sorted(one)
    ]
    return float(np.mean(each))


def _of_kind(bonds: Bonds, lengths: Sequence[FloatArray], kind: str) -> FloatArray:
    chosen = np.array([name == kind for name in bonds.names])
    values: FloatArray = np.concatenate([lengths_of[chosen] for lengths_of in lengths])
    return values


def _symbol(atoms: Atoms, index: int) -> str:
    return str(chemical_symbols[atoms.numbers[index]])
