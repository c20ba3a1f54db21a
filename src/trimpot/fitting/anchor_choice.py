"""Which paths the anchors take, and between which scales nothing is asked of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations, combinations_with_replacement
from typing import TYPE_CHECKING

import numpy as np

from trimpot.elements import covalent_radius, group_name
from trimpot.fitting.anchor_frames import AT_REST, Example, groups_of
from trimpot.fitting.crowding import crowding
from trimpot.fitting.paths import (
    Path,
    approaching,
    bending,
    cluster,
    compressed,
    expanded,
    lattice,
    repeated,
    repelling,
    scaled,
)
from trimpot.neighbors import neighborhood
from trimpot.splines.packing import pack
from trimpot.splines.profile import PairProfile, pair_profile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from trimpot.contract import FloatArray, Structure
    from trimpot.data import Frame
    from trimpot.fitting.anchor_frames import Composition, Group

    Groups = Mapping[Composition, Group]

INNERMOST = 0.3
"""Where atoms that close in end, over the shortest distances of the data."""

GUESSED = (0.92, 1.15)
"""Scales of crystals about rest between which nothing is asked."""

BENT = 1.12
"""Scale about rest from which on the pressure of crystals without data does not fall on
compression. By the universal binding curve (Rose et al.) energy is convex over volume up to
1.13 or more."""

PAST = 0.97
"""Where that ends, over the scale from which on compression demands more."""

DENSEST = 0.6
"""Smallest scale about rest; 0.8 over the start of a path where that is smaller."""

MOST_NEIGHBORS = 300
"""Of an atom within the largest cutoff: no structure is made denser than that."""

TRIED = np.geomspace(0.4, 2.5, 93)
"""Scales at which the crowding of a structure is known, 2 % apart."""

ALIKE = 2.0
"""Largest ratio of the coordinations of structures that one another's data describe."""

APART = 1e-6
"""Valence of atoms without neighbours."""

SHORTEST_WAY = 0.9
"""Largest ratio of end and start of a way to smaller scales."""

FEWEST_ATOMS = 8
"""Of a crystal in which an atom moves; smaller cells are repeated."""

FLATTEST = 0.95
"""Longest side of a triangle over the sum of the others."""

ELEMENT_LATTICES = ("fcc", "bcc", "sc", "diamond")
PAIR_LATTICES = ("CsCl", "NaCl", "ZnS")


@dataclass(frozen=True)
class Window:
    """Scales of a structure.

    Attributes
    ----------
    rest : float
        Where it is at rest, about.
    low, high : float
        Between them energies may do anything.
    known : bool
        Data of like structures made them wider apart.
    """

    rest: float
    low: float
    high: float
    known: bool


def anchor_paths(
    frames: Sequence[Frame],
    species: tuple[int, ...],
    e0s: FloatArray | None,
    *,
    reach: float,
    threads: int = 0,
) -> Iterator[Path]:
    """Yield the paths: of every kind one in turn, so that they can be cut anywhere.

    Parameters
    ----------
    e0s : (s,) float64, optional
        Isolated-atom energies; None where the fit finds them.
    reach : float
        Largest cutoff of the model, angstrom.
    """
    packed = pack([f.structure for f in frames], species)
    profile = pair_profile(packed, reach, bins=1, threads=threads)
    groups = groups_of(frames, species, e0s, threads=threads)
    kinds = [
        _dimers(profile),
        _examples(groups, profile),
        _crystals(groups, profile),
        _trimers(profile),
    ]
    while kinds:
        for kind in list(kinds):
            path = next(kind, None)
            if path is None:
                kinds.remove(kind)
            else:
                yield path


def _dimers(profile: PairProfile) -> Iterator[Path]:
    for pair in combinations_with_replacement(profile.species, 2):
        dimer = cluster(pair, np.outer([0.0, profile.shortest(*pair)], [1.0, 0.0, 0.0]))
        yield repelling(f"dimer {group_name(pair)}", dimer, 1.0, INNERMOST)


def _trimers(profile: PairProfile) -> Iterator[Path]:
    """Yield triangles and straight lines whose sides are the shortest distances."""
    for trio in combinations_with_replacement(profile.species, 3):
        a, b, c = trio
        sides = profile.shortest(a, b), profile.shortest(a, c), profile.shortest(b, c)
        triangle = cluster(trio, _triangle(*sides))
        yield repelling(f"triangle {group_name(trio)}", triangle, 1.0, INNERMOST)
    for centre in profile.species:
        for a, b in combinations_with_replacement(profile.species, 2):
            ends = -profile.shortest(centre, a), 0.0, profile.shortest(centre, b)
            line = cluster((a, centre, b), np.outer(ends, [1.0, 0.0, 0.0]))
            name = f"line {group_name((a, centre, b))}"
            yield repelling(name, line, 1.0, INNERMOST)


def _triangle(ab: float, ac: float, bc: float) -> FloatArray:
    """Return corners with these sides, equal ones where they make no proper triangle."""
    longest = max(ab, ac, bc)
    if longest > FLATTEST * (ab + ac + bc - longest):
        ab = ac = bc = longest
    x = (ab**2 + ac**2 - bc**2) / (2.0 * ab)
    return np.array([[0.0, 0.0, 0.0], [ab, 0.0, 0.0], [x, np.sqrt(ac**2 - x**2), 0.0]])


