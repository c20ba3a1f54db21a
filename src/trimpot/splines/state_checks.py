"""Checks of term states that come from outside, so that no file can harm the kernels.

Each check returns the state or raises ``FileFormatError`` naming the field. A state that
passes is one that ``Term.state`` could have returned: right fields, types
and shapes, ascending clamped knots, columns that number the coefficients 0, 1, 2, ...
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

import numpy as np

from trimpot.envelopes.settings import LARGEST_C
from trimpot.envelopes.switches import SWITCHES
from trimpot.envelopes.triplet import COMBINE
from trimpot.errors import FileFormatError
from trimpot.splines.density import DensityTerm
from trimpot.splines.harmonics import LARGEST_DEGREE
from trimpot.splines.knots import DEGREE, clamped
from trimpot.splines.triplet import ABSENT, FROZEN

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from trimpot.contract import FloatArray, IntArray

MOST_FUNCTIONS = 40
"""Radial functions of a density term: more would mean millions of products."""

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


def check_density(species: tuple[int, ...], state: object) -> dict[str, object]:
    """Return the state if it is that of a density term."""
    names = ("radial", "order", "angular", "l_max", "triples", "mixed", "limits")
    found = fields(state, names, "density")
    n_angular = check_radial(species, found["angular"], "density.angular", fewest=0)
    check_radial(species, found["radial"], "density.radial", fewest=1)
    number(found["order"], 2, 4, "density.order")
    number(
        found["l_max"],
        min(n_angular, 1),
        LARGEST_DEGREE * min(n_angular, 1),
        "density.l_max",
    )
    for name in ("triples", "mixed"):
        if not isinstance(found[name], bool):
            raise FileFormatError(
                f"density.{name}: found {found[name]!s:.40}, expected a flag"
            )
    limits = array(found["limits"], np.float64, "density.limits")
    term = DensityTerm.from_state(species, found)
    shape = (len(species), term.n_limits)
    if limits.shape != shape or (limits < 0.0).any():
        raise FileFormatError(
            f"density.limits: shape {limits.shape}, expected {shape} of numbers from 0"
        )
    return found


def check_radial(
    species: tuple[int, ...], state: object, where: str, *, fewest: int
) -> int:
    """Return the number of functions of radial functions that are what they must be."""
    found = fields(state, ("n", "low", "high"), where)
    n = number(found["n"], fewest, MOST_FUNCTIONS, f"{where}.n")
    low, high = (array(found[k], np.float64, f"{where}.{k}") for k in ("low", "high"))
    shape = (len(species),) * 2
    same = all(np.array_equal(a, a.T) for a in (low, high) if a.shape == shape)
    if low.shape != shape or high.shape != shape or not same:
        raise FileFormatError(f"{where}: low and high must be symmetric of shape {shape}")
    if not ((low >= 0.0) & (low < high) & (high <= LONGEST_CUTOFF)).all():
        raise FileFormatError(f"{where}: need 0 <= low < high <= {LONGEST_CUTOFF} A")
    return n


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


StateCheck = Callable[[tuple[int, ...], object], dict[str, object]]


def screened_by(check_inner: StateCheck, kind: str) -> StateCheck:
    """Return the check of a screened term with such an inner term."""

    def check(species: tuple[int, ...], state: object) -> dict[str, object]:
        found = fields(state, ("inner", "envelope"), kind)
        check_inner(species, found["inner"])
        check_envelope(species, found["envelope"], f"{kind}.envelope")
        return found

    return check


def check_envelope(species: tuple[int, ...], state: object, where: str) -> None:
    """Refuse a state that is not one of a triplet envelope."""
    names = ("c_min", "c_max", "screens", "switch", "combine", "inner", "outer")
    found = fields(state, names, where)
    shape = (len(species),) * 3
    low, high = (array(found[n], np.float64, f"{where}.{n}") for n in names[:2])
    screens = array(found["screens"], np.int32, f"{where}.screens")
    for name, values in (("c_min", low), ("c_max", high), ("screens", screens)):
        same = values.shape == shape and np.array_equal(values, values.swapaxes(0, 1))
        if not same:
            raise FileFormatError(
                f"{where}.{name}: shape {values.shape}, expected {shape}, symmetric in the "
                "first two"
            )
    if not ((low >= 0.0) & (low < high) & (high <= LARGEST_C)).all():
        raise FileFormatError(f"{where}: need 0 <= c_min < c_max <= {LARGEST_C:g}")
    for name, known in (("switch", SWITCHES), ("combine", COMBINE)):
        if not isinstance(found[name], str) or found[name] not in known:
            raise FileFormatError(
                f"{where}.{name}: found {found[name]!s:.40}, expected one of {known}"
            )
    inner, outer = (distance(found[n], f"{where}.{n}") for n in ("inner", "outer"))
    if not (inner == outer == 0.0 or inner < outer):
        raise FileFormatError(f"{where}: need inner < outer, or both 0")


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


def number(value: object, lowest: int, highest: int, where: str) -> int:
    """Return an integer in this range."""
    if type(value) is not int or not lowest <= value <= highest:
        raise FileFormatError(
            f"{where}: found {value!s:.40}, expected an integer from {lowest} to {highest}"
        )
    return value


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
