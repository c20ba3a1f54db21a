"""Checks of term states that come from outside, so that no file can harm the kernels.

Each check returns the state or raises ``FileFormatError`` naming the field. A state that
passes is one that ``Term.state`` could have returned: right fields, types
and shapes, ascending clamped knots, columns that number the coefficients 0, 1, 2, ...
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from trimpot.errors import FileFormatError
from trimpot.splines.knots import DEGREE, clamped
from trimpot.splines.triplet import ABSENT, FROZEN

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from trimpot.contract import FloatArray, IntArray

LONGEST_CUTOFF = 100.0
"""No short-ranged potential reaches further (angstrom); a damaged knot would."""


def check_one_body(species: tuple[int, ...], state: object) -> dict[str, object]:
    """Return the state if it is that of a one-body term."""
    del species
    return fields(state, (), "one_body")


def check_pair(species: tuple[int, ...], state: object) -> dict[str, object]:
    """Return the state if it is that of a pair term."""
    checked = fields(state, ("curves",), "pair")
    curves = items(checked["curves"], "pair.curves")
    seen: list[tuple[int, ...]] = []
    columns: list[IntArray] = []
    for number_, curve in enumerate(curves):
        where = f"pair.curves.{number_}"
        found = fields(curve, ("pair", "knots", "columns", "wall"), where)
        seen.append(atoms(found["pair"], 2, species, f"{where}.pair"))
        if seen[-1] != tuple(sorted(seen[-1])):
            raise FileFormatError(f"{where}.pair: {seen[-1]} is not ascending")
        knots = knot_vector(found["knots"], f"{where}.knots")
        columns.append(grid(found["columns"], (knots,), FROZEN, f"{where}.columns"))
        if len(np.unique(free(columns[-1]))) != len(free(columns[-1])):
            raise FileFormatError(f"{where}.columns: two splines share a coefficient")
        distance(found["wall"], f"{where}.wall")
    require_distinct(seen, "pair.curves")
    require_numbered(columns, "pair.curves")
    return checked


def check_triplet(species: tuple[int, ...], state: object) -> dict[str, object]:
    """Return the state if it is that of a triplet term."""
    checked = fields(state, ("grids",), "triplet")
    grids = items(checked["grids"], "triplet.grids")
    seen: list[tuple[int, ...]] = []
    columns: list[IntArray] = []
    for number_, one in enumerate(grids):
        where = f"triplet.grids.{number_}"
        names = ("trios", "knots_ij", "knots_ik", "knots_jk", "columns")
        found = fields(one, names, where)
        trios = [
            atoms(t, 3, species, f"{where}.trios")
            for t in items(found["trios"], f"{where}.trios")
        ]
        if not trios or any(b > c for _, b, c in trios):
            raise FileFormatError(f"{where}.trios: {trios}: neighbours must be ascending")
        knots = tuple(knot_vector(found[name], f"{where}.{name}") for name in names[1:4])
        columns.append(grid(found["columns"], knots, ABSENT, f"{where}.columns"))
        if any(b == c for _, b, c in trios):
            require_symmetric(knots, columns[-1], where)
        seen += trios
    require_distinct(seen, "triplet.grids")
    require_numbered(columns, "triplet.grids")
    return checked


def check_zbl(species: tuple[int, ...], state: object) -> dict[str, object]:
    """Return the state if it is that of a repulsive core."""
    found = fields(state, ("inner", "outer"), "zbl")
    shape = (len(species), len(species))
    inner, outer = (array(found[n], np.float64, f"zbl.{n}") for n in ("inner", "outer"))
    for name, values in (("inner", inner), ("outer", outer)):
        if values.shape != shape or not np.array_equal(values, values.T):
            raise FileFormatError(
                f"zbl.{name}: shape {values.shape}, expected symmetric {shape}"
            )
    if not ((inner > 0.0) & (inner < outer) & (outer <= LONGEST_CUTOFF)).all():
        raise FileFormatError(
            f"zbl: need 0 < inner < outer <= {LONGEST_CUTOFF} A for every pair"
        )
    return found


def fields(value: object, names: tuple[str, ...], where: str) -> dict[str, object]:
    """Return a mapping that has exactly these keys."""
    if not isinstance(value, dict) or set(value) != set(names):
        found = sorted(map(str, value)) if isinstance(value, dict) else type(value).__name__
        raise FileFormatError(f"{where}: found {found!s:.200}, expected fields {names}")
    return value


def items(value: object, where: str) -> list[object]:
    """Return a list."""
    if not isinstance(value, list):
        raise FileFormatError(f"{where}: found {type(value).__name__}, expected a list")
    return value


def array(value: object, dtype: DTypeLike, where: str) -> FloatArray:
    """Return an array of this type with finite values."""
    expected = np.dtype(dtype)
    if not isinstance(value, np.ndarray) or value.dtype != expected:
        found = value.dtype if isinstance(value, np.ndarray) else type(value).__name__
        raise FileFormatError(f"{where}: found {found}, expected an array of {expected}")
    if not np.isfinite(value).all():
        raise FileFormatError(f"{where}: holds NaN or infinity")
    return value


def distance(value: object, where: str) -> float:
    """Return a number between 0 and LONGEST_CUTOFF."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0.0 <= cast("float", value) <= LONGEST_CUTOFF:
        raise FileFormatError(
            f"{where}: found {value!s:.40}, expected a number from 0 to {LONGEST_CUTOFF} A"
        )
    return float(cast("float", value))


