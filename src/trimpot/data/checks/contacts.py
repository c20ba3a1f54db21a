"""What checks of geometries need to know of each frame; measured by a room above."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Contact:
    """The closest atoms of a frame.

    Attributes
    ----------
    distance : float
        In angstrom; infinity where no atom has another within the search.
    ratio : float
        Smallest distance over the sum of covalent radii, of all pairs.
    atoms : tuple of int
        The two atoms of that ratio.
    asymmetric : bool
        Whether the forces are all 0 although the surroundings of an atom have a direction.
    frozen : int
        Atoms without any force whose surroundings have a direction, where others feel one.
    problem : str
        Why the frame has no neighbour list; empty where it has one.
    """

    distance: float
    ratio: float
    atoms: tuple[int, int] = (0, 0)
    asymmetric: bool = False
    frozen: int = 0
    problem: str = ""
