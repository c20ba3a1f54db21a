"""ASE calculator of LAMMPS' own pair styles: energies, forces and stress of one ``lmp``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from ase.calculators.calculator import Calculator as AseCalculator
from ase.calculators.calculator import PropertyNotImplementedError, all_changes
from ase.data import atomic_masses, chemical_symbols

from trimpot.elements import atomic_number
from trimpot.engines.lammps.metal import BAR_PER_EV_A3
from trimpot.engines.lammps.session import Session
from trimpot.errors import EngineError, InputError, NonFiniteResultError
from trimpot.files.lammps_box import Box
from trimpot.files.lammps_data import data_text, places_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ase import Atoms

    from trimpot.contract import FloatArray

DATA, MOVED, FORCES = "structure.data", "moved.dump", "forces.dump"

DIGITS = "%22.17g"


@dataclass(frozen=True)
class PairLines:
    """A potential as commands of LAMMPS (units metal, atom_style atomic).

    Attributes
    ----------
    lines : tuple of str
        Commands from ``pair_style`` on.
    elements : tuple of str
        Element of each atom type, in the order that the lines mean.
    folder : Path or None
        Where files named in the lines are.
    """

    lines: tuple[str, ...]
    elements: tuple[str, ...]
    folder: Path | None = None

    def __post_init__(self) -> None:
        if not any(line.split()[:1] == ["pair_style"] for line in self.lines):
            raise InputError(
                f"lines of LAMMPS have no pair_style, found {list(self.lines)}; give "
                "pair_style and pair_coeff"
            )
        if not self.elements or len(set(self.elements)) < len(self.elements):
            raise InputError(
                f"elements are {list(self.elements)}, expected one per atom type, each "
                "once; name them in the order of pair_coeff"
            )

    @property
    def species(self) -> tuple[int, ...]:
        """Atomic number of each atom type."""
        return tuple(atomic_number(symbol) for symbol in self.elements)


class LammpsCalculator(AseCalculator):
    """Energy, forces and stress of a pair style, computed by an ``lmp`` that stays.

    It is started by the first calculation and ends with the calculator. Cells may have any
    shape; stress needs three periodic directions. Where the same atoms of a crystal have
    only moved, LAMMPS keeps the potential and reads new places; everything else is set up
    anew. What moves for long is better run by LAMMPS itself.

    Parameters
    ----------
    potential
        Its commands.
    lmp
        The executable; None: the one that is found.

    Notes
    -----
    Conventions as ``trimpot.engines.ase.Calculator``: eV, A, stress in eV/A^3 with tension
    positive, Voigt order xx yy zz yz xz xy.
    """

    name: ClassVar[str] = "lammps"
    implemented_properties: list[str] = [  # noqa: RUF012 - ASE declares it so
        "energy",
        "free_energy",
        "forces",
        "stress",
    ]

    def __init__(self, potential: PairLines, lmp: str | Path | None = None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # ASE has no types here
        self.potential = potential
        self._lmp = lmp
        self._session: Session | None = None
        self._held: tuple[object, ...] | None = None

    def close(self) -> None:
        """End ``lmp``; the next calculation starts another one."""
        if self._session is not None:
            self._session.close()
        self._session = None

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Sequence[str] = ("energy",),
        system_changes: Sequence[str] = tuple(all_changes),
    ) -> None:
        """Fill ``results`` for these atoms; ASE calls this when something changed.

        Raises
        ------
        InputError
            No atoms, or an element that the potential does not know.
        EngineError
            LAMMPS failed; the message quotes it.
        NonFiniteResultError
            NaN or infinity in the result.
        PropertyNotImplementedError
            Stress of a structure that is not periodic in three directions.
        """
        if atoms is None:
            raise InputError("calculator has no atoms; set atoms.calc or give atoms")
        if "stress" in properties and not atoms.pbc.all():
            raise PropertyNotImplementedError(
                "stress needs three periodic directions; set atoms.pbc"
            )
        super().calculate(atoms, properties, system_changes)  # type: ignore[no-untyped-call]
        self.results = {}
        box = Box.of(atoms.cell.array, np.asarray(atoms.pbc), atoms.positions)
        energy, pressure, forces = self._asked(atoms, box)
        if not (np.isfinite(energy) and np.isfinite(forces).all()):
            raise NonFiniteResultError(
                f"LAMMPS found the energy {energy} eV with {self.potential.lines[0]}, "
                "expected finite numbers; atoms may be too close to each other"
            )
        self.results = {
            "energy": energy,
            "free_energy": energy,
            "forces": box.from_lammps(forces),
        }
        if atoms.pbc.all():
            self.results["stress"] = _stress(pressure, box)

    def _asked(self, atoms: Atoms, box: Box) -> tuple[float, FloatArray, FloatArray]:
        """Return energy, pressure (6,) in bar and forces in LAMMPS' frame."""
        if self._session is None or not self._session.alive:
            self._session = Session(self._lmp, self.potential.folder)
            self._held = None
        folder = self._session.folder
        held = (atoms.numbers.tobytes(), box.is_skewed, bool(atoms.pbc.all()))
        if held == self._held and atoms.pbc.all():
            (folder / MOVED).write_text(places_text(box, atoms.positions), encoding="utf-8")
            commands = _commands_moved(folder)
        else:
            (folder / DATA).write_text(self._data(atoms, box), encoding="utf-8")
            commands = _commands(self.potential.lines, box, folder)
        self._held = None  # until LAMMPS has answered
        answer = [
            f"$(pe:{DIGITS})",
            *(f"$(c_virial[{k}]:{DIGITS})" for k in range(1, 7)),
        ]
        words = self._session.ask(commands, " ".join(answer))
        if len(words) != len(answer):
            raise EngineError(f"LAMMPS answered {words}, expected {len(answer)} numbers")
        self._held = held
        numbers = np.array([float(word) for word in words])
        table = np.loadtxt(folder / FORCES, skiprows=9, ndmin=2)
        return float(numbers[0]), numbers[1:], table[:, 1:]

    def _data(self, atoms: Atoms, box: Box) -> str:
        species = self.potential.species
        found = {chemical_symbols[z] for z in atoms.numbers}
        unknown = sorted(found - set(self.potential.elements))
        if unknown:
            raise InputError(
                f"the potential knows {', '.join(self.potential.elements)}, found "
                f"{', '.join(unknown)}; use one that knows all elements"
            )
        kinds = np.array([species.index(int(z)) + 1 for z in atoms.numbers], dtype=np.int32)
        masses = [
            (float(atomic_masses[z]), s)
            for z, s in zip(species, self.potential.elements, strict=True)
        ]
        return data_text("trimpot", box, atoms.positions, kinds, masses)


