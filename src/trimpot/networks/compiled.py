"""Networks computed by compiled code, from neighbour lists to forces: no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trimpot.envelopes.radial import RadialEnvelope
from trimpot.networks.lists import NetworkResults
from trimpot.networks.mlanet.kernel import empty_kernel, flat_parameters
from trimpot.networks.mlanet.shapes import check_state
from trimpot.networks.weighing import edge_weighing
from trimpot.splines.packing import species_indices
from trimpot.threads import thread_count

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trimpot.contract import Neighborhood
    from trimpot.networks.lists import EdgeLists
    from trimpot.networks.mlanet.settings import MLANetSettings
    from trimpot.networks.potential import NetworkPrecision

ARITHMETIC = {"float32": "single", "float64": "double"}


class CompiledNetwork:
    """A network with its weights, compiled, on the CPU.

    Weights of edges, their slopes and sums over atoms are in double precision.

    Parameters
    ----------
    settings : MLANetSettings
    species : tuple of int
        Atomic numbers, ascending.
    state : mapping of arrays
        Weights of the network by name.
    mean_weight, scale : float
        See ``NetworkPotential``.
    precision : {"float32", "float64"}
        Arithmetic of the network.

    Raises
    ------
    InputError
        If names or shapes of the state are not those of the network.
    """

    def __init__(
        self,
        settings: MLANetSettings,
        species: tuple[int, ...],
        state: Mapping[str, np.ndarray],
        *,
        mean_weight: float,
        scale: float,
        precision: NetworkPrecision,
    ) -> None:
        check_state(settings, species, state)
        n, self.species = len(species), species
        triplet = None if settings.envelope is None else settings.envelope.build(species)
        radial = RadialEnvelope(settings.cutoff, settings.radial)
        self.weighing = edge_weighing(radial, triplet)
        self.kernel = empty_kernel(
            settings,
            n,
            mean_weight=float(mean_weight),
            scale=float(scale),
            precision=ARITHMETIC[precision],
        )
        self.kernel.set_parameters(flat_parameters(settings, n, self.kernel, state))
        self.alone = self.kernel.alone()  # what the network says of an atom alone

    def evaluate(self, lists: EdgeLists, *, threads: int = 0) -> NetworkResults:
        """Return energies, forces and virials; see ``lists.NetworkKernel``."""
        n, s = len(lists.species), len(lists.first) - 1
        found = _empty(n, s)
        if n == 0:
            return found
        self.kernel.evaluate_pairs(
            self.weighing,
            lists.species.astype(np.int32),
            lists.starts,
            lists.edges[1].astype(np.int32),
            lists.vectors,
            lists.first,
            found.energies,
            found.forces,
            found.virials,
            thread_count(threads),
        )
        return self._relative(found, lists.species)

    def evaluate_neighborhood(
        self, around: Neighborhood, *, threads: int = 0
    ) -> NetworkResults:
        """Return energies, forces and the virial, (1, 3, 3), of one structure.

        Raises
        ------
        InputError
            For an element that the network does not know.
        """
        species = species_indices(around.numbers[: around.n_local], self.species)
        found = _empty(around.n_local, 1)
        if around.n_local == 0:
            return found
        self.kernel.evaluate_neighborhood(
            self.weighing,
            species,
            around.positions,
            around.owners,
            around.first,
            around.neighbors,
            found.energies,
            found.forces,
            found.virials[0],
            thread_count(threads),
        )
        return self._relative(found, species)

    def _relative(self, found: NetworkResults, species: np.ndarray) -> NetworkResults:
        """Return results without what the network says of atoms alone."""
        energies = found.energies - self.alone[species]
        return NetworkResults(energies, found.forces, found.virials)


def _empty(n: int, s: int) -> NetworkResults:
    return NetworkResults(np.zeros(n), np.zeros((n, 3)), np.zeros((s, 3, 3)))
