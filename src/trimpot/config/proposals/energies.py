"""Energies of isolated atoms: which source the data allow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trimpot.config.proposals.choice import Choice
from trimpot.data import isolated_atom_energies, resolve_E0s
from trimpot.elements import SYMBOLS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trimpot.data import Frame

KEY = "data.E0s"


def propose_E0s(
    frames: Sequence[Frame], train: Sequence[Frame], species: Sequence[int]
) -> Choice:
    """Return the source of the E0s of some species.

    Parameters
    ----------
    frames
        All frames of the files with training frames.
    train
        Those for training.
    species
        Atomic numbers that need a value.

    Raises
    ------
    DataError
        If frames of isolated atoms contradict each other.
    """
    found = isolated_atom_energies(frames)
    if not found or not set(species) <= found.keys():
        return _least_squares(train, species, found)
    named = ", ".join(f"{SYMBOLS[z]} {found[z]:.4f} eV" for z in species)
    why = f"There are frames of isolated atoms: {named}."
    if set(species) <= isolated_atom_energies(train).keys():
        return Choice(KEY, "isolated", why)
    table = {SYMBOLS[z]: found[z] for z in species}
    return Choice(KEY, table, f"{why} Some are outside the training frames: a table.")


def _least_squares(
    train: Sequence[Frame], species: Sequence[int], found: dict[int, float]
) -> Choice:
    e0s = resolve_E0s("least_squares", train, species)
    values = ", ".join(f"{SYMBOLS[z]} {e0s.values[z]:.4f}" for z in species)
    why = "No frame of an isolated atom"
    if found:
        missing = ", ".join(SYMBOLS[z] for z in species if z not in found)
        why = f"No frame of an isolated atom of {missing}"
    why += f": least squares on the compositions ({values} eV), without cohesive energies."
    if e0s.warnings:
        why += " They are not determined one by one."
    return Choice(KEY, "least_squares", why)
