"""LAMMPS ``pair_style table`` files from two-body potentials.

A table holds E(r) and F(r) = -dE/dr of a pair, both directions together (2 V2), the
repulsive core included. LAMMPS stops a run in which two atoms come closer than the first
distance of their table.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import combinations_with_replacement
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from trimpot.elements import SYMBOLS, group_name
from trimpot.errors import InputError
from trimpot.files.lammps_curves import DimerCurve
from trimpot.files.release import release
from trimpot.files.unheld import refuse_others
from trimpot.splines.core import ZblTerm
from trimpot.splines.one_body import OneBody
from trimpot.splines.pair import PairTerm
from trimpot.splines.potential import SplinePotential
from trimpot.splines.triplet import TripletTerm
from trimpot.writing.atomic import write_text

if TYPE_CHECKING:
    from trimpot.files.lammps_curves import Interpolation, Samples
    from trimpot.splines.term import Term

FEWEST, MOST = 1000, 64_000
"""Points of a table that are tried where the caller gives none."""

CLOSEST = 0.5
"""First distance of a table, angstrom, where the caller gives none."""

SMALLEST = 2
"""Points that a table needs at least."""


@dataclass(frozen=True)
class TableSettings:
    """How finely a pair is tabulated.

    Attributes
    ----------
    inner : float, optional
        First distance, angstrom; default: 0.5, or half the range of shorter curves. A
        curve without a core whose knots start above it is tabulated from its first knot.
    points : int, optional
        Points per table, even in r^2; without them the fewest of 1000, 2000, ... 64000
        that keep the bounds.
    interpolation : "spline" or "linear"
        What LAMMPS does between points.
    energy_bound, force_bound : float
        Largest interpolation errors, eV and eV/A; relative where the exact value is
        larger than 1.
    """

    inner: float | None = None
    points: int | None = None
    interpolation: Interpolation = "spline"
    energy_bound: float = 1e-6
    force_bound: float = 1e-4

    def __post_init__(self) -> None:
        """Check ranges."""
        if self.interpolation not in ("spline", "linear"):
            raise InputError(
                f"interpolation is {self.interpolation!r}, expected 'spline' or 'linear'"
            )
        if self.inner is not None and not 0.0 < self.inner < np.inf:
            raise InputError(f"inner {self.inner} A: a table must start above r = 0")
        if self.points is not None and self.points < SMALLEST:
            raise InputError(f"points {self.points}: a table needs at least {SMALLEST}")
        for name in ("energy_bound", "force_bound"):
            if not getattr(self, name) > 0.0:
                raise InputError(f"{name} {getattr(self, name)}: must be above 0")


@dataclass(frozen=True)
class TabulatedPair:
    """The table of one pair.

    Attributes
    ----------
    inner, cutoff : float
        Ends of the table, angstrom.
    energy_error, force_error : float
        Largest errors of the interpolation, measured between all points, eV and eV/A;
        relative where the exact value is larger than 1.
    """

    inner: float
    cutoff: float
    energy_error: float
    force_error: float


@dataclass(frozen=True)
class TableExport:
    """What a written table holds and what it does not.

    Attributes
    ----------
    commands : tuple of str
        LAMMPS input lines that use the file, for atom types in the order of species.
    points : int
        Per table.
    pairs : dict
        Of each pair such as "Ge-Te".
    isolated_energies : dict
        eV per element: to be added to the energies of LAMMPS.
    dropped : tuple of str
        What the format cannot hold, in words.
    """

    commands: tuple[str, ...]
    points: int
    pairs: dict[str, TabulatedPair]
    isolated_energies: dict[str, float] = field(default_factory=dict)
    dropped: tuple[str, ...] = ()


def write_table(
    potential: SplinePotential,
    path: str | Path,
    *,
    settings: TableSettings | None = None,
) -> TableExport:
    """Write a two-body potential as a LAMMPS ``pair_style table`` file.

    Parameters
    ----------
    potential : SplinePotential
        Pair terms and a repulsive core; isolated-atom energies are left out.
    path : path
        File to write, atomically.
    settings : TableSettings, optional
        Range, points, interpolation and error bounds.

    Raises
    ------
    InputError
        If the potential has other terms, or the errors of the interpolation are above
        the bounds; says what to do.
    WriteError
        If the file cannot be written.
    """
    _check_kinds(potential)
    chosen = settings or TableSettings()
    curves = _curves(potential, chosen.inner)
    points, samples, pairs = _tabulated(curves, chosen)
    text = _header()
    for (name, one), (inner, cutoff) in zip(
        samples.items(), [(c.inner, c.cutoff) for c in curves.values()], strict=True
    ):
        text += _section(name, one, inner, cutoff)
    write_text(path, text)
    order = {z: number for number, z in enumerate(potential.species, start=1)}
    commands = [f"pair_style table {chosen.interpolation} {points}"]
    for name, curve in curves.items():
        types = " ".join(str(order[z]) for z in curve.pair)
        commands.append(f"pair_coeff {types} {Path(path).name} {name} {curve.cutoff!r}")
    isolated = isolated_energies(potential)
    dropped = ("isolated-atom energies",) * bool(isolated)
    return TableExport(tuple(commands), points, pairs, isolated, dropped)


def isolated_energies(potential: SplinePotential) -> dict[str, float]:
    """Return the isolated-atom energies of a potential by symbol; empty without any."""
    for term, values in zip(potential.terms, potential.coefficients, strict=True):
        if isinstance(term, OneBody):
            named = zip(potential.species, values.tolist(), strict=True)
            return {SYMBOLS[z]: value for z, value in named}
    return {}


def _check_kinds(potential: SplinePotential) -> None:
    known = (OneBody.kind, PairTerm.kind, TripletTerm.kind, ZblTerm.kind)
    refuse_others(potential, known, "a LAMMPS table", "pair potentials")
    if TripletTerm.kind in potential.parts:
        raise InputError(
            "a LAMMPS table holds pair potentials only, and this potential has triplets; "
            "export it to lammps-uf3 (trimpot.files.uf3.write_uf3)"
        )


def _curves(potential: SplinePotential, inner: float | None) -> dict[str, DimerCurve]:
    """Return the curve of every pair of species; one without a function is zero."""
    bound = [
        (term, values)
        for term, values in zip(potential.terms, potential.coefficients, strict=True)
        if not isinstance(term, OneBody)
    ]
    terms, values = tuple(t for t, _ in bound), tuple(v for _, v in bound)
    alone = SplinePotential(potential.species, terms, values)
    curves = {}
    for pair in combinations_with_replacement(potential.species, 2):
        first, last = _ends(pair, terms, alone.cutoff)
        start = max(inner or min(CLOSEST, 0.5 * last), first)
        if start >= last:
            raise InputError(
                f"{group_name(pair)} ends at {last} A, below the first distance {start} A "
                "of its table; choose a smaller inner distance"
            )
        curves[group_name(pair)] = DimerCurve(alone, pair, start, last)
    return curves


def _ends(
    pair: tuple[int, int], terms: tuple[Term, ...], longest: float
) -> tuple[float, float]:
    """Return where the energy of a pair begins and ends, angstrom."""
    first, last = [], []
    for term in terms:
        if isinstance(term, PairTerm) and (curve := term.curve_of(*pair)) is not None:
            first.append(float(curve.knots[0]))
            last.append(float(curve.knots[-1]))
        if isinstance(term, ZblTerm):
            i, j = (term.species.index(z) for z in pair)
            first.append(0.0)
            last.append(float(term.outer[i, j]))
    return min(first, default=0.0), max(last, default=longest)


def _tabulated(
    curves: dict[str, DimerCurve], settings: TableSettings
) -> tuple[int, dict[str, Samples], dict[str, TabulatedPair]]:
    """Return the number of points, the tables and their errors; raise above the bounds."""
    points = settings.points or FEWEST
    while True:
        samples = {name: curve.samples(points) for name, curve in curves.items()}
        pairs = {}
        for name, curve in curves.items():
            errors = curve.deviation(samples[name], settings.interpolation)
            pairs[name] = TabulatedPair(curve.inner, curve.cutoff, *errors)
        worst = max(pairs, key=lambda name: _excess(pairs[name], settings))
        if _excess(pairs[worst], settings) <= 1.0:
            return points, samples, pairs
        if settings.points is not None or 2 * points > MOST:
            raise InputError(_too_coarse(worst, pairs[worst], points, settings))
        points *= 2


def _excess(pair: TabulatedPair, settings: TableSettings) -> float:
    return max(
        pair.energy_error / settings.energy_bound, pair.force_error / settings.force_bound
    )


def _too_coarse(
    name: str, pair: TabulatedPair, points: int, settings: TableSettings
) -> str:
    return (
        f"a table of {name} with {points} points and {settings.interpolation} "
        f"interpolation is off by {pair.energy_error:.1e} eV and {pair.force_error:.1e} "
        f"eV/A, above the bounds {settings.energy_bound:.1e} eV and "
        f"{settings.force_bound:.1e} eV/A; allow more points or larger errors, use spline "
        "interpolation, or start the table at a larger distance. A curve that does not "
        "end smoothly cannot be tabulated better"
    )


def _header() -> str:
    today = datetime.now(UTC).date().isoformat()
    return (
        f"# DATE: {today} UNITS: metal CONTRIBUTOR: trimpot-{release()}\n"
        "# index, r (A), energy of the pair (eV), force -dE/dr (eV/A)\n"
    )


def _section(name: str, samples: Samples, inner: float, cutoff: float) -> str:
    """Return one table; numbers read back to the same bits."""
    n = len(samples.r)
    slopes = " ".join(map(repr, samples.end_slopes))
    columns = zip(
        samples.r.tolist(), samples.energy.tolist(), samples.force.tolist(), strict=True
    )
    rows = [f"{i} {r!r} {e!r} {f!r}" for i, (r, e, f) in enumerate(columns, start=1)]
    head = ["", name, f"N {n} RSQ {inner!r} {cutoff!r} FPRIME {slopes}", ""]
    return "\n".join([*head, *rows, ""])
