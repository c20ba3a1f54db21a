"""Moments of a run in LAMMPS, in our frame and units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from ase.calculators.singlepoint import SinglePointCalculator

from trimpot.elements import SYMBOLS
from trimpot.engines.ase import VOIGT_COLUMNS, VOIGT_ROWS
from trimpot.engines.lammps.dump_files import FORCES, POSITIONS, VELOCITIES
from trimpot.engines.lammps.metal import MASS_FACTOR, PS
from trimpot.engines.md_samples import Sample
from trimpot.engines.md_velocities import temperature_k
from trimpot.files.lammps_box import Box
from trimpot.files.lammps_data import data_text
from trimpot.units import GPA_PER_EV_PER_A3

if TYPE_CHECKING:
    from ase import Atoms

    from trimpot.contract import IntArray
    from trimpot.engines.lammps.dump_files import Frame
    from trimpot.engines.lammps.thermo import Row
    from trimpot.engines.md_settings import MdSettings


@dataclass(frozen=True)
class Scene:
    """A structure and how LAMMPS sees it.

    Attributes
    ----------
    atoms : ase.Atoms
        At the start, with momenta.
    box : Box
        How it is turned.
    kinds : (n,) int32
        LAMMPS type of each atom, from 1.
    names : tuple of str
        Element of each type; types of one element differ in mass.
    masses : tuple of float
        Of each type, g/mol.
    """

    atoms: Atoms
    box: Box
    kinds: IntArray
    names: tuple[str, ...]
    masses: tuple[float, ...]

    @classmethod
    def of(cls, atoms: Atoms) -> Scene:
        """Return the scene of a structure."""
        box = Box.of(atoms.cell.array, atoms.pbc, atoms.positions)
        pairs = np.stack([atoms.numbers, atoms.get_masses()], axis=1)
        kinds, place = np.unique(pairs, axis=0, return_inverse=True)
        return cls(
            atoms=atoms,
            box=box,
            kinds=(1 + place.reshape(-1)).astype(np.int32),
            names=tuple(SYMBOLS[int(z)] for z in kinds[:, 0]),
            masses=tuple(float(m) for m in kinds[:, 1]),
        )

    def data(self, *, skewed: bool) -> str:
        """Return the start as a data file."""
        masses = [
            (mass * MASS_FACTOR, name)
            for mass, name in zip(self.masses, self.names, strict=True)
        ]
        return data_text(
            f"{self.atoms.symbols}, written by trimpot md; masses are scaled",
            self.box,
            self.atoms.positions,
            self.kinds,
            masses,
            velocities=self.atoms.get_velocities() * PS,  # type: ignore[no-untyped-call]
            skewed=skewed,
        )

    def sample(
        self,
        row: Row,
        settings: MdSettings,
        *,
        start_a3: float,
        grade: float | None = None,
    ) -> Sample:
        """Return what is measured at a moment, as the embedded engine measures it.

        LAMMPS counts the work of the barostat from the volume at the start, ``start_a3``.
        """
        n = len(self.atoms)
        pressure = volume = None
        if self.box.pbc.all():
            static = -float(np.trace(row.stress)) / 3.0
            moving = 2.0 * row.kinetic / (3.0 * row.volume_a3)
            pressure = (static + moving) * GPA_PER_EV_PER_A3
            volume = row.volume_a3 / n
        work = (settings.pressure_at(row.step) or 0.0) / GPA_PER_EV_PER_A3 * start_a3
        kept = settings.ensemble != "langevin" and not settings.ramped
        return Sample(
            step=row.step,
            time_fs=row.step * settings.timestep_fs,
            potential=row.potential / n,
            kinetic=row.kinetic / n,
            temperature_k=temperature_k(row.kinetic, n),
            pressure_gpa=pressure,
            conserved=(row.conserved + work) / n if kept else None,
            volume_a3=volume,
            grade=grade,
        )

    def moment(self, row: Row, frame: Frame, *, moving_cell: bool) -> Atoms:
        """Return the atoms of a frame with energy, stress, and forces if it has them."""
        atoms: Atoms = self.atoms.copy()  # type: ignore[no-untyped-call]
        if moving_cell:
            atoms.cell[:] = self.box.cell_from_lammps(row.matrix)
        atoms.positions = self.box.from_lammps(frame.vectors(POSITIONS))
        if frame.has(VELOCITIES):
            velocities = self.box.from_lammps(frame.vectors(VELOCITIES)) / PS
            atoms.arrays["momenta"] = velocities * atoms.get_masses()[:, None]
        results: dict[str, object] = {"energy": row.potential}
        if frame.has(FORCES):
            results["forces"] = self.box.from_lammps(frame.vectors(FORCES))
        if self.box.pbc.all():
            stress = self.box.tensor_from_lammps(row.stress)
            results["stress"] = stress[VOIGT_ROWS, VOIGT_COLUMNS]
        atoms.calc = SinglePointCalculator(atoms, **results)  # type: ignore[no-untyped-call]
        return atoms
