"""Potentials from JSON files of the uf3 package, of all its releases.

========  ============================================================================
since     what a file holds
========  ============================================================================
2021-09   ``solution`` and ``knots``; three-body functions as vectors (``uf3_layout``)
2022-04   ``coefficients`` instead of ``solution``
2022-07   also ``knots_map`` (equal to ``knots``), ``element_list``, ``degree``, one
          ``leading_trim`` and one ``trailing_trim``, ...; three-body functions as full
          grids (l, m, n) of r_ij, r_ik, r_jk
2024-10   trims per number of bodies, ``{"2": 0, "3": 3}``
========  ============================================================================

Keys of functions are symbols joined by hyphens, the centre first; symbols alone are
energies of isolated atoms. Numbers are in eV and angstrom. Pairs are counted twice, as
here; a triangle counts once per centre, as here.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import numpy as np

from trimpot.elements import SYMBOLS, parse_group
from trimpot.errors import FileFormatError, InputError
from trimpot.files.strict_json import strict_json
from trimpot.files.uf3_layout import TRIMS, layouts
from trimpot.files.uf3_terms import potential_from_blocks
from trimpot.files.uf3_text import PairBlock, TripletBlock
from trimpot.splines.knots import DEGREE, clamped, n_basis

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trimpot.contract import FloatArray
    from trimpot.files.uf3_layout import Legs
    from trimpot.files.uf3_text import Block
    from trimpot.splines.potential import SplinePotential

WITHOUT_EFFECT = (
    *("data_coverage", "knot_strategy", "offset_1b", "fit_offsets", "regularizer"),
    *("r_min", "r_max", "resolution", "r_min_map", "r_max_map", "resolution_map"),
)
"""Entries about how knots and coefficients were made; both are in the file themselves."""

ENTRIES = (
    *("coefficients", "solution", "knots", "knots_map"),
    *("element_list", "degree", "leading_trim", "trailing_trim"),
    *WITHOUT_EFFECT,
)
"""All entries of files that uf3 writes."""

EXPECTED = "a JSON file of the uf3 package"

LARGEST_GRID = 10_000_000
"""Products of three functions; fits have thousands."""


def read_uf3_json(
    path: str | Path, *, isolated_energies: Mapping[str, float] | None = None
) -> SplinePotential:
    """Return the potential of a JSON file that uf3's ``WeightedLinearModel`` wrote.

    Energies of isolated atoms become the one-body term. Outside its knots a function is
    zero, as in uf3.

    Parameters
    ----------
    path
        File of any release of uf3, for any number of elements.
    isolated_energies : mapping of symbol to eV, optional
        Instead of those of the file.

    Raises
    ------
    FileFormatError
        Naming the entry that is missing, unknown or contradictory.
    InputError
        If the file cannot be opened, or isolated_energies has other elements than it.
    """
    document = _Document(str(path), strict_json(path, EXPECTED))
    document.check_entries()
    blocks = document.blocks()
    document.check_elements(blocks)
    energies = document.energies() if isolated_energies is None else isolated_energies
    origin = {"source": "uf3 JSON file", "file": Path(path).name}
    return potential_from_blocks(blocks, path, energies, origin)


def _mixed(grid: FloatArray, legs: Legs) -> bool:
    """Whether a grid of three different legs is its own mirror image."""
    knots_ij, knots_ik, knots_jk = legs
    return (
        len(knots_ij) == len(knots_ik)
        and not np.array_equal(knots_ij, knots_ik)
        and not np.array_equal(knots_ij, knots_jk)
        and not np.array_equal(knots_ik, knots_jk)
        and bool(grid.any())
        and np.array_equal(grid, grid.transpose(1, 0, 2))
    )


@dataclass(frozen=True)
class _Document:
    """A parsed file; raises where an entry is wrong."""

    name: str
    entries: dict[str, object]

    def fail(self, message: str) -> NoReturn:
        raise FileFormatError(f"{self.name}: {message}")

    def mapping(self, *names: str) -> dict[str, object]:
        """Return the entry of these names; if there are several, they must be equal."""
        found: list[dict[str, object]] = []
        for name in names:
            value = self.entries.get(name, {})
            if not isinstance(value, dict):
                self.fail(f"{name!r} is not an object with one entry per function")
            found += [value] * (name in self.entries)
        if not found:
            self.fail(
                f"has no {' or '.join(map(repr, names))}; expected coefficients and "
                "knots, as uf3's to_json writes (files of settings hold no potential)"
            )
        if found[-1] != found[0]:
            self.fail(f"{' and '.join(map(repr, names))} differ; keep the right one")
        return found[0]

    @property
    def coefficients(self) -> dict[str, object]:
        return self.mapping("coefficients", "solution")

    def energies(self) -> dict[str, float]:
        """Return the energies of isolated atoms."""
        found: dict[str, float] = {}
        for key, value in self.coefficients.items():
            if "-" in key:
                continue
            if isinstance(value, bool) or not isinstance(value, int | float):
                self.fail(f"energy of {key}: found {value!s:.40}, expected a number (eV)")
            found[key] = float(self.numbers([value], f"energy of {key}")[0])
        return found

    def blocks(self) -> list[Block]:
        """Return the functions of the file."""
        knots = self.mapping("knots", "knots_map")
        functions = {k: v for k, v in self.coefficients.items() if "-" in k}
        for key in (*functions, *knots):
            if key not in knots or key not in functions:
                which = "knots" if key not in knots else "coefficients"
                self.fail(f"{key} has no {which}; expected both for each function")
        return [self._block(key, functions[key], knots[key]) for key in functions]

    def _block(self, key: str, values: object, knots: object) -> Block:
        size = key.count("-") + 1
        if size not in (2, 3):
            self.fail(f"{key!r}: expected elements of a pair or trio, such as 'W-W'")
        try:
            elements = parse_group(key, size)
        except InputError as error:
            self.fail(f"{key!r}: {error}")
        if len(elements) == 2:
            return self._pair((elements[0], elements[1]), key, values, knots)
        return self._trio((elements[0], elements[1], elements[2]), key, values, knots)

    def _pair(
        self, elements: tuple[int, int], key: str, values: object, knots: object
    ) -> PairBlock:
        vector = self.knots(knots, f"knots of {key}")
        found = self.numbers(values, f"coefficients of {key}")
        if found.shape != (n_basis(vector),):
            self.fail(
                f"coefficients of {key}: found shape {found.shape}, expected "
                f"({n_basis(vector)},): four fewer than knots"
            )
        return PairBlock(elements, float(vector[-1]), vector, found)

    def _trio(
        self, elements: tuple[int, int, int], key: str, values: object, knots: object
    ) -> TripletBlock:
        legs = self.legs(knots, key)
        found = self.numbers(values, f"coefficients of {key}")
        shape = tuple(n_basis(leg) for leg in legs)
        if prod(shape) > LARGEST_GRID:
            self.fail(f"knots of {key}: a grid of {shape} is too large to be meant")
        if found.ndim == 1:
            found = self._expanded(found, legs, key)
        if found.shape != shape:
            self.fail(f"coefficients of {key}: found shape {found.shape}, expected {shape}")
        if _mixed(found, legs):
            self.fail(
                f"coefficients of {key}: the grid is symmetric although its three legs "
                "differ: uf3 before September 2023 added the mirror image to such grids "
                "when it saved them, and the fit is lost; fit again with a newer uf3"
            )
        return TripletBlock(elements, float(max(legs[0][-1], legs[1][-1])), *legs, found)

    def _expanded(self, vector: FloatArray, legs: Legs, key: str) -> FloatArray:
        """Return the grid of a vector; its length tells how it was laid out."""
        trim = (self.trim("leading_trim"), self.trim("trailing_trim"))
        trims = TRIMS if trim[0] is None or trim[1] is None else ((trim[0], trim[1]),)
        lengths = {one: int(one.stored(legs).sum()) for one in layouts(legs, trims)}
        fitting = [one for one, length in lengths.items() if length == len(vector)]
        if len(fitting) != 1:
            known = ", ".join(map(str, sorted(set(lengths.values()))))
            self.fail(
                f"coefficients of {key}: found {len(vector)} of them, expected a full grid "
                f"or a vector of {known}; add the leading_trim and trailing_trim of the fit"
            )
        return fitting[0].grid(vector, legs)

    def trim(self, name: str) -> int | None:
        """Return how many three-body functions are trimmed; None if the file is silent."""
        value = self.entries.get(name)
        if isinstance(value, dict):
            value = value.get("3")
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 9:
            self.fail(f"{name}: found {value!s:.40}, expected a small whole number")
        return value

    def legs(self, value: object, key: str) -> Legs:
        """Return the knots of r_ij, r_ik, r_jk from one, two or three lists."""
        if not isinstance(value, list) or not value:
            self.fail(f"knots of {key}: expected lists of knots")
        lists = value if isinstance(value[0], list) else [value]
        if len(lists) > 3:
            self.fail(f"knots of {key}: found {len(lists)} lists, expected three")
        legs = [self.knots(one, f"knots of {key}") for one in lists]
        return legs[0], legs[0] if len(legs) < 3 else legs[1], legs[-1]

    def knots(self, value: object, where: str) -> FloatArray:
        """Return clamped knots."""
        found = self.numbers(value, where)
        if found.ndim != 1:
            self.fail(f"{where}: expected one list of numbers")
        try:
            expected = clamped(found[DEGREE:-DEGREE])
        except InputError as error:
            self.fail(f"{where}: {error}")
        if not np.array_equal(found, expected):
            self.fail(f"{where}: expected both ends four times, ascending in between")
        return found

    def numbers(self, value: object, where: str) -> FloatArray:
        """Return an array of finite numbers."""
        try:
            found = np.array(value)
        except ValueError:
            self.fail(f"{where}: rows differ in length")
        if found.dtype.kind not in "if" or found.size == 0:
            self.fail(f"{where}: expected numbers")
        if not np.isfinite(found).all():
            self.fail(f"{where}: found infinity, expected finite numbers")
        return found.astype(np.float64)

    def check_entries(self) -> None:
        """Raise if an entry is not one of uf3's."""
        unknown = sorted(set(self.entries) - set(ENTRIES))
        if unknown:
            self.fail(
                f"unknown entry {unknown[0]!r}, expected some of {', '.join(ENTRIES)}; "
                "remove it if the potential does not depend on it"
            )

    def check_elements(self, blocks: list[Block]) -> None:
        """Raise if elements or bodies are not those of the functions."""
        elements = sorted({SYMBOLS[z] for block in blocks for z in block.elements})
        alone = [key for key in self.coefficients if "-" not in key]
        for name, listed in (
            ("element_list", self.entries.get("element_list", elements)),
            ("the energies of isolated atoms", alone),
        ):
            if not isinstance(listed, list) or sorted(map(str, listed)) != elements:
                self.fail(
                    f"{name}: found {listed!s:.80}, expected {', '.join(elements)} as in "
                    "the names of the functions"
                )
        most = max((len(block.elements) for block in blocks), default=0)
        degree = self.entries.get("degree", most)
        if degree != most:
            self.fail(f"degree is {degree!s:.40}, but there are functions of {most} bodies")
