"""Neighbour lists over local and ghost atoms, for any cell and any periodic directions."""

from trimpot.neighbors.lists import neighborhood
from trimpot.neighbors.verlet import VerletList

__all__ = ["VerletList", "neighborhood"]
