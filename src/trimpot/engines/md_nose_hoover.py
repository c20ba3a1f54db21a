"""Constant temperature, and constant temperature and pressure, with Nose-Hoover chains.

ASE has integrators of the same equations, which give the same motion with ``dof`` 3N and
``cell_dof`` 9. They are not used here because their centre of mass rests, which leaves
3N - 3 degrees of freedom, and their cell cannot rotate, which leaves 6: atoms and cell come
out too hot. Nor have they a state that a run can go on from.

References
----------
G. J. Martyna, D. J. Tobias, M. L. Klein, J. Chem. Phys. 101, 4177 (1994).
M. E. Tuckerman et al., J. Phys. A 39, 5629 (2006): how a step is split.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import exprel

from trimpot.engines.md_chains import Chain
from trimpot.engines.md_velocities import degrees_of_freedom, twice_kinetic

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ase import Atoms

    from trimpot.contract import FloatArray

Modes = tuple["FloatArray", "FloatArray | None"]
"""Strain rates along axes, and these; one number and None for all directions alike."""

SYMMETRIC_DOF = 6
"""Of a cell that cannot rotate."""


class NoseHooverThermostat:
    """Constant volume and temperature: a chain holds the velocities of the atoms.

    Parameters
    ----------
    atoms : ase.Atoms
        With momenta and a calculator; changed by every step.
    timestep : float
        In ASE's unit of time.
    kt : float
        kT in eV, > 0.
    thermostat_time : float
        In ASE's unit of time.
    dof : int, optional
        Degrees of freedom of the velocities; 3N - 3 unless given.
    """

    needs_stress = False

    def __init__(
        self,
        atoms: Atoms,
        timestep: float,
        *,
        kt: float,
        thermostat_time: float,
        dof: int | None = None,
    ) -> None:
        self.atoms = atoms
        self.timestep = timestep
        self.kt = kt
        self.masses: FloatArray = atoms.get_masses()
        self.dof = degrees_of_freedom(len(atoms)) if dof is None else dof
        self.chain = Chain.of(self.dof, kt, thermostat_time)

    def set_targets(self, kt: float, pressure: float) -> None:  # noqa: ARG002
        """Hold another temperature (kT in eV) from now on."""
        self.kt = kt

    def step(self) -> None:
        """Take a step."""
        half = 0.5 * self.timestep
        p = self._thermalised(self.atoms.get_momenta(), half)  # type: ignore[no-untyped-call]
        p += half * self._forces()
        self.atoms.positions += self.timestep * p / self.masses[:, None]
        p += half * self._forces()
        self.atoms.arrays["momenta"] = self._thermalised(p, half)

    def extended_energy(self) -> float:
        """Return the energy of the chain, eV."""
        return self.chain.energy

    def state(self) -> dict[str, object]:
        """Return what is needed to go on, besides the atoms."""
        return {"chain": self.chain.state()}

    def restore(self, state: Mapping[str, Mapping[str, object]]) -> None:
        """Go on from a state."""
        self.chain.restore(state["chain"])

    def _thermalised(self, momenta: FloatArray, duration: float) -> FloatArray:
        held = twice_kinetic(momenta, self.masses)
        return momenta * self.chain.scale(held, self.kt, duration)

    def _forces(self) -> FloatArray:
        forces: FloatArray = self.atoms.get_forces(md=True)  # type: ignore[no-untyped-call]
        return forces


class NoseHooverBarostat(NoseHooverThermostat):
    """Constant pressure and temperature (Martyna, Tobias and Klein).

    Strain rates of the cell are a symmetric matrix v, so the cell does not rotate; without
    ``shape`` it is a multiple of 1, and the cell keeps its shape. One chain holds the
    velocities of the atoms, another one those of the cell. The pressure that is held
    contains the kinetic part.

    Parameters
    ----------
    atoms, timestep, kt, thermostat_time, dof
        As ``NoseHooverThermostat``; three periodic directions.
    pressure : float
        In eV/A^3.
    barostat_time : float
        In ASE's unit of time.
    shape : bool
        Whether lengths and angles of the cell change, not only its volume.
    cell_dof : int, optional
        Degrees of freedom of the strain rates; 6 with ``shape``, 1 without, unless given.
    """

    needs_stress = True

    def __init__(
        self,
        atoms: Atoms,
        timestep: float,
        *,
        kt: float,
        thermostat_time: float,
        pressure: float,
        barostat_time: float,
        shape: bool,
        dof: int | None = None,
        cell_dof: int | None = None,
    ) -> None:
        super().__init__(atoms, timestep, kt=kt, thermostat_time=thermostat_time, dof=dof)
        self.pressure = pressure
        self.shape = shape
        usual = SYMMETRIC_DOF if shape else 1
        self.cell_chain = Chain.of(
            usual if cell_dof is None else cell_dof, kt, barostat_time
        )
        self.inertia = (self.dof + 3) * kt * barostat_time**2 / 3.0
        self.rates = np.zeros((3, 3))
        self.work = pressure * float(atoms.get_volume())  # type: ignore[no-untyped-call]

    def set_targets(self, kt: float, pressure: float) -> None:
        """Hold another temperature (kT in eV) and pressure (eV/A^3) from now on."""
        self.kt, self.pressure = kt, pressure

    def step(self) -> None:
        """Take a step."""
        half = 0.5 * self.timestep
        self._thermalise_cell(half)
        p = self._thermalised(self.atoms.get_momenta(), half)  # type: ignore[no-untyped-call]
        self._push_cell(p, half)
        modes = self._modes()
        slow, push = self._drag(modes, half)
        p = times(p, slow) + half * times(self._forces(), push)
        self._drift(p, modes)
        p = times(p, slow) + half * times(self._forces(), push)
        self._push_cell(p, half)
        self.atoms.arrays["momenta"] = self._thermalised(p, half)
        self._thermalise_cell(half)

    def extended_energy(self) -> float:
        """Return the energy of chains and barostat and the work done on the outside, eV."""
        moving = 0.5 * self.inertia * float(np.sum(self.rates**2))
        return self.chain.energy + self.cell_chain.energy + moving + self.work

    def state(self) -> dict[str, object]:
        """Return what is needed to go on, besides the atoms."""
        return {
            **super().state(),
            "cell_chain": self.cell_chain.state(),
            "barostat": {
                "rates": self.rates,
                "inertia": self.inertia,
                "work": self.work,
            },
        }

    def restore(self, state: Mapping[str, Mapping[str, object]]) -> None:
        """Go on from a state."""
        super().restore(state)
        self.cell_chain.restore(state["cell_chain"])
        barostat = state["barostat"]
        self.rates = np.array(barostat["rates"], dtype=np.float64)
        self.inertia = float(str(barostat["inertia"]))  # text keeps every bit
        self.work = float(str(barostat["work"]))

    def _thermalise_cell(self, duration: float) -> None:
        held = self.inertia * float(np.sum(self.rates**2))
        self.rates = self.rates * self.cell_chain.scale(held, self.kt, duration)

    def _push_cell(self, momenta: FloatArray, duration: float) -> None:
        """Accelerate the cell by internal minus external pressure."""
        volume = float(self.atoms.get_volume())  # type: ignore[no-untyped-call]
        stress = self.atoms.get_stress(voigt=False)  # type: ignore[no-untyped-call]
        velocities = momenta / self.masses[:, None]
        if self.shape:
            kinetic = np.einsum("ia,ib->ab", momenta, velocities)
            kinetic = 0.5 * (kinetic + kinetic.T)
            held = float(np.trace(kinetic))
            inside = kinetic - volume * stress
        else:
            held = float(np.sum(momenta * velocities))
            inside = (held - volume * float(np.trace(stress))) / 3.0 * np.eye(3)
        outside = volume * self.pressure - held / self.dof
        self.rates = self.rates + duration / self.inertia * (inside - outside * np.eye(3))

    def _modes(self) -> Modes:
        """Return eigenvalues and eigenvectors (columns) of the strain rates."""
        if self.shape:
            values, vectors = np.linalg.eigh(self.rates)
            return values, vectors
        return self.rates[0, 0], None

    def _drag(self, modes: Modes, duration: float) -> tuple[FloatArray, FloatArray]:
        """Return what momenta and forces are multiplied by while both act together."""
        rates, vectors = modes
        x = -duration * (rates + np.trace(self.rates) / self.dof)
        return composed(np.exp(x), vectors), composed(exprel(x), vectors)

    def _drift(self, momenta: FloatArray, modes: Modes) -> None:
        """Move and stretch the atoms, and the cell with them."""
        atoms, strains, vectors = self.atoms, self.timestep * modes[0], modes[1]
        stretch = composed(np.exp(strains), vectors)
        moved = times(momenta / self.masses[:, None], composed(exprel(strains), vectors))
        before = float(atoms.get_volume())  # type: ignore[no-untyped-call]
        atoms.positions = times(atoms.positions, stretch) + self.timestep * moved
        atoms.cell[:] = times(atoms.cell.array, stretch)
        after = float(atoms.get_volume())  # type: ignore[no-untyped-call]
        self.work += self.pressure * (after - before)


def composed(values: FloatArray, vectors: FloatArray | None) -> FloatArray:
    """Return the symmetric (3, 3) matrix with these eigenvalues and eigenvectors.

    Without eigenvectors it is a multiple of 1, and the factor is returned.
    """
    if vectors is None:
        return values
    matrix: FloatArray = (vectors * values) @ vectors.T
    return 0.5 * (matrix + matrix.T)


def times(rows: FloatArray, matrix: FloatArray) -> FloatArray:
    """Return (n, 3) rows times a matrix or factor; the same bits for any threads."""
    product: FloatArray
    if matrix.ndim == 0:
        product = rows * matrix
        return product
    product = rows[:, :1] * matrix[0]
    product += rows[:, 1:2] * matrix[1]
    product += rows[:, 2:] * matrix[2]
    return product