def atoms(
    value: object, size: int, species: tuple[int, ...], where: str
) -> tuple[int, ...]:
    """Return ``size`` atomic numbers out of the species."""
    numbers = items(value, where)
    known = all(type(z) is int and z in species for z in numbers)
    if len(numbers) != size or not known:
        raise FileFormatError(
            f"{where}: found {numbers!s:.100}, expected {size} atomic numbers of {species}"
        )
    return tuple(cast("list[int]", numbers))


def knot_vector(value: object, where: str) -> FloatArray:
    """Return clamped, ascending knots in [0, LONGEST_CUTOFF]."""
    knots = array(value, np.float64, where)
    inner = knots[DEGREE:-DEGREE] if knots.ndim == 1 else knots
    ascending = (
        knots.ndim == 1
        and len(inner) >= 5
        and bool((np.diff(inner) > 0.0).all())
        and np.array_equal(knots, clamped(inner))
    )
    if not ascending or inner[0] < 0.0 or inner[-1] > LONGEST_CUTOFF:
        raise FileFormatError(
            f"{where}: expected ascending knots between 0 and {LONGEST_CUTOFF} A, both "
            "ends repeated four times"
        )
    return knots


def grid(value: object, knots: tuple[FloatArray, ...], lowest: int, where: str) -> IntArray:
    """Return columns with one entry >= lowest per product of basis functions."""
    shape = tuple(len(k) - DEGREE - 1 for k in knots)
    columns = array(value, np.int32, where)
    if columns.shape != shape:
        raise FileFormatError(f"{where}: shape {columns.shape}, expected {shape}")
    if columns.min() < lowest:
        raise FileFormatError(f"{where}: column {columns.min()} is below {lowest}")
    return columns.astype(np.int32, copy=False)


def free(columns: IntArray) -> IntArray:
    """Return the columns that are coefficients."""
    return columns[columns >= 0]


def require_symmetric(knots: tuple[FloatArray, ...], columns: IntArray, where: str) -> None:
    """Two neighbours of one species must be exchangeable."""
    same = np.array_equal(knots[0], knots[1])
    if not same or not np.array_equal(columns, columns.transpose(1, 0, 2)):
        raise FileFormatError(f"{where}: V3 differs when equal neighbours are exchanged")


def require_distinct(groups: list[tuple[int, ...]], where: str) -> None:
    """No pair or trio may have two functions."""
    if len(set(groups)) != len(groups):
        raise FileFormatError(f"{where}: a pair or trio occurs twice")


def require_numbered(columns: list[IntArray], where: str) -> None:
    """All functions together must use the columns 0, 1, 2, ... and share none."""
    used = [np.unique(free(c)) for c in columns]
    together = np.sort(np.concatenate([np.zeros(0, dtype=np.int32), *used]))
    if not np.array_equal(together, np.arange(len(together))):
        raise FileFormatError(
            f"{where}: columns do not number the {len(together)} coefficients from 0, "
            "each in one function"
        )