def _examples(groups: Groups, profile: PairProfile) -> Iterator[Path]:
    """Yield the ways of data frames, first of the lowest of every group."""
    found = [(e, group) for group in groups.values() for e in group.examples]
    for example, group in sorted(found, key=lambda pair: pair[0].free != AT_REST):
        window = _window(example, group, profile.species)
        if window is not None:
            yield from _around(example, window, profile)
            yield from _approaching(example, profile)


def _crystals(groups: Groups, profile: PairProfile) -> Iterator[Path]:
    """Yield crystals of every element and of every two, one to one."""
    for name in ELEMENT_LATTICES:
        for z in profile.species:
            yield from _crystal(name, (z, z), groups.get(((z, 1),)), profile)
    for name in PAIR_LATTICES:
        for pair in combinations(profile.species, 2):
            group = groups.get(((pair[0], 1), (pair[1], 1)))
            yield from _crystal(name, pair, group, profile)


def _crystal(
    name: str, pair: tuple[int, int], group: Group | None, profile: PairProfile
) -> Iterator[Path]:
    base = lattice(name, pair)
    title = f"{name} {group_name(tuple(dict.fromkeys(pair)))}"
    if group is None:
        # Nothing is known of such crystals but how close the two may come.
        touching = scaled(base, profile.shortest(*pair))
        yield from _closing(title, touching, 1.0, DENSEST, profile.cutoff)
        return
    radii = covalent_radius(pair[0]) + covalent_radius(pair[1])
    crystal = Example(title, scaled(base, radii), group.bound, GUESSED)
    window = _window(crystal, group, profile.species)
    if window is not None:
        yield from _around(crystal, window, profile)
        if not window.known:
            start, end = BENT * group.doubt[0] * window.rest, PAST * window.low
            yield bending(f"{title} about rest", crystal.structure, start, end)
        at_rest = scaled(crystal.structure, window.rest)
        yield from _approaching(replace(crystal, structure=at_rest), profile)


def _around(example: Example, window: Window, profile: PairProfile) -> Iterator[Path]:
    """Yield the ways to smaller and larger scales beyond what the data cover."""
    name, structure, low = example.name, example.structure, window.low
    end = min(DENSEST * window.rest, 0.8 * low)
    yield from _closing(f"{name} compressed", structure, low, end, profile.cutoff)
    nearest = pair_profile(pack([structure], profile.species), profile.cutoff, bins=1)
    end = profile.cutoff / float(nearest.smallest.min())
    if example.bound and window.high < end:
        yield expanded(f"{name} expanded", structure, window.high, end)


def _closing(
    name: str, structure: Structure, start: float, end: float, reach: float
) -> Iterator[Path]:
    """Yield the way to smaller scales unless it becomes too dense at once."""
    if structure.pbc.all():
        neighbors = len(structure) / structure.volume * 4.0 / 3.0 * np.pi * reach**3
        end = max(end, (neighbors / MOST_NEIGHBORS) ** (1.0 / 3.0))
    if end < SHORTEST_WAY * start:
        yield compressed(name, structure, start, end)


def _approaching(example: Example, profile: PairProfile) -> Iterator[Path]:
    """Yield the ways of an atom into its nearest neighbour, for each pair of elements."""
    block = repeated(example.structure, FEWEST_ATOMS)
    near = neighborhood(block, profile.cutoff)
    i = np.repeat(np.arange(near.n_local), np.diff(near.first))
    bonds = near.positions[near.neighbors] - near.positions[i]
    lengths = np.linalg.norm(bonds, axis=1)
    low, high = np.sort(near.numbers[np.stack([i, near.neighbors])], axis=0)
    for a, b in combinations_with_replacement(profile.species, 2):
        mine = np.flatnonzero((low == a) & (high == b))
        if len(mine):
            k = mine[lengths[mine].argmin()]
            shortest = profile.shortest(a, b)
            ends = min(shortest, float(lengths[k])), INNERMOST * shortest
            name = f"{example.name} {group_name((a, b))} approaching"
            yield approaching(name, block, int(i[k]), bonds[k], *ends)


def _window(example: Example, group: Group, species: tuple[int, ...]) -> Window | None:
    """Return the scales at rest and between which nothing is asked; None: no bonds.

    Frames of about the same coordination cover the scales at which the structure is as
    crowded as they are.
    """
    structures = [scaled(example.structure, float(s)) for s in TRIED]
    tried = crowding(structures, species, threads=1)
    touching = tried.valence > APART
    if not touching.any() or group.rest < APART:
        return None
    falling = -np.log(tried.valence[touching])
    rest = float(np.interp(-np.log(group.rest), falling, TRIED[touching]))
    ratio = group.seen.coordination / np.interp(rest, TRIED, tried.coordination)
    alike = (ratio < ALIKE) & (ratio > 1.0 / ALIKE) & (group.seen.valence > APART)
    covered = np.interp(-np.log(group.seen.valence[alike]), falling, TRIED[touching])
    low, high = (f * g for f, g in zip(example.free, group.doubt, strict=True))
    every = [low * rest, high * rest, *covered.tolist()]
    known = min(every) < low * rest or max(every) > high * rest
    return Window(rest, min(every), max(every), known)
