"""Structure of a liquid from frames: distances, first shells, angles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trimpot.elements import atomic_number
from trimpot.engines.ase import structure_from_atoms
from trimpot.errors import InputError
from trimpot.neighbors import neighborhood

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ase import Atoms

    from trimpot.contract import FloatArray

Points = str | tuple[tuple[float, float], ...]
"""A reference: a file, or points."""

ANGLE_BINS = 90

SMOOTHED_A, AROUND_A = 0.25, 0.3
"""The first minimum is the first place behind the peak where g(r), averaged over the one
distance, is lowest within the other."""


@dataclass(frozen=True)
class Shell:
    """The first shell of neighbours.

    Attributes
    ----------
    peak_a, end_a : float
        Distances of the first peak of g(r) and of the minimum behind it.
    neighbors : float
        Mean number up to the minimum.
    """

    peak_a: float
    end_a: float
    neighbors: float


def first_shell(r_a: FloatArray, g: FloatArray, density: float) -> Shell | None:
    """Return the first shell; None if there is no peak.

    Parameters
    ----------
    r_a, g : (k,) float64
        Evenly spaced distances, and the radial distribution.
    density : float
        Neighbours per A^3.
    """
    high = np.flatnonzero(g > max(1.0, 0.5 * g.max()))
    if not len(high):
        return None
    ends = np.flatnonzero(np.diff(high) > 1)
    first = high[: ends[0] + 1] if len(ends) else high
    top = int(first[np.argmax(g[first])])
    step = float(r_a[1] - r_a[0])
    width, around = (max(1, round(a / step)) for a in (SMOOTHED_A, AROUND_A))
    smooth = np.convolve(g, np.full(width, 1.0 / width), mode="same")
    places = range(top + 1, len(g) - around)
    lowest = (k for k in places if smooth[k] <= smooth[k - around : k + around + 1].min())
    end = next(lowest, None)
    if end is None:
        return None
    inside = 4.0 * np.pi * density * (g * r_a**2)[: end + 1].sum() * step
    return Shell(_top(r_a, g, top), float(r_a[end]), float(inside))


def _top(r_a: FloatArray, g: FloatArray, k: int) -> float:
    """Return the place of a maximum, between intervals by a parabola."""
    if not 0 < k < len(g) - 1:
        return float(r_a[k])
    left, middle, right = g[k - 1 : k + 2]
    bend = left - 2.0 * middle + right
    shift = 0.5 * (left - right) / bend if bend else 0.0
    return float(r_a[k] + shift * (r_a[1] - r_a[0]))


@dataclass(frozen=True)
class Angles:
    """Distribution of angles between neighbours within a distance.

    Attributes
    ----------
    cutoff_a : float
        Farthest neighbours.
    elements : tuple of str
        Atoms that are looked at; empty: all.
    """

    cutoff_a: float
    elements: tuple[str, ...] = ()

    @property
    def degrees(self) -> FloatArray:
        """Middles of the intervals."""
        width = 180.0 / ANGLE_BINS
        return np.asarray((np.arange(ANGLE_BINS) + 0.5) * width, dtype=np.float64)

    def density(self, frames: Iterable[Atoms]) -> FloatArray:
        """Return the probability density per degree, averaged over frames."""
        counts = np.zeros(ANGLE_BINS)
        for atoms in frames:
            counts += self._counted(atoms)
        total = counts.sum() * (180.0 / ANGLE_BINS)
        return np.asarray(counts / total if total else counts, dtype=np.float64)

    def _counted(self, atoms: Atoms) -> FloatArray:
        if self.elements:
            numbers = [atomic_number(symbol) for symbol in self.elements]
            atoms = atoms[np.isin(atoms.numbers, numbers)]
        around = neighborhood(structure_from_atoms(atoms), self.cutoff_a, threads=1)
        counts = np.zeros(ANGLE_BINS)
        for k in range(around.n_local):
            near = around.neighbors[around.first[k] : around.first[k + 1]]
            apart = around.positions[near] - around.positions[k]
            r = np.linalg.norm(apart, axis=1)
            units = apart[r < self.cutoff_a] / r[r < self.cutoff_a, None]
            cosines = (units @ units.T)[np.triu_indices(len(units), 1)]
            angles = np.degrees(np.arccos(np.clip(cosines, -1.0, 1.0)))
            counts += np.histogram(angles, ANGLE_BINS, (0.0, 180.0))[0]
        return np.asarray(counts, dtype=np.float64)


def pair_name(pair: str) -> str:
    """Return the name of a pair of elements as results have it: by atomic number."""
    return "-".join(sorted(pair.split("-"), key=atomic_number))


def check_references(elements: Sequence[str], reference: Mapping[str, Points]) -> None:
    """Raise ``InputError`` unless references are of pairs that there are, and read well."""
    for pair, points in reference.items():
        parts = pair.split("-")
        if len(parts) != 2 or not set(parts) <= set(elements):
            raise InputError(
                f"liquid: found the reference {pair!r}, expected a pair of "
                f"{', '.join(elements)}, such as {elements[0]}-{elements[0]}"
            )
        reference_points(points)


def reference_points(points: Points) -> FloatArray:
    """Return distances and g(r) (k, 2) of a reference.

    Raises
    ------
    InputError
        If there are no two columns of numbers, distances ascending.
    """
    try:
        given = np.loadtxt(points) if isinstance(points, str) else np.array(points)
    except (OSError, ValueError) as error:
        raise InputError(f"liquid: cannot read the reference {points}: {error}") from error
    if given.ndim != 2 or given.shape[1] != 2 or not (np.diff(given[:, 0]) > 0.0).all():
        raise InputError(
            f"liquid: a reference has the shape {given.shape}, expected two columns, "
            "distance (A, ascending) and g(r)"
        )
    return np.asarray(given, dtype=np.float64)


def deviation(r_a: FloatArray, g: FloatArray, points: Points) -> float | None:
    """Return the mean absolute difference from a reference, where it is; else None."""
    given = reference_points(points)
    common = (r_a >= given[0, 0]) & (r_a <= given[-1, 0])
    if not common.any():
        return None
    expected = np.interp(r_a[common], given[:, 0], given[:, 1])
    return float(np.abs(g[common] - expected).mean())
