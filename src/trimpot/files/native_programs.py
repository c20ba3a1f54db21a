"""Which potentials programs without Python can compute, such as LAMMPS with our plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trimpot.errors import InputError
from trimpot.networks.potential import NetworkPotential

if TYPE_CHECKING:
    from trimpot.contract import Potential


def refuse_uncompiled(potential: Potential, program: str, instead: str) -> None:
    """Raise for a network that only this package computes.

    Parameters
    ----------
    potential
        Any; all but networks pass.
    program, instead
        Words for the message: who would run it, and what to do instead.

    Raises
    ------
    InputError
        For direct forces, pooled energies and networks that tell total charges apart.
    """
    if not isinstance(potential, NetworkPotential):
        return
    reason = _reason(potential, program)
    if reason:
        raise InputError(f"{reason}; {instead}")


def _reason(potential: NetworkPotential, program: str) -> str:
    if potential.charges is not None:
        return (
            "this network tells total charges apart (model.charges), which "
            f"{program} does not know"
        )
    if not potential.conservative:
        return (
            "the forces of this network are predicted directly (model.forces: direct); "
            f"{program} takes those that are the gradient of the energy"
        )
    if not potential.settings.compiled:
        return (
            "the energy of this network is pooled over all atoms (model.readout: pooled), "
            f"no sum that processes of {program} could share"
        )
    return ""
