"""The network potential: isolated atoms, a physical prior, and what a network adds."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from trimpot.contract import Evaluation
from trimpot.errors import InputError
from trimpot.neighbors import neighborhood
from trimpot.networks.compiled import CompiledNetwork
from trimpot.networks.lists import edge_lists
from trimpot.splines.finite import require_finite
from trimpot.splines.packing import species_indices

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from trimpot.contract import FloatArray, Neighborhood, Precision, Structure
    from trimpot.networks.autograd import AutogradNetwork
    from trimpot.networks.charges import ChargeStates
    from trimpot.networks.following import NetworkFollower
    from trimpot.networks.mlanet.settings import MLANetSettings
    from trimpot.splines.potential import SplinePotential

NetworkPrecision = Literal["float32", "float64"]

ARITHMETIC: dict[Precision, NetworkPrecision] = {"mixed": "float32", "double": "float64"}
"""Of a network, for each precision of the contract."""

EDGES_AT_ONCE = 10_000
"""Of small structures that are evaluated together: bounds memory, fills the processor."""


@dataclass(frozen=True, eq=False)  # arrays: compared by identity
class NetworkPotential:
    """Energies as isolated atoms + prior + network.

    Attributes
    ----------
    species : tuple of int
        Atomic numbers, ascending.
    settings : MLANetSettings
    state : mapping of float32 arrays
        Weights of the network by name.
    e0s : (s,) float64
        Energies of isolated atoms in eV.
    mean_weight : float
        Mean sum of the weights of an atom's edges in the training data.
    scale : float
        eV of a unit of the readout.
    prior : SplinePotential, optional
        What is known before: a repulsive core, fitted splines. It holds no energies of
        isolated atoms.
    charges : ChargeStates, optional
        Total charges that the network tells apart; None: it does not look at charges.
    precision : str
        Arithmetic of ``evaluate``: ``float32`` (sums over atoms are in double precision)
        or ``float64``.
    provenance : mapping
        JSON-compatible facts about its origin (data hash, settings, errors, versions).

    Raises
    ------
    InputError
        If the parts do not fit together or hold numbers that are not finite.
    """

    species: tuple[int, ...]
    settings: MLANetSettings
    state: Mapping[str, np.ndarray]
    e0s: FloatArray
    mean_weight: float = 1.0
    scale: float = 1.0
    prior: SplinePotential | None = None
    charges: ChargeStates | None = None
    precision: NetworkPrecision = "float32"
    provenance: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.e0s.shape != (len(self.species),) or not np.isfinite(self.e0s).all():
            raise InputError(
                f"found isolated-atom energies {self.e0s}, expected one finite number for "
                f"each of {len(self.species)} elements"
            )
        for name in ("mean_weight", "scale"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value > 0.0):
                raise InputError(f"{name}: found {value}, expected a positive number")
        for name, values in self.state.items():
            if values.dtype != np.float32 or not np.isfinite(values).all():
                raise InputError(f"weights {name:.80}: expected finite float32 numbers")
        if self.precision not in get_args(NetworkPrecision):
            raise InputError(
                f"precision: found {self.precision!r}, expected float32 or float64"
            )
        self._check_prior()
        known = {z for z, _ in self.charges.kinds} if self.charges else set()
        if not known <= set(self.species):
            raise InputError(
                f"found charges of elements {sorted(known)}, expected elements of "
                f"{self.species}"
            )

    def _check_prior(self) -> None:
        if self.prior is None:
            return
        if self.prior.species != self.species or "one_body" in self.prior.parts:
            raise InputError(
                f"found a prior of elements {self.prior.species} with the parts "
                f"{', '.join(self.prior.parts)}, expected the elements {self.species} and "
                "no energies of isolated atoms; the potential has these itself"
            )

    @cached_property
    def reach(self) -> float:
        """Largest distance in angstrom that the network looks at."""
        if self.settings.envelope is None:
            return self.settings.cutoff
        return self.settings.cutoff * self.settings.envelope.build(self.species).stretch

    @property
    def cutoff(self) -> float:
        """Largest distance in angstrom that a neighbour list must reach."""
        return max(self.reach, 0.0 if self.prior is None else self.prior.cutoff)

    @property
    def conservative(self) -> bool:
        """Whether forces are the gradient of the energy."""
        return self.settings.forces == "gradient"

    @property
    def n_weights(self) -> int:
        """Number of weights."""
        return sum(values.size for values in self.state.values())

    def evaluate(self, neighborhood: Neighborhood, *, threads: int = 0) -> Evaluation:
        """Return energies, forces and virial; see ``contract.Potential``."""
        return self.evaluate_as(neighborhood, self.precision, threads=threads)

    def evaluate_as(
        self, around: Neighborhood, precision: NetworkPrecision, *, threads: int = 0
    ) -> Evaluation:
        """Return ``evaluate`` in the arithmetic asked for."""
        return self._evaluated([around], precision, threads)[0]

    def evaluate_many(
        self, structures: Sequence[Structure], *, threads: int = 0
    ) -> list[Evaluation]:
        """Return evaluations of many structures, in batches with a bounded number of edges.

        Raises
        ------
        InputError
            For an unknown element or one that is not known with this charge, positions
            that are not numbers, or a singular cell.
        NonFiniteResultError
            For NaN or infinity in a result.
        """
        found: list[Evaluation] = []
        for batch in _batches(structures, self.cutoff):
            found += self._evaluated(batch, self.precision, threads)
        return found

    def follow(self, *, skin: float, threads: int, precision: Precision) -> NetworkFollower:
        """Return an evaluator of one moving structure (``contract.FollowingPotential``)."""
        from trimpot.networks.following import NetworkFollower

        return NetworkFollower(
            self, skin=skin, threads=threads, precision=ARITHMETIC[precision]
        )

    def _evaluated(
        self, around: list[Neighborhood], precision: NetworkPrecision, threads: int
    ) -> list[Evaluation]:
        if self.charges is None or len(around) == 1:
            return self._evaluated_alike(around, precision, threads)
        of_charge: dict[int, list[int]] = {}
        for k, one in enumerate(around):
            of_charge.setdefault(one.charge, []).append(k)
        found: dict[int, Evaluation] = {}
        for places in of_charge.values():
            alike = [around[k] for k in places]
            evaluations = self._evaluated_alike(alike, precision, threads)
            found |= zip(places, evaluations, strict=True)
        return [found[k] for k in range(len(around))]

    def _evaluated_alike(
        self, around: list[Neighborhood], precision: NetworkPrecision, threads: int
    ) -> list[Evaluation]:
        """Return evaluations of structures of one charge."""
        charge, constant = 0, 0.0
        if self.charges is not None:
            charge = around[0].charge
            constant = self.charges.energy(charge)
            for one in around:
                self.charges.check_around(one)
        kernel = self._kernel(precision, charge)
        if len(around) == 1:
            found = kernel.evaluate_neighborhood(around[0], threads=threads)
        else:
            lists = edge_lists(around, self.species, self.reach)
            found = kernel.evaluate(lists, threads=threads)
        ends = np.cumsum([0, *(one.n_local for one in around)])
        results = []
        for k, one in enumerate(around):
            mine = slice(ends[k], ends[k + 1])
            species = species_indices(one.numbers[: one.n_local], self.species)
            energies = found.energies[mine] + self.e0s[species]
            if constant and len(energies):
                energies += constant / len(energies)
            own = Evaluation(
                energies, found.forces[mine], found.virials[k], self.conservative
            )
            if self.prior is not None:
                own = _sum(own, self.prior.evaluate(one, threads=threads))
            require_finite(one.numbers, own.energies, own.forces)
            results.append(own)
        return results

    @cached_property
    def _kernels(
        self,
    ) -> dict[tuple[NetworkPrecision, int], CompiledNetwork | AutogradNetwork]:
        return {}

    def _kernel(
        self, precision: NetworkPrecision, charge: int
    ) -> CompiledNetwork | AutogradNetwork:
        """Return the network for structures of a charge: compiled, or by torch.

        It is made when it is first needed.

        Raises
        ------
        MissingPartError
            If only torch computes such a network and it is not installed.
        """
        if (precision, charge) not in self._kernels:
            state = self.state
            if self.charges is not None:
                state = self.charges.weights(state, self.species, charge)
            make = CompiledNetwork if self.settings.compiled else _torch_network
            self._kernels[precision, charge] = make(
                self.settings,
                self.species,
                state,
                mean_weight=self.mean_weight,
                scale=self.scale,
                precision=precision,
            )
        return self._kernels[precision, charge]


def _torch_network(
    settings: MLANetSettings,
    species: tuple[int, ...],
    state: Mapping[str, np.ndarray],
    *,
    mean_weight: float,
    scale: float,
    precision: NetworkPrecision,
) -> AutogradNetwork:
    from trimpot.networks import require_torch

    require_torch()
    from trimpot.networks.autograd import AutogradNetwork, restored

    constants = {"mean_weight": mean_weight, "scale": scale}
    return AutogradNetwork(
        restored(settings, species, state, **constants, precision=precision)
    )


def _batches(
    structures: Sequence[Structure], cutoff: float
) -> Iterator[list[Neighborhood]]:
    batch: list[Neighborhood] = []
    edges = 0
    for structure in structures:
        around = neighborhood(structure, cutoff)
        if batch and edges + len(around.neighbors) > EDGES_AT_ONCE:
            yield batch
            batch, edges = [], 0
        batch.append(around)
        edges += len(around.neighbors)
    if batch:
        yield batch


def _sum(one: Evaluation, other: Evaluation) -> Evaluation:
    return Evaluation(
        one.energies + other.energies,
        one.forces + other.forces,
        one.virial + other.virial,
        one.conservative and other.conservative,
    )
