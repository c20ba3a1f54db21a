"""The model for torch-sim: its own checks, our numbers, refusals."""

import importlib.util
import warnings
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

if importlib.util.find_spec("torch_sim") is None:
    pytest.skip("needs trimpot[torch-sim]", allow_module_level=True)

import torch

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # torch-sim's remarks on torch at its import
    import torch_sim as ts

from ase import Atoms
from ase.build import bulk, molecule
from torch_sim.models.interface import validate_model_outputs

from network_samples import charged, structures
from spline_samples import random_potential, scattered
from toy_potentials import Morse, NotFinite
from trimpot.contract import Evaluation
from trimpot.engines.singlepoint import evaluate
from trimpot.engines.torch_sim import TorchSimModel
from trimpot.errors import InputError, NonFiniteResultError

CPU = torch.device("cpu")


@dataclass
class AnyMorse(Morse):
    """A potential of the elements that torch-sim's checks use."""

    isolated: dict = field(default_factory=lambda: dict.fromkeys((1, 6, 12, 14, 26), 0.5))


class Direct(Morse):
    """Forces that are not the gradient of the energy."""

    conservative = False

    def evaluate(self, neighborhood, *, threads=0):
        found = super().evaluate(neighborhood, threads=threads)
        nothing = np.full((3, 3), np.nan)
        return Evaluation(found.energies, found.forces, nothing, conservative=False)


def state_of(frames):
    atoms = [Atoms(s.numbers, s.positions, cell=s.cell, pbc=s.pbc) for s in frames]
    return ts.io.atoms_to_state(atoms, CPU, torch.float64)


def test_torch_sims_own_checks_pass():
    validate_model_outputs(TorchSimModel(AnyMorse(), threads=1), CPU, torch.float64)
    single = TorchSimModel(AnyMorse(), threads=1, dtype=torch.float32)
    validate_model_outputs(single, CPU, torch.float32)


def test_a_batch_has_the_numbers_of_single_evaluations():
    potential = random_potential("uf23", 2)
    frames = [scattered((14, 74), n=n, shortest=1.9, seed=n) for n in (6, 5, 8)]
    results = TorchSimModel(potential, threads=1)(state_of(frames))
    start = 0
    for k, frame in enumerate(frames):
        direct = evaluate(potential, frame)
        mine = slice(start, start := start + len(frame))
        assert results["energy"][k].item() == pytest.approx(direct.energy, abs=1e-10)
        forces, stress = results["forces"][mine].numpy(), results["stress"][k].numpy()
        np.testing.assert_allclose(forces, direct.forces, atol=1e-10)
        np.testing.assert_allclose(stress, direct.stress(frame.volume), atol=1e-12)


def test_forces_and_stress_are_slopes_of_the_energy_in_torch_sims_convention():
    model, (frame,) = TorchSimModel(Morse(), threads=1), [scattered((14, 74), seed=4)]
    state, step = state_of([frame]), 1e-5
    results = model(state)

    def slope(vary):
        energies = []
        for signed in (step, -step):
            varied = state.clone()
            vary(varied, signed)
            energies.append(model(varied)["energy"].item())
        return (energies[0] - energies[1]) / (2 * step)

    def move(varied, by):
        varied.positions[2, 1] += by

    assert slope(move) == pytest.approx(-results["forces"][2, 1].item(), abs=1e-6)
    for a, b in ((0, 0), (0, 1), (2, 1)):

        def strain(varied, by, a=a, b=b):
            deformation = torch.eye(3, dtype=torch.float64)
            deformation[a, b] += by
            varied.positions = varied.positions @ deformation.T
            varied.cell = deformation @ varied.cell  # vectors are columns

        stress = slope(strain) / frame.volume
        assert results["stress"][0, a, b].item() == pytest.approx(stress, abs=1e-7)
        assert abs(stress) > 1e-3


def test_networks_with_charges_of_the_systems():
    potential = charged()
    frames = [structures()[0]] * 2
    state = state_of(frames)
    state.charge = torch.tensor([0.0, 1.0], dtype=torch.float64)
    results = TorchSimModel(potential, threads=1)(state)
    for k, charge in enumerate((0, 1)):
        direct = evaluate(potential, replace(frames[k], charge=charge))
        assert results["energy"][k].item() == pytest.approx(direct.energy, abs=1e-6)
    assert abs(results["energy"][0] - results["energy"][1]) > 0.1
    state.charge = torch.tensor([0.0, 0.5], dtype=torch.float64)
    with pytest.raises(InputError, match=r"system 1: total charge is 0\.5"):
        TorchSimModel(potential, threads=1)(state)


def test_what_a_potential_does_not_have():
    flat = TorchSimModel(Direct(), threads=1)
    assert not flat.compute_stress
    assert set(flat(state_of([scattered((14, 74))]))) == {"energy", "forces"}
    with pytest.raises(NotImplementedError, match="no stress"):
        flat.compute_stress = True
    free = ts.io.atoms_to_state([molecule("SiH4")], CPU, torch.float64)
    model = TorchSimModel(AnyMorse(), threads=1)
    assert torch.isnan(model(free)["stress"]).all()
    assert torch.isfinite(model(free)["forces"]).all()
    crystals = ts.io.atoms_to_state([bulk("Si"), bulk("Al")], CPU, torch.float64)
    with pytest.raises(InputError, match="system 1: structure contains Al"):
        model(crystals)
    with pytest.raises(NonFiniteResultError, match="system 0: atom"):
        TorchSimModel(NotFinite(), threads=1)(state_of([scattered((14, 74))]))
