"""Structures that dynamics can move, and refusals of those that it cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trimpot.contract import NO_STRESS, is_conservative
from trimpot.engines.charges import charge_info
from trimpot.errors import InputError

if TYPE_CHECKING:
    from ase import Atoms

    from trimpot.contract import Potential
    from trimpot.engines.md_settings import MdSettings

KEPT_COLUMNS = ("numbers", "positions", "momenta", "masses")
"""Columns of the structure that dynamics carries along, in the order of trajectories."""


def check_forces_of(potential: Potential, settings: MdSettings) -> None:
    """Refuse ensembles that need a gradient where forces are none.

    Raises
    ------
    InputError
        For constant energy or pressure with forces that are predicted directly.
    """
    if is_conservative(potential):
        return
    if settings.constant_pressure:
        raise InputError(f"ensemble {settings.ensemble}: {NO_STRESS}; or use langevin")
    if settings.ensemble == "nve":
        raise InputError(
            "ensemble nve keeps the energy, found a potential whose forces are predicted "
            "directly (model.forces: direct) and do not; use langevin or nvt, where a "
            "thermostat takes up what they gain or lose; or train a potential with forces: "
            "gradient, which may start from this one (training.start)"
        )


def check_atoms(atoms: Atoms, settings: MdSettings, potential: Potential) -> None:
    """Refuse structures that cannot be run, or whose cell is too small for a potential.

    Raises
    ------
    InputError
        Naming what is wrong and what to do.
    """
    if len(atoms) < 2:
        raise InputError(
            f"the structure has {len(atoms)} atoms, expected at least 2: the centre of "
            "mass rests, so fewer cannot move; repeat the cell"
        )
    if atoms.constraints:
        kinds = ", ".join(sorted({type(c).__name__ for c in atoms.constraints}))
        raise InputError(
            f"the structure has constraints ({kinds}), expected none: dynamics moves every "
            "atom; remove them (selective dynamics, move_mask), or use trimpot.Calculator "
            "with ASE's integrators"
        )
    if not (atoms.get_masses() > 0.0).all():
        atom = int(np.argmin(atoms.get_masses()))
        raise InputError(
            f"mass of atom {atom} is {atoms.get_masses()[atom]} amu, expected > 0; "
            "correct the masses of the structure"
        )
    if settings.constant_pressure:
        _check_cell(atoms, settings, potential.cutoff)


def movable(atoms: Atoms) -> Atoms:
    """Return a copy with what moves and the charge: other fields would go stale."""
    moving: Atoms = atoms.copy()  # type: ignore[no-untyped-call]
    moving.info = dict(charge_info(atoms))
    if "momenta" not in moving.arrays:
        moving.set_momenta(np.zeros((len(moving), 3)))  # type: ignore[no-untyped-call]
    kept = [name for name in KEPT_COLUMNS if name in moving.arrays]
    moving.arrays = {name: moving.arrays[name] for name in kept}
    return moving


def _check_cell(atoms: Atoms, settings: MdSettings, cutoff: float) -> None:
    """Refuse cells that a barostat cannot hold."""
    if not atoms.pbc.all():
        raise InputError(
            f"ensemble {settings.ensemble} needs three periodic directions, found pbc "
            f"{atoms.pbc.tolist()}: a surface or cluster has no pressure; use nvt or "
            "langevin"
        )
    volume = float(atoms.get_volume())  # type: ignore[no-untyped-call]
    heights = volume / np.linalg.norm(
        np.cross(atoms.cell.array[[1, 2, 0]], atoms.cell.array[[2, 0, 1]]), axis=1
    )
    if (heights < cutoff).any():
        thin = int(np.argmin(heights))
        raise InputError(
            f"the cell is {heights[thin]:.2f} A thick along vector {'abc'[thin]}, "
            f"expected at least the cutoff of {cutoff:g} A for ensemble "
            f"{settings.ensemble}: smaller cells fluctuate too much for a barostat; "
            "repeat the cell (--supercell)"
        )
