"""Total charges that a network knows: kinds of atoms, and a constant for each charge.

A kind is an element in structures of one total charge. It has an embedding of its own;
all other weights belong to elements, or to all atoms (docs/theory/mlanet.md, section 2).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from trimpot.elements import SYMBOLS
from trimpot.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from trimpot.contract import IntArray, Neighborhood

Kind = tuple[int, int]
"""Atomic number, and total charge of the structure in e."""

EMBEDDING = "embedding"
"""The weights that kinds have of their own."""


@dataclass(frozen=True, eq=False)
class ChargeStates:
    """What a network knows of total charges.

    Attributes
    ----------
    kinds : tuple of (int, int)
        Atomic number and total charge that training frames had together, ascending; rows
        of the embedding are in this order.
    energies : mapping
        What a structure has besides, in eV, by its total charge; 0 without charge.

    Raises
    ------
    InputError
        If kinds are not ascending, or a charge has no finite energy.
    """

    kinds: tuple[Kind, ...]
    energies: Mapping[int, float]

    def __post_init__(self) -> None:
        if not self.kinds or list(self.kinds) != sorted(set(self.kinds)):
            raise InputError(
                f"charges: found kinds {self.kinds}, expected pairs of element and charge, "
                "ascending, each once"
            )
        if set(self.energies) != {charge for _, charge in self.kinds}:
            raise InputError(
                f"charges: found energies of {sorted(self.energies)}, expected one for "
                f"each charge of {self.charges}"
            )
        if not np.isfinite(list(self.energies.values())).all() or self.energies.get(0):
            raise InputError(
                f"charges: found energies {dict(self.energies)}, expected finite numbers, "
                "and 0 without charge"
            )

    @cached_property
    def charges(self) -> tuple[int, ...]:
        """Total charges, ascending."""
        return tuple(sorted({charge for _, charge in self.kinds}))

    def elements(self, charge: int) -> tuple[int, ...]:
        """Return the atomic numbers that are known in structures of this charge."""
        return tuple(z for z, q in self.kinds if q == charge)

    def check(self, numbers: IntArray, charge: int) -> None:
        """Raise ``InputError`` for an element that is not known with this charge."""
        kinds_of(numbers, charge, self.kinds)

    def check_around(self, around: Neighborhood) -> None:
        """Raise ``InputError`` for elements and charge of a structure that are not known.

        Without a pair of neighbours and without charge nothing needs to be known.
        """
        if around.charge or len(around.neighbors):
            self.check(around.numbers[: around.n_local], around.charge)

    def energy(self, charge: int) -> float:
        """Return what structures of this charge have besides, in eV."""
        return self.energies.get(charge, 0.0)

    def weights(
        self, state: Mapping[str, np.ndarray], species: Sequence[int], charge: int
    ) -> dict[str, np.ndarray]:
        """Return the weights for structures of one charge, with an embedding per element.

        It is 0 for elements that are not known with this charge.
        """
        whole = state[EMBEDDING]
        own = np.zeros((len(species), whole.shape[1]), dtype=whole.dtype)
        for row, (number, of) in enumerate(self.kinds):
            if of == charge:
                own[species.index(number)] = whole[row]
        return {**state, EMBEDDING: own}


def kinds_of(numbers: IntArray, charge: int, kinds: Sequence[Kind]) -> NDArray[np.int64]:
    """Return the index of each atom's kind, (n,).

    Raises
    ------
    InputError
        If an element is not known in structures of this charge; says what is.
    """
    table = np.full(len(SYMBOLS), -1, dtype=np.int64)
    for index, (number, of) in enumerate(kinds):
        if of == charge:
            table[number] = index
    found = table[numbers]
    if (found < 0).any():
        unknown = sorted({SYMBOLS[z] for z in numbers[found < 0]})
        raise InputError(
            f"found {', '.join(unknown)} in a structure of total charge {signed(charge)}, "
            f"but this network has seen {described(kinds)}; correct the charge, or train "
            "it on such structures"
        )
    return found


def described(kinds: Sequence[Kind]) -> str:
    """Return which elements are known with which charges, in words."""
    charges = sorted({charge for _, charge in kinds})
    parts = []
    for charge in charges:
        symbols = ", ".join(SYMBOLS[z] for z, q in kinds if q == charge)
        parts.append(f"{signed(charge)} ({symbols})")
    if len(parts) == 1:
        return f"charge {parts[0]}"
    return f"charges {', '.join(parts[:-1])} and {parts[-1]}"


def signed(charge: int) -> str:
    """Return a charge with its sign, which 0 has not."""
    return f"{charge:+d}" if charge else "0"
