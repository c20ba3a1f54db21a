"""Energies of isolated atoms: what a potential adds before any interaction.

Rule for frames that hold one isolated atom: they give the E0s (where the setting asks
for it) and are always left out of the rows of a fit and of least squares, because an
atom without neighbours says nothing else. ``E0s.isolated`` lists them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from trimpot.elements import SYMBOLS, atomic_number
from trimpot.errors import DataError, InputError

if TYPE_CHECKING:
    from trimpot.contract import FloatArray, IntArray
    from trimpot.data.frames import Frame

E0Choice = Literal["auto", "isolated", "least_squares", "zero"]
E0Setting = E0Choice | Mapping[str, float]

_GROUPS = {"isolatedatom", "isolatedatoms", "isoatom", "isoatoms", "isolated"}
_WIDE = 10.0  # A between images: a lone atom is isolated even if nothing says so
_NARROW = 5.0  # A between images: a lone atom is not isolated whatever its group says
_SAME = 1e-3  # eV between isolated-atom frames of one element
_IMPLAUSIBLE = 15.0  # eV/atom of binding; tungsten and carbon have 7 to 9


@dataclass(frozen=True)
class E0s:
    """Isolated-atom energies and where they come from.

    Attributes
    ----------
    values : mapping
        Energy in eV by atomic number.
    source : str
        ``isolated atoms``, ``given``, ``least squares`` or ``zero``.
    isolated : tuple of int
        Indices of the frames that hold one isolated atom, to be left out of a fit.
    warnings : tuple of str
        What looks wrong.
    """

    values: Mapping[int, float]
    source: str
    isolated: tuple[int, ...] = ()
    warnings: tuple[str, ...] = ()

    def total(self, numbers: IntArray) -> float:
        """Return the summed energy in eV of isolated atoms with these atomic numbers."""
        kinds, counts = np.unique(numbers, return_counts=True)
        energies = np.array([self.values[kind] for kind in kinds.tolist()])
        return float(counts @ energies)

    def lines(self) -> list[str]:
        """Return the energies, their source and the rule as short lines of text."""
        values = ", ".join(f"{SYMBOLS[z]} {e:.6f} eV" for z, e in self.values.items())
        text = [f"E0s ({self.source}): {values}"]
        if self.isolated:
            text.append(
                f"{len(self.isolated)} frames with one isolated atom are left out of the "
                "fit"
            )
        return text + [f"warning: {warning}" for warning in self.warnings]


def resolve_E0s(setting: E0Setting, frames: Sequence[Frame], species: Sequence[int]) -> E0s:
    """Return the isolated-atom energies of some species.

    Parameters
    ----------
    setting : "auto", "isolated", "least_squares", "zero" or mapping
        ``auto`` takes isolated-atom frames where there are any, else least squares on
        the composition. A mapping gives eV by symbol.
    frames : sequence of Frame
        Training frames.
    species : sequence of int
        Atomic numbers that need a value.

    Raises
    ------
    DataError
        If an element has no isolated-atom frame, or two that disagree.
    InputError
        If the setting is unknown, or a mapping lacks an element or has no finite value.
    """
    isolated = isolated_frames(frames)
    warnings: tuple[str, ...] = ()
    neutral = any(frames[index].structure.charge == 0 for index in isolated)
    if isinstance(setting, Mapping):
        values, source = _given(setting, species), "given"
    elif setting == "isolated" or (setting == "auto" and neutral):
        found = isolated_atom_energies(frames)
        _require(found, species)
        values, source = {z: found[z] for z in species}, "isolated atoms"
    elif setting in ("auto", "least_squares"):
        values, warnings = _least_squares(frames, isolated, species)
        source = "least squares"
    elif setting == "zero":
        values, source = dict.fromkeys(species, 0.0), "zero"
    else:
        raise InputError(
            f"E0s: found {setting!r}, expected auto, isolated, least_squares, zero or a "
            "table of energies in eV by element"
        )
    ordered = {z: values[z] for z in sorted(values)}
    result = E0s(ordered, source, isolated, warnings)
    if source == "least squares":
        return result
    return E0s(ordered, source, isolated, _binding_warnings(result, frames))


def isolated_frames(frames: Sequence[Frame]) -> tuple[int, ...]:
    """Return the indices of frames that hold one isolated atom.

    One atom is isolated if no direction is periodic, if its images are at least 10 A
    away, or if its group is IsolatedAtom (in any usual spelling).

    Raises
    ------
    DataError
        If the group says so but the frame has several atoms or images within 5 A.
    """
    return tuple(index for index, frame in enumerate(frames) if _is_isolated(frame))


def isolated_atom_energies(frames: Sequence[Frame]) -> dict[int, float]:
    """Return energies in eV by atomic number from the frames with one isolated atom.

    Ions are passed over: an E0 is of the neutral atom.

    Raises
    ------
    DataError
        If such a frame has no energy, or two of one element differ by more than 1 meV.
    """
    found: dict[int, tuple[float, str]] = {}
    for index in isolated_frames(frames):
        frame = frames[index]
        if frame.structure.charge:
            continue
        number = int(frame.structure.numbers[0])
        if frame.energy is None:
            raise DataError(
                f"{frame.source}: the isolated {SYMBOLS[number]} atom has no energy, "
                "expected one; add it, or delete the frame"
            )
        energy, source = found.setdefault(number, (frame.energy, frame.source))
        if abs(energy - frame.energy) > _SAME:
            raise DataError(
                f"isolated {SYMBOLS[number]} has {energy:.6f} eV in {source} and "
                f"{frame.energy:.6f} eV in {frame.source}, expected one value; delete the "
                "wrong frame, or give E0s as a table"
            )
    return {number: energy for number, (energy, _) in found.items()}


def _is_isolated(frame: Frame) -> bool:
    group = "".join(c for c in frame.config_type.lower() if c.isalpha())
    named = group in _GROUPS
    if len(frame) != 1:
        if named:
            raise DataError(
                f"{frame.source}: the group is {frame.config_type} but the frame has "
                f"{len(frame)} atoms, expected one; correct its config_type"
            )
        return False
    spacing = _image_distance(frame)
    if named and spacing < _NARROW:
        raise DataError(
            f"{frame.source}: the group is {frame.config_type} but periodic images are "
            f"{spacing:.2f} A away, expected an isolated atom; correct its config_type, or "
            "compute the atom in a larger cell"
        )
    return named or spacing >= _WIDE


def _image_distance(frame: Frame) -> float:
    """Return the smallest length in A of a periodic lattice vector."""
    vectors = frame.structure.cell[frame.structure.pbc]
    return float(np.linalg.norm(vectors, axis=1).min()) if len(vectors) else float("inf")


def _given(table: Mapping[str, float], species: Sequence[int]) -> dict[int, float]:
    values = {atomic_number(symbol): float(energy) for symbol, energy in table.items()}
    missing = [SYMBOLS[z] for z in species if z not in values]
    if missing:
        raise InputError(
            f"E0s: the table has no energy for {', '.join(missing)}, which occurs in the "
            "data; add it in eV"
        )
    for number, energy in values.items():
        if not np.isfinite(energy):
            raise InputError(
                f"E0s: the energy of {SYMBOLS[number]} is {energy}, expected eV as a "
                "finite number; correct it"
            )
    return {z: values[z] for z in species}


def _require(found: Mapping[int, float], species: Sequence[int]) -> None:
    missing = [SYMBOLS[z] for z in species if z not in found]
    if missing:
        present = ", ".join(SYMBOLS[z] for z in sorted(found)) or "none"
        raise DataError(
            f"E0s: no isolated-atom frame for {', '.join(missing)} (found: {present}); add "
            "one-atom frames without periodic images, give E0s as a table, or choose "
            "least_squares"
        )


def _least_squares(
    frames: Sequence[Frame], isolated: tuple[int, ...], species: Sequence[int]
) -> tuple[dict[int, float], tuple[str, ...]]:
    """Fit energies per atom by composition; the minimum-norm solution if undetermined."""
    left_out = set(isolated)
    used = [f for i, f in enumerate(frames) if i not in left_out and f.energy is not None]
    if not used:
        note = "no frame has an energy, so the E0s are zero: absolute energies mean nothing"
        return dict.fromkeys(species, 0.0), (note,)
    fractions, energies = compositions(used, species)
    solution, _, rank, _ = np.linalg.lstsq(fractions, energies, rcond=1e-8)
    values = dict(zip(species, solution.tolist(), strict=True))
    if rank == len(species):
        return values, ()
    names = ", ".join(SYMBOLS[z] for z in species)
    return values, (
        f"E0s of {names} are not determined by least squares: the data have only {rank} "
        "independent compositions; only their sum at these compositions means anything. "
        "Add isolated-atom frames or give E0s as a table if other compositions matter",
    )


def compositions(
    frames: Sequence[Frame], species: Sequence[int]
) -> tuple[FloatArray, FloatArray]:
    """Return fractions of each species (s, k) and energies per atom (s,)."""
    counts = np.array(
        [[np.count_nonzero(f.structure.numbers == z) for z in species] for f in frames],
        dtype=np.float64,
    )
    sizes = np.array([len(frame) for frame in frames], dtype=np.float64)
    energies = np.array([frame.energy for frame in frames], dtype=np.float64)
    return counts / sizes[:, None], energies / sizes


def _binding_warnings(e0s: E0s, frames: Sequence[Frame]) -> tuple[str, ...]:
    """Warn where E0s and energies are on different scales (total versus atomisation)."""
    left_out = set(e0s.isolated)
    binding = [
        (frame.energy - e0s.total(frame.structure.numbers)) / len(frame)
        for i, frame in enumerate(frames)
        if i not in left_out
        and frame.energy is not None
        and set(frame.structure.numbers.tolist()) <= e0s.values.keys()
    ]
    if not binding:
        return ()
    middle = float(np.median(binding))
    if abs(middle) <= _IMPLAUSIBLE:
        return ()
    return (
        f"with these E0s ({e0s.source}) half of the frames are beyond {middle:.1f} eV/atom "
        f"of binding, expected at most {_IMPLAUSIBLE:g}: energies and E0s seem to be on "
        "different scales (total versus atomisation energies, or different codes)",
    )
