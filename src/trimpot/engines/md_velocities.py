"""Velocities at the start of dynamics: those of the structure, or new ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from ase import units

from trimpot.errors import InputError

if TYPE_CHECKING:
    from ase import Atoms

    from trimpot.contract import FloatArray
    from trimpot.engines.md_settings import MdSettings

STILL = 1e-6
"""Share of the momenta, due to the motion of the whole, below which none is reported."""


def degrees_of_freedom(n_atoms: int) -> int:
    """Return the degrees of freedom of atoms whose total momentum is zero."""
    return 3 * n_atoms - 3


def temperature_k(kinetic_energy: float, n_atoms: int) -> float:
    """Return the kinetic temperature in K, for zero total momentum and energies in eV."""
    return 2.0 * kinetic_energy / (degrees_of_freedom(n_atoms) * units.kB)


def twice_kinetic(momenta: FloatArray, masses: FloatArray) -> float:
    """Return sum p^2/m, in eV for ASE's units; the same bits for any number of threads."""
    return float(np.sum(momenta * momenta / masses[:, None]))


def set_starting_velocities(atoms: Atoms, settings: MdSettings) -> str:
    """Give ``atoms`` momenta with a total of zero, and return how, as a sentence.

    Velocities that the structure brings are kept, but for the motion of its centre of
    mass. Otherwise they are drawn from the Maxwell-Boltzmann distribution and scaled to
    the temperature of the settings exactly.

    Raises
    ------
    InputError
        If there are neither velocities nor a temperature, or velocities are not finite.
    """
    given = atoms.arrays.get("momenta")
    if given is not None and np.any(given):
        return _keep(atoms, given, settings)
    if settings.temperature_k is None:
        raise InputError(
            "the structure has no velocities and no temperature is set; give a "
            "temperature, or a structure with momenta"
        )
    masses = atoms.get_masses()
    noise = np.random.default_rng(settings.seed).standard_normal((len(atoms), 3))
    momenta = at_rest(noise * np.sqrt(masses)[:, None], masses)
    found = temperature_k(0.5 * twice_kinetic(momenta, masses), len(atoms))
    momenta = momenta * np.sqrt(settings.temperature_k / found)
    atoms.set_momenta(momenta)  # type: ignore[no-untyped-call]
    return f"new velocities of {settings.temperature_k:g} K, seed {settings.seed}"


def at_rest(momenta: FloatArray, masses: FloatArray) -> FloatArray:
    """Return momenta (n, 3) without the motion of the centre of mass."""
    velocity = momenta.sum(axis=0) / masses.sum()
    rest: FloatArray = momenta - masses[:, None] * velocity
    return rest


def _keep(atoms: Atoms, given: FloatArray, settings: MdSettings) -> str:
    masses = atoms.get_masses()
    if not np.isfinite(given).all():
        atom = int(np.flatnonzero(~np.isfinite(given).all(axis=1))[0])
        raise InputError(
            f"momentum of atom {atom} is {given[atom].tolist()}, expected finite numbers; "
            "remove the momenta from the structure to draw new velocities"
        )
    momenta = at_rest(given, masses)
    moving = np.abs(momenta - given).max() > STILL * np.abs(given).max()
    atoms.set_momenta(momenta)  # type: ignore[no-untyped-call]
    found = temperature_k(0.5 * twice_kinetic(momenta, masses), len(atoms))
    text = f"velocities of the structure kept, {found:.1f} K"
    if settings.ensemble == "nve" and settings.temperature_k is not None:
        text += f"; the temperature {settings.temperature_k:g} K is not used"
    return f"{text}; motion of the centre of mass removed" if moving else text
