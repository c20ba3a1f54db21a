"""The spline potential: a sum of terms with their coefficients."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from trimpot import _native
from trimpot.contract import Evaluation
from trimpot.errors import InputError
from trimpot.splines.finite import require_finite
from trimpot.splines.packing import pack, species_indices
from trimpot.splines.trust import trust_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trimpot.contract import (
        FloatArray,
        Grader,
        Neighborhood,
        Precision,
        Structure,
        Uncertainty,
    )
    from trimpot.splines.following import SplineFollower
    from trimpot.splines.term import Term
    from trimpot.splines.trust import Trust


SHORTEST_CUTOFF = 0.01
"""Angstrom."""


@dataclass(frozen=True)
class SplinePotential:
    """Energies as a sum of spline terms.

    Attributes
    ----------
    species : tuple of int
        Atomic numbers, ascending.
    terms : tuple of Term
        One-body, pair, triplet, repulsive core.
    coefficients : tuple of float64 arrays
        One per term, of its n_coefficients.
    provenance : mapping
        JSON-compatible facts about its origin (data hash, settings, errors, versions).
    statistics : mapping of float64 arrays
        What the training data touched: ``coverage`` of each coefficient, ``pair_counts``
        (s, s, bins) over [0, ``pair_cutoff``), ``smallest`` distances (s, s), and how far
        they can be trusted (``splines.trust``).
    """

    species: tuple[int, ...]
    terms: tuple[Term, ...]
    coefficients: tuple[FloatArray, ...]
    provenance: Mapping[str, object] = field(default_factory=dict, compare=False)
    statistics: Mapping[str, FloatArray] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        """Check that coefficients fit the terms."""
        if len(self.terms) != len(self.coefficients):
            raise InputError(
                f"found {len(self.coefficients)} coefficient arrays for "
                f"{len(self.terms)} terms"
            )
        for term, c in zip(self.terms, self.coefficients, strict=True):
            if c.shape != (term.n_coefficients,) or not np.isfinite(c).all():
                raise InputError(
                    f"the {term.kind} term needs {term.n_coefficients} finite "
                    f"coefficients, found shape {c.shape}"
                )

    @property
    def cutoff(self) -> float:
        """Largest distance at which two atoms interact, angstrom.

        Never 0: isolated-atom energies alone are a potential too, and lists need a reach.
        """
        return max([SHORTEST_CUTOFF, *(t.cutoff for t in self.terms)])

    @property
    def parts(self) -> tuple[str, ...]:
        """Kinds of terms, in their order."""
        return tuple(dict.fromkeys(term.kind for term in self.terms))

    def only(self, *parts: str) -> SplinePotential:
        """Return the sum of the terms of some kinds."""
        kept = [k for k, term in enumerate(self.terms) if term.kind in parts]
        return SplinePotential(
            self.species,
            tuple(self.terms[k] for k in kept),
            tuple(self.coefficients[k] for k in kept),
        )

    @cached_property
    def native_terms(self) -> list[_native.Term]:
        """The kernels of all terms."""
        return [t.native(c) for t, c in zip(self.terms, self.coefficients, strict=True)]

    @cached_property
    def trust(self) -> Trust | None:
        """What the potential knows of its training data, if anything."""
        return trust_of(self.statistics)

    def evaluate(self, neighborhood: Neighborhood, *, threads: int = 0) -> Evaluation:
        """Return energies, forces and virial; see ``contract.Potential``."""
        n = neighborhood.n_local
        energies, forces, virial = np.empty(n), np.empty((n, 3)), np.empty(9)
        _native.evaluate(
            self.native_terms,
            neighborhood.positions,
            species_indices(neighborhood.numbers, self.species),
            neighborhood.owners,
            neighborhood.first,
            neighborhood.neighbors,
            energies,
            forces,
            virial,
            threads,
        )
        require_finite(neighborhood.numbers, energies, forces)
        return Evaluation(energies, forces, virial.reshape(3, 3))

    def follow(self, *, skin: float, threads: int, precision: Precision) -> SplineFollower:
        """Return an evaluator of one moving structure (``contract.FollowingPotential``)."""
        from trimpot.splines.following import SplineFollower

        return SplineFollower(self, skin=skin, threads=threads, precision=precision)

    def evaluate_many(
        self, structures: Sequence[Structure], *, threads: int = 0
    ) -> list[Evaluation]:
        """Return evaluations of many structures, in parallel over structures.

        Raises
        ------
        InputError
            For an unknown element, positions that are not numbers, or a singular cell.
        NonFiniteResultError
            For NaN or infinity in a result.
        """
        frames = pack(structures, self.species)
        n_atoms = int(frames.offsets[-1])
        energies, forces = np.empty(n_atoms), np.empty((n_atoms, 3))
        virials = np.empty((len(structures), 3, 3))
        try:
            _native.evaluate_frames(
                self.native_terms,
                frames.offsets,
                frames.positions,
                frames.species,
                frames.cells,
                frames.pbc,
                energies,
                forces,
                virials,
                threads,
            )
        except ValueError as error:
            raise InputError(f"one of {len(structures)} structures: {error}") from error
        results = []
        for f, structure in enumerate(structures):
            mine = slice(frames.offsets[f], frames.offsets[f + 1])
            require_finite(structure.numbers, energies[mine], forces[mine])
            results.append(Evaluation(energies[mine], forces[mine], virials[f]))
        return results

    def grader(self, *, threads: int = 0) -> Grader | None:
        """Return a grader of a moving structure (``contract.GradedPotential``)."""
        from trimpot.splines.grading import grader_of

        return grader_of(self, threads=threads)

    def uncertainties(
        self, structures: Sequence[Structure], *, threads: int = 0
    ) -> list[Uncertainty] | None:
        """Return how uncertain predictions are (``contract.GradedPotential``)."""
        from trimpot.splines.grading import uncertainties_of

        return uncertainties_of(self, structures, threads=threads)