def _commands(lines: Sequence[str], box: Box, folder: Path) -> list[str]:
    """Return what LAMMPS does for a structure: everything anew, so nothing lingers."""
    return [
        "clear",
        "units metal",
        "atom_style atomic",
        "atom_modify map array sort 0 0.0",
        f"boundary {box.boundary}",
        "box tilt large",
        f'read_data "{folder / DATA}"',
        *lines,
        "neighbor 1.0 bin",
        "compute virial all pressure NULL virial",
        "thermo_style custom step pe c_virial[1]",
        *_commands_computed(folder),
    ]


def _commands_moved(folder: Path) -> list[str]:
    """Return what LAMMPS does for the same atoms elsewhere: the potential stays."""
    return [
        f'read_dump "{folder / MOVED}" 0 x y z box yes',
        *_commands_computed(folder),
    ]


def _commands_computed(folder: Path) -> list[str]:
    return [
        "run 0 post no",
        f'write_dump all custom "{folder / FORCES}" id fx fy fz modify sort id '
        f"format float {DIGITS}",
    ]


def _stress(pressure: FloatArray, box: Box) -> FloatArray:
    """Return the stress (6,) in our frame from LAMMPS' pressure in bar."""
    xx, yy, zz, xy, xz, yz = -pressure / BAR_PER_EV_A3
    tensor = np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
    ours = box.tensor_from_lammps(tensor)
    return np.array(
        [ours[i, j] for i, j in ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))]
    )
