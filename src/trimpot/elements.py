"""Chemical elements: symbols, atomic numbers and covalent radii."""

from __future__ import annotations

import difflib

from trimpot.errors import InputError

_NAMES = """
H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As
Se Br Kr Rb Sr Y Zr Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu
Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi Po At Rn Fr Ra Ac Th Pa U Np
Pu Am Cm Bk Cf Es Fm Md No Lr Rf Db Sg Bh Hs Mt Ds Rg Cn Nh Fl Mc Lv Ts Og
"""

SYMBOLS = ("X", *_NAMES.split())
"""Symbols, indexed by atomic number."""

_RADII = (
    0.31,
    0.28,
    1.28,
    0.96,
    0.84,
    0.76,
    0.71,
    0.66,
    0.57,
    0.58,
    1.66,
    1.41,
    1.21,
    1.11,
    1.07,
    1.05,
    1.02,
    1.06,
    2.03,
    1.76,
    1.70,
    1.60,
    1.53,
    1.39,
    1.39,
    1.32,
    1.26,
    1.24,
    1.32,
    1.22,
    1.22,
    1.20,
    1.19,
    1.20,
    1.20,
    1.16,
    2.20,
    1.95,
    1.90,
    1.75,
    1.64,
    1.54,
    1.47,
    1.46,
    1.42,
    1.39,
    1.45,
    1.44,
    1.42,
    1.39,
    1.39,
    1.38,
    1.39,
    1.40,
    2.44,
    2.15,
    2.07,
    2.04,
    2.03,
    2.01,
    1.99,
    1.98,
    1.98,
    1.96,
    1.94,
    1.92,
    1.92,
    1.89,
    1.90,
    1.87,
    1.87,
    1.75,
    1.70,
    1.62,
    1.51,
    1.44,
    1.41,
    1.36,
    1.36,
    1.32,
    1.45,
    1.46,
    1.48,
    1.40,
    1.50,
    1.50,
    2.60,
    2.21,
    2.15,
    2.06,
    2.00,
    1.96,
    1.90,
    1.87,
    1.80,
    1.69,
)

_NUMBERS = {symbol: number for number, symbol in enumerate(SYMBOLS) if number}


def covalent_radius(number: int) -> float:
    """Return the covalent radius in angstrom (1.5 where none was tabulated).

    References
    ----------
    Cordero et al., Dalton Trans. 2008, 2832, doi:10.1039/b801115j, table 2.
    """
    return _RADII[number - 1] if 1 <= number <= len(_RADII) else 1.5


def atomic_number(symbol: str) -> int:
    """Return the atomic number of an element symbol.

    Raises
    ------
    InputError
        If there is no such element; names the nearest symbol.
    """
    if symbol in _NUMBERS:
        return _NUMBERS[symbol]
    near = difflib.get_close_matches(symbol.capitalize(), SYMBOLS[1:], n=1, cutoff=0.4)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise InputError(f"unknown element {symbol!r}{hint}")


def parse_group(text: str, size: int) -> tuple[int, ...]:
    """Return atomic numbers of a group such as "Ge-Te" or "W-W-W".

    Raises
    ------
    InputError
        If the group does not name ``size`` elements joined by hyphens.
    """
    parts = text.split("-")
    if len(parts) != size:
        example = "-".join(["Ge", "Te", "Te"][:size])
        raise InputError(f"found {text!r}, expected {size} elements such as {example!r}")
    return tuple(atomic_number(part) for part in parts)


def group_name(numbers: tuple[int, ...]) -> str:
    """Return "Ge-Te" for (32, 52)."""
    return "-".join(SYMBOLS[z] for z in numbers)
