"""A constant energy of each total charge, beside the energies of isolated atoms."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from trimpot.data.baselines import compositions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trimpot.data.baselines import E0s
    from trimpot.data.frames import Frame


DIGITS = 9
"""Of constants in eV: what is less is rounding of least squares."""


def with_charge_energies(
    e0s: E0s, frames: Sequence[Frame], species: Sequence[int]
) -> tuple[E0s, dict[int, float]]:
    """Return energies of isolated atoms, and a constant in eV by total charge.

    Least squares of what the E0s leave, per atom, on the composition and the charge of a
    frame: the constant of charge q is what its frames have more than neutral ones of the
    same composition, 0 for q = 0. E0s from least squares take their part; others stay as
    they are, for atoms alone have these energies. Where compositions and charges do not
    determine all of it, the solution has the smallest norm.

    Parameters
    ----------
    e0s : E0s
    frames : sequence of Frame
        Without isolated atoms.
    species : sequence of int
        Atomic numbers.
    """
    charges = sorted({frame.structure.charge for frame in frames})
    used = [frame for frame in frames if frame.energy is not None]
    constants = dict.fromkeys(charges, 0.0)
    if not used:
        return e0s, constants
    fractions, energies = compositions(used, species)
    sizes = np.array([len(frame) for frame in used], dtype=np.float64)
    of_frames = np.array([frame.structure.charge for frame in used])
    charged = [charge for charge in charges if charge]
    columns = [(of_frames == charge) / sizes for charge in charged]
    left = energies - fractions @ np.array([e0s.values[z] for z in species])
    table = np.column_stack([fractions, *columns])
    solution = np.linalg.lstsq(table, left, rcond=1e-8)[0].tolist()
    found = np.round(solution[len(species) :], DIGITS) + 0.0  # + 0.0 makes -0.0 to 0.0
    constants |= zip(charged, found.tolist(), strict=True)
    if e0s.source == "least squares":
        steps = zip(species, solution, strict=False)
        e0s = replace(
            e0s, values={**e0s.values, **{z: e0s.values[z] + d for z, d in steps}}
        )
    return e0s, constants
