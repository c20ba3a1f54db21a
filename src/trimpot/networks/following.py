"""A moving structure evaluated by a network, with lists that last."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from trimpot.neighbors import VerletList

if TYPE_CHECKING:
    from trimpot.contract import Evaluation, FloatArray, Structure
    from trimpot.networks.potential import NetworkPotential, NetworkPrecision


class NetworkFollower:
    """Energies, forces and virial of a structure that moves; see ``contract.Follower``.

    Parameters
    ----------
    potential
        The potential.
    skin : float
        Extra radius of the lists in angstrom; only speed depends on it.
    threads : int
        Threads; 0 means all available cores.
    precision : {"float32", "float64"}
        Arithmetic of the network. The prior and sums over atoms are in double precision.
    """

    def __init__(
        self,
        potential: NetworkPotential,
        *,
        skin: float,
        threads: int,
        precision: NetworkPrecision,
    ) -> None:
        self.potential, self.threads, self.precision = potential, threads, precision
        self.seconds = {"list": 0.0, "kernels": 0.0}
        self._list = VerletList(potential.cutoff, skin)

    @property
    def builds(self) -> int:
        """Number of neighbour lists built so far."""
        return self._list.builds

    def evaluate(self, structure: Structure) -> Evaluation:
        """Return energies, forces and virial; errors as ``Potential.evaluate``."""
        start = time.perf_counter()
        around = self._list.update(structure)
        middle = time.perf_counter()
        found = self.potential.evaluate_as(around, self.precision, threads=self.threads)
        self.seconds["list"] += middle - start
        self.seconds["kernels"] += time.perf_counter() - middle
        return found

    def forces(self, structure: Structure) -> FloatArray:
        """Return the forces."""
        return self.evaluate(structure).forces
