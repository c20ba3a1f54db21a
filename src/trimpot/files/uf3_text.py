"""The text of LAMMPS ``pair_style uf3`` files: blocks of knots and coefficients.

A file is a list of blocks in any order; energies in eV, distances in angstrom::

    #UF3 POT UNITS: metal ...          #UF3 POT UNITS: metal ...
    2B El1 El2 0 3 uk|nk               3B Centre El1 El2 0 3 uk|nk
    cutoff n_knots                     R_jk R_ik R_ij n_jk n_ik n_ij
    knots                              knots of r_jk
    n_coefficients                     knots of r_ik
    coefficients                       knots of r_ij
    #                                  n_l n_m n_n
                                       n_l * n_m lines of n_n coefficients
                                       #

``uk`` promises evenly spaced knots. 0 and 3 are the numbers of coefficients trimmed at
the lower and upper end; LAMMPS takes no others.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NoReturn

import numpy as np

from trimpot.elements import SYMBOLS
from trimpot.errors import FileFormatError, InputError
from trimpot.splines.knots import DEGREE, clamped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trimpot.contract import FloatArray

START = "#UF3 POT"
EVEN = 1e-6
"""Largest relative deviation of knot intervals that are called uniform."""

KnotKind = Literal["uk", "nk"]


@dataclass(frozen=True)
class PairBlock:
    """V2 of two elements.

    Attributes
    ----------
    elements : (int, int)
        Atomic numbers as in the file.
    cutoff : float
        Where LAMMPS cuts it off, angstrom.
    knots, coefficients : float64
        Clamped knots (angstrom) and all coefficients (eV).
    line : int
        Where the block starts in the file; 0 for a new one.
    """

    elements: tuple[int, int]
    cutoff: float
    knots: FloatArray
    coefficients: FloatArray
    line: int = 0


@dataclass(frozen=True)
class TripletBlock:
    """V3 of a centre and two neighbours.

    Attributes
    ----------
    elements : (int, int, int)
        Centre, neighbour j, neighbour k as in the file.
    cutoff : float
        Of r_ij and r_ik, angstrom; the format sets that of r_jk to twice as much.
    knots_ij, knots_ik, knots_jk : float64
        Clamped knots, angstrom.
    coefficients : (n_l, n_m, n_n) float64
        Of B_l(r_ij) B_m(r_ik) B_n(r_jk), eV.
    line : int
        Where the block starts in the file; 0 for a new one.
    """

    elements: tuple[int, int, int]
    cutoff: float
    knots_ij: FloatArray
    knots_ik: FloatArray
    knots_jk: FloatArray
    coefficients: FloatArray
    line: int = 0


Block = PairBlock | TripletBlock


def text_of(path: str | Path, expected: str) -> str:
    """Return the text of a file; ``expected`` names its kind in messages.

    Raises
    ------
    InputError
        If it cannot be opened.
    FileFormatError
        If it is not text.
    """
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"cannot read {path}: {error.strerror}; give the path of {expected}"
        ) from error
    except UnicodeDecodeError as error:
        raise FileFormatError(
            f"{path} is not text (byte {error.start}); expected {expected}"
        ) from error


def uniform(knots: FloatArray) -> bool:
    """Whether the intervals between clamped knots have one width."""
    widths = np.diff(knots[DEGREE:-DEGREE])
    return bool(np.abs(widths - widths[0]).max() <= EVEN * widths[0])


class Lines:
    """Lines of a file that are not blank, with their numbers; raises where one is wrong."""

    def __init__(self, text: str, name: str) -> None:
        numbered = enumerate(text.splitlines(), start=1)
        self._lines = [(n, line.strip()) for n, line in numbered if line.strip()]
        self._next = 0
        self._name = name

    @property
    def number(self) -> int:
        """Number of the line that was read last."""
        return self._lines[self._next - 1][0] if self._next else 0

    def fail(self, message: str) -> NoReturn:
        """Raise ``FileFormatError`` about the line that was read last."""
        raise FileFormatError(f"{self._name}, line {self.number}: {message}")

    def __iter__(self) -> Iterator[str]:
        while self._next < len(self._lines):
            yield self.line("another line")

    def line(self, expected: str) -> str:
        """Return the next line."""
        if self._next == len(self._lines):
            self.fail(f"the file ends here, expected {expected}; it may be incomplete")
        self._next += 1
        return self._lines[self._next - 1][1]

    def words(self, count: int, expected: str) -> list[str]:
        """Return the words of the next line, which must have this many."""
        found = self.line(expected).split()
        if len(found) != count:
            self.fail(f"found {len(found)} words, expected {count}: {expected}")
        return found

    def numbers(self, count: int, expected: str) -> FloatArray:
        """Return the finite numbers of the next line, which must have this many."""
        words = self.words(count, expected)
        try:
            values = np.array([float(word) for word in words])
        except ValueError as error:
            self.fail(f"{error}, expected {expected}")
        if not np.isfinite(values).all():
            self.fail(f"found NaN or infinity, expected {expected}")
        return values

    def whole(self, words: list[str], expected: str) -> list[int]:
        """Return words of the line that was read last as integers from 1 to 100,000."""
        if not all(word.isdecimal() and 1 <= int(word) <= 100_000 for word in words):
            self.fail(f"found {' '.join(words)}, expected {expected}")
        return [int(word) for word in words]


def parse_blocks(text: str, name: str) -> list[Block]:
    """Return the blocks of a file's text; ``name`` is for error messages.

    Raises
    ------
    FileFormatError
        Naming the line, if anything is missing, misspelt or not finite, if units are not
        metal, or if knots are not those of a clamped cubic spline.
    """
    lines = Lines(text, name)
    blocks: list[Block] = []
    for line in lines:
        if START in line:
            blocks.append(_block(lines, line))
        elif not line.startswith("#"):
            lines.fail(f"found {line[:40]!r} outside a block, expected '{START} ...'")
    if not blocks:
        raise FileFormatError(
            f"{name} has no line with '{START}'; expected a file of LAMMPS pair_style uf3"
        )
    return blocks


def _block(lines: Lines, header: str) -> Block:
    start = lines.number
    units = header.partition("UNITS:")[2].split()
    if not units or units[0] != "metal":
        lines.fail(
            f"found units {units[0] if units else 'none'}, expected 'UNITS: metal' "
            "(eV, angstrom); convert the file"
        )
    words = lines.line("2B or 3B and elements").split()
    size = {"2B": 2, "3B": 3}.get(words[0])
    if size is None or len(words) != size + 4:
        lines.fail(f"found {' '.join(words)!r}, expected e.g. '2B W W 0 3 uk'")
    elements, (lead, trail, kind) = words[1 : 1 + size], words[1 + size :]
    for symbol in elements:
        if symbol not in SYMBOLS[1:]:
            lines.fail(f"found {symbol!r}, expected a chemical element")
    if (lead, trail) != ("0", "3") or kind not in ("uk", "nk"):
        lines.fail(f"found '{lead} {trail} {kind}', expected '0 3 uk' or '0 3 nk'")
    numbers = tuple(SYMBOLS.index(symbol) for symbol in elements)
    block: Block
    if len(numbers) == 2:
        block = _pair_block(lines, (numbers[0], numbers[1]), kind, start)
    else:
        block = _triplet_block(lines, (numbers[0], numbers[1], numbers[2]), kind, start)
    end = lines.line("'#'")
    if end != "#":
        lines.fail(f"found {end[:40]!r}, expected '#' at the end of the block")
    return block


def _pair_block(
    lines: Lines, elements: tuple[int, int], kind: str, start: int
) -> PairBlock:
    sizes = lines.words(2, "the cutoff and the number of knots")
    cutoff = _distances(lines, sizes[:1])[0]
    n_knots = lines.whole(sizes[1:], "a number of knots")[0]
    knots = _knots(lines, n_knots, kind, "r_ij")
    n = lines.whole(lines.words(1, "the number of coefficients"), "a number > 0")[0]
    _match(lines, n_knots, n, "r_ij")
    values = lines.numbers(n, f"{n} coefficients")
    return PairBlock(elements, cutoff, knots, values, start)


def _triplet_block(
    lines: Lines, elements: tuple[int, int, int], kind: str, start: int
) -> TripletBlock:
    sizes = lines.words(6, "cutoffs and numbers of knots of r_jk, r_ik, r_ij")
    longest, *legs = _distances(lines, sizes[:3])
    if legs[0] != legs[1] or longest != 2.0 * legs[0]:
        lines.fail(
            f"found cutoffs {' '.join(sizes[:3])} of r_jk, r_ik, r_ij; expected those of "
            "r_ij and r_ik equal and that of r_jk twice as long, as LAMMPS does"
        )
    n_knots = lines.whole(sizes[3:], "numbers of knots")
    knots_jk, knots_ik, knots_ij = (
        _knots(lines, n, kind, leg)
        for n, leg in zip(n_knots, ("r_jk", "r_ik", "r_ij"), strict=True)
    )
    shape = lines.whole(lines.words(3, "three numbers of coefficients"), "numbers > 0")
    for n, m, leg in zip(reversed(n_knots), shape, ("r_ij", "r_ik", "r_jk"), strict=True):
        _match(lines, n, m, leg)
    n_l, n_m, n_n = shape
    rows = [lines.numbers(n_n, f"{n_n} coefficients") for _ in range(n_l * n_m)]
    grid = np.array(rows).reshape(n_l, n_m, n_n)
    return TripletBlock(elements, legs[0], knots_ij, knots_ik, knots_jk, grid, start)


def _distances(lines: Lines, words: list[str]) -> list[float]:
    try:
        values = [float(word) for word in words]
    except ValueError as error:
        lines.fail(f"{error}, expected cutoffs in angstrom")
    if not all(0.0 < value < np.inf for value in values):
        lines.fail(f"found cutoffs {' '.join(words)}, expected numbers > 0")
    return values


def _knots(lines: Lines, count: int, kind: str, leg: str) -> FloatArray:
    knots = lines.numbers(count, f"{count} knots of {leg}")
    try:
        clamped_knots = clamped(knots[DEGREE : count - DEGREE])
    except InputError as error:
        lines.fail(f"knots of {leg}: {error}")
    if not np.array_equal(knots, clamped_knots):
        lines.fail(f"knots of {leg}: expected both ends four times, ascending in between")
    if kind == "uk" and not uniform(knots):
        lines.fail(f"knots of {leg} are not evenly spaced; the block must say nk, not uk")
    return knots


def _match(lines: Lines, n_knots: int, n_coefficients: int, leg: str) -> None:
    if n_knots != n_coefficients + DEGREE + 1:
        lines.fail(
            f"found {n_coefficients} coefficients for {n_knots} knots of {leg}, expected "
            f"{n_knots - DEGREE - 1} (four fewer than knots)"
        )


def format_block(block: Block, kind: KnotKind, header: str) -> str:
    """Return the text of a block; numbers read back to the same bits.

    Parameters
    ----------
    block : PairBlock or TripletBlock
        What to write.
    kind : "uk" or "nk"
        Whether all knots are evenly spaced.
    header : str
        Words after the units on the first line.
    """
    names = " ".join(SYMBOLS[z] for z in block.elements)
    first = f"{START} UNITS: metal {header}"
    if isinstance(block, PairBlock):
        body = [
            f"2B {names} 0 3 {kind}",
            f"{block.cutoff!r} {len(block.knots)}",
            _row(block.knots),
            str(len(block.coefficients)),
            _row(block.coefficients),
        ]
    else:
        legs = (block.knots_jk, block.knots_ik, block.knots_ij)
        shape = block.coefficients.shape
        body = [
            f"3B {names} 0 3 {kind}",
            f"{2.0 * block.cutoff!r} {block.cutoff!r} {block.cutoff!r} "
            + " ".join(str(len(knots)) for knots in legs),
            *(_row(knots) for knots in legs),
            " ".join(map(str, shape)),
            *(_row(row) for row in block.coefficients.reshape(-1, shape[2])),
        ]
    return "\n".join([first, *body, "#", ""])


def _row(values: FloatArray) -> str:
    return " ".join(map(repr, values.tolist()))
