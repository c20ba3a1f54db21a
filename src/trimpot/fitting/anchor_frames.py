"""Frames that serve as anchors: per composition, small ones that differ."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from math import gcd
from typing import TYPE_CHECKING

import numpy as np

from trimpot.elements import SYMBOLS
from trimpot.fitting.crowding import Crowding, crowding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trimpot.contract import FloatArray, Structure
    from trimpot.data import Frame

    Composition = tuple[tuple[int, int], ...]
    """(atomic number, share) of each element, smallest whole shares."""

AT_REST = (0.97, 1.05)
"""Scales of the lowest frame between which nothing is asked, whatever the data."""

NEAR_REST = (0.95, 1.1)
"""The same for other frames, whose scale at rest is known less well."""

DOUBT = 0.87
"""Factor of these scales on a side on which the data hold no other volume than the lowest:
rest may lie beyond."""

OTHER_VOLUME = 1.06
"""Smallest ratio of volumes that differ."""

NEAR_LOWEST = 0.02
"""Frames within this many eV/atom of the lowest count as lowest: the smallest is taken."""

MOST_ATOMS = 64
"""Of the lowest frame."""

SMALL = 32
"""Most atoms of other frames."""

MOST_COMPOSITIONS = 8
"""Of several elements, the most frequent ones."""


@dataclass(frozen=True)
class Example:
    """A structure that serves as an anchor.

    Attributes
    ----------
    name : str
    structure : Structure
    bound : bool
        Its energy is below that of the isolated atoms.
    free : (float, float)
        Scales about rest between which nothing is asked.
    """

    name: str
    structure: Structure
    bound: bool
    free: tuple[float, float]


@dataclass(frozen=True)
class Group:
    """Frames of one composition with energies.

    Attributes
    ----------
    examples : tuple of Example
        Small frames that differ, the lowest first.
    bound : bool
        The lowest energy is below that of the isolated atoms.
    seen : Crowding
        Of all frames.
    rest : float
        Valence of the lowest frame.
    doubt : (float, float)
        Factors of the scales between which nothing is asked.
    """

    examples: tuple[Example, ...]
    bound: bool
    seen: Crowding
    rest: float
    doubt: tuple[float, float]


def groups_of(
    frames: Sequence[Frame],
    species: tuple[int, ...],
    e0s: FloatArray | None,
    *,
    threads: int = 0,
) -> dict[Composition, Group]:
    """Return the frames with energies by composition: elements first, then by number.

    Parameters
    ----------
    e0s : (s,) float64, optional
        Isolated-atom energies; None where the fit finds them.
    """
    members: dict[Composition, list[Frame]] = defaultdict(list)
    for frame in frames:
        if frame.energy is not None:
            members[composition_of(frame.structure)].append(frame)
    mixed = sorted((c for c in members if len(c) > 1), key=lambda c: -len(members[c]))
    chosen = [c for c in sorted(members) if len(c) == 1] + mixed[:MOST_COMPOSITIONS]
    # Where the fit finds the E0s, it can put them above any frame.
    known = {} if e0s is None else dict(zip(species, e0s.tolist(), strict=True))
    groups = {}
    for composition in chosen:
        mine = members[composition]
        seen = crowding([f.structure for f in mine], species, threads=threads)
        atoms = sum(n for _, n in composition)
        alone = sum(n * known.get(z, np.inf) for z, n in composition) / atoms
        groups[composition] = _group(_named(composition), mine, alone, seen)
    return groups


def composition_of(structure: Structure) -> Composition:
    """Return the elements with their smallest whole shares, ascending."""
    kinds, counts = np.unique(structure.numbers, return_counts=True)
    common = gcd(*counts.tolist())
    return tuple(
        (z, n // common) for z, n in zip(kinds.tolist(), counts.tolist(), strict=True)
    )


def _named(composition: Composition) -> str:
    return "".join(f"{SYMBOLS[z]}{n if n > 1 else ''}" for z, n in composition)


def _group(name: str, frames: Sequence[Frame], alone: float, seen: Crowding) -> Group:
    """Return the group; ``alone`` is the energy of isolated atoms in eV/atom."""
    energies = np.array([(f.energy or 0.0) / len(f) for f in frames])
    sizes = np.array([len(f) for f in frames])
    examples = tuple(
        Example(f"{kind} {name}", frames[k].structure, bool(energies[k] < alone), free)
        for k, kind, free in _chosen(energies, sizes, seen)
    )
    lowest = int(energies.argmin())
    bound = bool(energies[lowest] < alone)
    rest = float(seen.valence[lowest])
    return Group(examples, bound, seen, rest, _doubt(frames, lowest, seen))


def _doubt(frames: Sequence[Frame], lowest: int, seen: Crowding) -> tuple[float, float]:
    """Return factors that widen scales towards volumes of which there are no data."""
    volumes = 1.0 / np.maximum(seen.valence, np.finfo(np.float64).tiny)
    if all(f.structure.pbc.all() for f in frames):
        volumes = np.array([f.structure.volume / len(f) for f in frames])
    denser = volumes.min() < volumes[lowest] / OTHER_VOLUME
    sparser = volumes.max() > volumes[lowest] * OTHER_VOLUME
    return 1.0 if denser else DOUBT, 1.0 if sparser else 1.0 / DOUBT


def _chosen(
    energies: FloatArray, sizes: np.ndarray, seen: Crowding
) -> Iterator[tuple[int, str, tuple[float, float]]]:
    """Yield (frame, why, free scales), each frame once."""
    low = np.flatnonzero((energies <= energies.min() + NEAR_LOWEST) & (sizes <= MOST_ATOMS))
    taken: set[int] = set()
    if len(low):
        taken.add(int(low[sizes[low].argmin()]))
        yield from ((k, "lowest", AT_REST) for k in taken)
    small = np.flatnonzero(sizes <= SMALL)
    if len(small) == 0:
        return
    others = {
        "lowest small": energies[small].argmin(),
        "highest": energies[small].argmax(),
        "open": seen.coordination[small].argmin(),
    }
    if taken:
        del others["lowest small"]
    for kind, position in others.items():
        k = int(small[position])
        if k not in taken:
            taken.add(k)
            yield k, kind, NEAR_REST
