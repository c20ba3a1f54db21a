"""What every room agrees on: structures, neighbourhoods, evaluations, potentials.

Units: eV, angstrom. Cell rows are lattice vectors. Signs: docs/conventions.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

import numpy as np

from trimpot.errors import InputError

Precision = Literal["double", "mixed"]
"""Arithmetic of a potential: all double, or single inside an atom's environment with sums
and state in double."""

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int32]
    IndexArray = NDArray[np.integer]
    BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class Structure:
    """Atoms in a cell, without labels.

    Attributes
    ----------
    numbers : (n,) int32
        Atomic numbers.
    positions : (n, 3) float64
        Cartesian positions in angstrom; atoms may lie outside the cell.
    cell : (3, 3) float64
        Rows are lattice vectors in angstrom; rows of non-periodic directions may be 0.
    pbc : (3,) bool
        Periodic directions.
    charge : int
        Total charge in units of e.
    """

    numbers: IntArray
    positions: FloatArray
    cell: FloatArray
    pbc: BoolArray
    charge: int = 0

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def volume(self) -> float:
        """Volume of the cell in A^3 (0 where the cell is not three-dimensional)."""
        return abs(float(np.linalg.det(self.cell)))


@dataclass(frozen=True)
class Neighborhood:
    """Local and ghost atoms with a list of neighbours of each local atom.

    Periodic images are ghosts, so a kernel needs no cell. The list may hold pairs
    beyond the cutoff (a Verlet skin); kernels skip them.

    Attributes
    ----------
    positions : (n_all, 3) float64
        Local atoms first, then ghosts.
    numbers : (n_all,) int32
        Atomic numbers.
    owners : (n_all,) int32
        Local atom that each atom is an image of (``owners[i] = i`` for local atoms).
    first : (n_local + 1,) int64
        ``neighbors[first[i]:first[i + 1]]`` are the neighbours of local atom i.
    neighbors : (n_pairs,) int32
        Indices into the local and ghost atoms.
    cutoff : float
        All pairs with r < cutoff are in the list.
    charge : int
        Total charge of the structure in units of e.
    """

    positions: FloatArray
    numbers: IntArray
    owners: IntArray
    first: NDArray[np.int64]
    neighbors: IntArray
    cutoff: float
    charge: int = 0

    @property
    def n_local(self) -> int:
        """Number of local atoms."""
        return len(self.first) - 1


NO_STRESS = (
    "found a potential whose forces are predicted directly (model.forces: direct) and are "
    "not the gradient of its energy, so that it has no stress; train one with forces: "
    "gradient, which may start from this one (training.start)"
)


@dataclass(frozen=True)
class Evaluation:
    """Energies, forces and virial of one structure.

    Attributes
    ----------
    energies : (n,) float64
        Energy of each atom in eV, isolated-atom energies included.
    forces : (n, 3) float64
        -dE/dx in eV/A.
    virial : (3, 3) float64
        -dE/d(strain) in eV.
    conservative : bool
        Whether forces are the gradient of the energy. Otherwise there is no virial (its
        numbers are NaN) and no stress.
    """

    energies: FloatArray
    forces: FloatArray
    virial: FloatArray
    conservative: bool = True

    @property
    def energy(self) -> float:
        """Total energy in eV."""
        return float(self.energies.sum())

    def stress(self, volume: float) -> FloatArray:
        """Stress (1/V) dE/d(strain) in eV/A^3, tension positive, as (3, 3).

        Raises
        ------
        InputError
            If the volume is not positive: a cluster has no stress; or forces are not the
            gradient of the energy.
        """
        if not self.conservative:
            raise InputError(NO_STRESS)
        if not volume > 0.0:
            raise InputError(
                f"stress needs a cell with a volume, found volume {volume} A^3; "
                "give the structure a three-dimensional cell or do not ask for stress"
            )
        return -self.virial / volume


def is_conservative(potential: Potential) -> bool:
    """Return whether forces are the gradient of the energy: unless a potential says no.

    Who says no has an attribute ``conservative`` that is false, and its evaluations, too.
    """
    return bool(getattr(potential, "conservative", True))


def has_gradient(potential: Potential) -> bool:
    """Return whether forces are the gradient of an energy, with or without a stress.

    Who has the one without the other has an attribute ``gradient`` that is true.
    """
    return bool(getattr(potential, "gradient", is_conservative(potential)))


@runtime_checkable
class Potential(Protocol):
    """An interatomic potential: what engines and validation may rely on."""

    @property
    def species(self) -> tuple[int, ...]:
        """Atomic numbers that the potential describes, ascending."""
        ...

    @property
    def cutoff(self) -> float:
        """Largest distance in angstrom at which two atoms interact directly."""
        ...

    def evaluate(self, neighborhood: Neighborhood, *, threads: int = 0) -> Evaluation:
        """Return energies, forces on local atoms (ghosts folded back) and virial.

        ``threads`` 0 means all available cores. Raises ``InputError`` for an element
        outside ``species`` and ``NonFiniteResultError`` for NaN or infinity.
        """
        ...


class Follower(Protocol):
    """Evaluates one structure that moves, and keeps its lists from call to call."""

    @property
    def builds(self) -> int:
        """Number of neighbour lists built so far."""
        ...

    @property
    def seconds(self) -> Mapping[str, float]:
        """Time spent so far in ``list`` (checks, builds, images) and in ``kernels``."""
        ...

    def evaluate(self, structure: Structure) -> Evaluation:
        """Return energies, forces and virial; see ``Potential.evaluate``."""
        ...

    def forces(self, structure: Structure) -> FloatArray:
        """Return the forces of ``evaluate``, the same bits; may be faster."""
        ...


@runtime_checkable
class FollowingPotential(Potential, Protocol):
    """A potential with a faster way to evaluate a moving structure than list by list."""

    def follow(self, *, skin: float, threads: int, precision: Precision) -> Follower:
        """Return an evaluator of one moving structure."""
        ...


@dataclass(frozen=True)
class Uncertainty:
    """How far a prediction may be from the reference method: standard deviations.

    They are calibrated on held-out training frames: 95 % of the errors there were within
    1.96 of them. None for quantities without labels.

    Attributes
    ----------
    energy : float, optional
        Of the total energy, eV.
    forces : (n, 3) float64, optional
        Of each component, eV/A.
    stress : (3, 3) float64, optional
        eV/A^3; None as well for a cell without a volume.
    grades : (n,) float64
        Extrapolation grade of each atom (``Grader``).
    """

    energy: float | None
    forces: FloatArray | None
    stress: FloatArray | None
    grades: FloatArray


class Grader(Protocol):
    """Says how far the surroundings of atoms are from the training data."""

    def grades(self, structure: Structure) -> FloatArray:
        """Return the extrapolation grade of each atom, (n,) float64 >= 0.

        Below 1 the surroundings are like those of the training data; above, energies and
        forces are extrapolated, the farther the larger. Infinity is a grade too.
        """
        ...


@runtime_checkable
class GradedPotential(Potential, Protocol):
    """A potential that may know how far a structure is from its training data."""

    def grader(self, *, threads: int) -> Grader | None:
        """Return a grader of one moving structure; None if the data left no trace."""
        ...

    def uncertainties(
        self, structures: Sequence[Structure], *, threads: int
    ) -> list[Uncertainty] | None:
        """Return how uncertain predictions are; None if the data left no trace."""
        ...
