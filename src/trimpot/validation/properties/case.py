"""What a protocol measures: a phase, and what earlier protocols found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from ase import Atoms
from ase.build import bulk

from trimpot.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from trimpot.validation.properties.outcome import Outcome

    Report = Callable[[float], None]

LATTICES = {"sc": 1, "bcc": 1, "fcc": 1, "diamond": 1, "hcp": 1} | dict.fromkeys(
    ("rocksalt", "cesiumchloride", "zincblende"), 2
)
"""Known lattices and how many elements they take."""

CUBIC = tuple(name for name in LATTICES if name != "hcp")


def silent(share: float) -> None:
    """Report nothing."""


@dataclass(frozen=True)
class Phase:
    """A crystal, up to its size.

    Attributes
    ----------
    name : str
        As the suite calls it.
    lattice : str
        One of ``LATTICES``, or "file": the structure is ``given``.
    elements : tuple of str
        Element of each sublattice.
    a : float
        Lattice constant to start from, angstrom.
    c_over_a : float or None
        For hcp.
    given : ase.Atoms or None
        A structure of any kind, whose first lattice vector has the length ``a``; or a
        molecule, without periods and with an ``a`` that means nothing.
    """

    name: str
    lattice: str
    elements: tuple[str, ...]
    a: float
    c_over_a: float | None = None
    given: Atoms | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if self.lattice == "file":
            return
        if self.lattice not in LATTICES:
            raise InputError(
                f"phase {self.name}: found the lattice {self.lattice!r}, expected one of "
                f"{', '.join(LATTICES)}; or give a file (structure)"
            )
        if len(self.elements) != LATTICES[self.lattice]:
            raise InputError(
                f"phase {self.name}: {self.lattice} takes {LATTICES[self.lattice]} "
                f"element(s), found {', '.join(self.elements)}"
            )
        if not (np.isfinite(self.a) and self.a > 0.0):
            raise InputError(f"phase {self.name}: a is {self.a} A, expected a length > 0")

    @property
    def is_cubic(self) -> bool:
        """Whether its tensors are known to be cubic."""
        return self.lattice in CUBIC

    @property
    def is_molecule(self) -> bool:
        """Whether it is no crystal: a given structure without periods."""
        return self.given is not None and not self.given.pbc.any()

    def conventional(self, a: float | None = None) -> Atoms:
        """Return the conventional cell; cubic ones along the axes."""
        return self._built(self.a if a is None else a, cubic=self.is_cubic)

    def primitive(self, a: float | None = None) -> Atoms:
        """Return the primitive cell; of a file, its cell."""
        return self._built(self.a if a is None else a, cubic=False)

    def _built(self, a: float, *, cubic: bool) -> Atoms:
        if self.given is not None:
            atoms: Atoms = self.given.copy()
            if self.is_molecule:
                return atoms
            atoms.set_cell(atoms.cell.array * (a / self.a), scale_atoms=True)
            return atoms
        name = "".join(self.elements)
        if self.lattice == "hcp":
            return bulk(name, "hcp", a=a, covera=self.c_over_a)
        cubic = cubic or self.lattice == "sc"  # the same cell
        return bulk(name, self.lattice, a=a, cubic=cubic)


@dataclass(frozen=True)
class Case:
    """What is measured.

    Attributes
    ----------
    phase : Phase
        The crystal.
    needs : mapping of str to Outcome
        What earlier protocols found, by the name of the need, such as "lattice".
    """

    phase: Phase
    needs: Mapping[str, Outcome] = field(default_factory=dict)

    @property
    def a0(self) -> float:
        """Lattice constant: what the need ``lattice`` found, else that of the phase."""
        found = self.needs.get("lattice")
        return self.phase.a if found is None else found.number("a0")
