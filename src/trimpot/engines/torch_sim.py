"""torch-sim: a model that evaluates batches of structures with any potential.

The only module outside the room of networks that imports torch: torch-sim asks for a
subclass of its model, and hands over tensors. The potential itself computes on the CPU.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from trimpot.contract import NO_STRESS, Structure, is_conservative
from trimpot.data.charges import CHARGE_KEYS, whole_number
from trimpot.engines.singlepoint import check_evaluation, check_structure, evaluate
from trimpot.errors import InputError, MissingPartError, NonFiniteResultError

try:
    import torch
    from torch_sim.models.interface import ModelInterface
except ImportError as error:
    raise MissingPartError(
        f"trimpot.engines.torch_sim needs torch-sim, which cannot be imported ({error}); "
        "install it: pip install 'trimpot[torch-sim]'"
    ) from error

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray
    from torch_sim.state import SimState

    from trimpot.contract import Evaluation, FloatArray, Potential

Scalar = TypeVar("Scalar", bound=np.generic)


class TorchSimModel(ModelInterface):  # type: ignore[misc]  # mypy knows no torch-sim
    """Energies, forces and stresses of the systems of a torch-sim state.

    Parameters
    ----------
    potential
        Any potential. Those that evaluate many structures at once do so.
    threads : int
        Threads of one batch; 0 means all available cores.
    device : torch.device or str
        Where tensors are returned; states from elsewhere are copied to the CPU first.
    dtype : torch.dtype
        Of the results; the potential computes in double precision.

    Raises
    ------
    InputError
        From ``forward``: an element or total charge that the potential does not know, or
        positions that are not finite, naming the system.
    NonFiniteResultError
        From ``forward``: NaN or infinity in a result, naming the system.

    Notes
    -----
    ``forward`` returns energy (s,) in eV, forces (n, 3) in eV/A and stress (s, 3, 3), which
    is (1/V) dE/d(strain) in eV/A^3, tension positive, as torch-sim has it; NaN for a system
    without a volume. The total charge of a system is ``state.charge``, else
    ``state.total_charge``, else 0.
    """

    def __init__(
        self,
        potential: Potential,
        *,
        threads: int = 0,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float64,
    ) -> None:
        super().__init__()
        self.potential = potential
        self.threads = threads
        self._device = torch.device(device)
        self._dtype = dtype
        self._compute_forces = True
        self._compute_stress = is_conservative(potential)

    @property
    def compute_forces(self) -> bool:
        """Whether ``forward`` returns forces."""
        return self._compute_forces

    @compute_forces.setter
    def compute_forces(self, wanted: bool) -> None:
        self._compute_forces = wanted

    @property
    def compute_stress(self) -> bool:
        """Whether ``forward`` returns stresses."""
        return self._compute_stress

    @compute_stress.setter
    def compute_stress(self, wanted: bool) -> None:
        if wanted and not is_conservative(self.potential):
            raise NotImplementedError(NO_STRESS)
        self._compute_stress = wanted

    def forward(self, state: SimState, **_options: object) -> dict[str, torch.Tensor]:
        """Return energy, forces and stress of all systems; options mean nothing here."""
        structures = structures_of(state)
        found = _evaluated(self.potential, structures, self.threads)
        results = {"energy": self._tensor([one.energy for one in found])}
        if self.compute_forces:
            results["forces"] = self._tensor(np.concatenate([one.forces for one in found]))
        if self.compute_stress:
            pairs = zip(structures, found, strict=True)
            results["stress"] = self._tensor(np.stack([_stress(s, e) for s, e in pairs]))
        return results

    def _tensor(self, values: object) -> torch.Tensor:
        return torch.as_tensor(values, dtype=self._dtype, device=self._device)


def structures_of(state: SimState) -> list[Structure]:
    """Return the systems of a state, whose cells hold lattice vectors as columns.

    Raises
    ------
    InputError
        If a total charge is no whole number.
    """
    positions = _array(state.positions, np.float64)
    numbers = _array(state.atomic_numbers, np.int32)
    cells = _array(state.cell, np.float64)
    pbc = np.broadcast_to(_array(torch.as_tensor(state.pbc), np.bool_), (len(cells), 3))
    charges = _charges(state, len(cells))
    ends = np.cumsum(np.bincount(_array(state.system_idx, np.int64), minlength=len(cells)))
    return [
        Structure(
            numbers[start:end],
            positions[start:end],
            np.ascontiguousarray(cells[k].T),
            pbc[k].copy(),
            charges[k],
        )
        for k, (start, end) in enumerate(zip([0, *ends[:-1]], ends, strict=True))
    ]


def _array(tensor: torch.Tensor, dtype: type[Scalar]) -> NDArray[Scalar]:
    return np.ascontiguousarray(tensor.detach().cpu().numpy(), dtype=dtype)


def _charges(state: SimState, n_systems: int) -> list[int]:
    given = (getattr(state, key, None) for key in CHARGE_KEYS)
    values = next((one for one in given if one is not None), torch.zeros(n_systems))
    charges = []
    for k, value in enumerate(values.flatten().tolist()):
        charge = whole_number(value)
        if charge is None:
            raise InputError(
                f"system {k}: total charge is {value}, expected a whole number of e; "
                "correct the state"
            )
        charges.append(charge)
    return charges


def _stress(structure: Structure, evaluation: Evaluation) -> FloatArray:
    volume = structure.volume
    return evaluation.stress(volume) if volume > 0.0 else np.full((3, 3), np.nan)


def _evaluated(
    potential: Potential, structures: Sequence[Structure], threads: int
) -> list[Evaluation]:
    many = getattr(potential, "evaluate_many", None)
    found: list[Evaluation] = []
    for k, structure in enumerate(structures):
        with _naming(k):
            check_structure(structure, potential.species)
            if many is None:
                found.append(evaluate(potential, structure, threads=threads))
    if many is not None:
        found = many(structures, threads=threads)
    for k, (structure, evaluation) in enumerate(zip(structures, found, strict=True)):
        with _naming(k):
            check_evaluation(evaluation, structure.numbers)
    return found


@contextmanager
def _naming(system: int) -> Iterator[None]:
    """Say of which system an error is."""
    try:
        yield
    except (InputError, NonFiniteResultError) as error:
        raise type(error)(f"system {system}: {error}") from error
