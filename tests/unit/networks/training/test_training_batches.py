"""Batches and the gradients of their losses."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="networks need PyTorch")

from torch.optim.adam import adam  # noqa: E402
from training_samples import (  # noqa: E402
    CUTOFF,
    NETWORK,
    SPECIES,
    crystal,
    mixed,
    molecules,
    settings,
)

from trimpot.networks import structure_graph  # noqa: E402
from trimpot.networks.mlanet import MLANet  # noqa: E402
from trimpot.networks.training.batches import BatchShape, joined  # noqa: E402
from trimpot.networks.training.engine import TorchEngine  # noqa: E402
from trimpot.networks.training.frames import (  # noqa: E402
    Labels,
    label_scale,
    prepared,
    prepared_frame,
)
from trimpot.networks.training.memory import forecast, step_bytes  # noqa: E402
from trimpot.networks.training.parameters import Descent, Parameters  # noqa: E402
from trimpot.networks.training.recorded import RecordedEngine  # noqa: E402
from trimpot.networks.training.targets import Counts, Objective, targets_of  # noqa: E402

DEVICES = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
WEIGHTS = {"energy": 1.0, "force": 10.0, "stress": 2.0}


@pytest.fixture
def model():
    generator = torch.random.fork_rng(devices=[])
    with generator:
        torch.manual_seed(0)
        return MLANet(NETWORK, SPECIES, mean_weight=2.0, scale=0.7).double()


def objective(kind="mse", scale=0.8):
    return Objective(kind, 0.5, scale, **WEIGHTS)


def ready(data, model, group_weights=None):
    pruning = model.pruning
    return list(prepared(data, SPECIES, pruning, group_weights=group_weights or {}))


def batch_of(frames, aim, shape=None):
    size = shape or BatchShape.of(frames)
    targets = targets_of(frames, Counts.of(frames), aim, size)
    return joined(frames, targets, elements=SPECIES, cutoff=CUTOFF, shape=shape)


def one_by_one(model, data):
    """Energies, forces, virials by the network itself, structure by structure."""
    for structure in data.structures:
        graph = structure_graph(structure, SPECIES, model.pruning.reach)
        x = graph.positions.clone().requires_grad_()
        strain = torch.zeros(1, 3, 3, dtype=torch.float64, requires_grad=True)
        energy = model(model.pruning(graph, x, strain), graph.species).sum()
        by_x, by_strain = torch.autograd.grad(energy, (x, strain))
        yield energy.detach(), -by_x, -by_strain[0]


def test_a_batch_says_what_the_network_says_of_each_structure(model):
    data = mixed(5)
    frames = ready(data, model)
    found = TorchEngine(model, objective(), virials=True).predictions(
        batch_of(frames, objective())
    )
    energies, forces, virials = zip(*one_by_one(model, data), strict=True)
    assert torch.allclose(found.energies, torch.stack(energies), rtol=1e-10)
    assert torch.allclose(found.forces, torch.cat(forces), atol=1e-12)
    assert torch.allclose(found.virials, torch.stack(virials), atol=1e-11)


def test_filling_up_changes_nothing(model):
    frames = ready(mixed(5), model)
    engine = TorchEngine(model, objective(), virials=True)
    full = BatchShape.largest(frames, 7)
    parts, gradients = [], []
    for shape in (None, full):
        model.zero_grad()
        batch = batch_of(frames, objective(), shape)
        parts.append(torch.stack(list(engine.loss_and_gradients(batch))))
        gradients.append([p.grad for p in model.parameters() if p.grad is not None])
    assert batch.neighbors.shape == (full.atoms, full.places)
    assert full.atoms == sum(f.atoms for f in frames) and full.structures == 8
    assert torch.allclose(parts[0], parts[1], rtol=1e-12)
    for one, other in zip(*gradients, strict=True):
        assert torch.allclose(one, other, atol=1e-10)


def test_all_batches_fit_into_the_largest_shape(model):
    frames = ready(mixed(8), model)
    full = BatchShape.largest(frames, 3)
    shapes = set()
    for start in range(5):
        batch = batch_of(frames[start : start + 3], objective(), full)
        tensors = (batch.graph.edges, batch.graph.positions, batch.survivors.screened)
        shapes.add(tuple(tensor.shape for tensor in tensors))
    assert len(shapes) == 1


@pytest.mark.parametrize("device", DEVICES)
def test_recorded_steps_are_steps(model, device):
    model = model.to(device)
    frames = ready(mixed(9), MLANet(NETWORK, SPECIES))
    full = BatchShape.largest(frames, 3)
    flat = Parameters(model)
    engines = [
        kind(model, objective(), virials=True) for kind in (RecordedEngine, TorchEngine)
    ]
    for start in (0, 3, 6, 1):
        for shape in (full, None):
            batch = batch_of(frames[start : start + 3], objective(), shape)
            found = []
            for engine in engines:
                flat.gradient.fill_(0.5)
                parts = torch.stack(list(engine.loss_and_gradients(batch)))
                found.append(torch.cat([parts, flat.gradient]))
            assert torch.allclose(found[0], found[1], rtol=1e-10, atol=1e-10)
    assert engines[0].predictions(batch).forces.device.type == device


@pytest.mark.parametrize("kind", ["mse", "huber", "l1"])
def test_the_loss_is_its_formula(model, kind):
    data = mixed(4)
    aim = objective(kind)
    frames = ready(data, model, {"default": 3.0})
    parts = TorchEngine(model, aim, virials=True).loss_and_gradients(batch_of(frames, aim))
    rho = {
        "mse": lambda x: x**2,
        "l1": np.abs,
        "huber": lambda x: np.where(np.abs(x) < 0.5, x**2, np.abs(x) - 0.25),
    }[kind]
    n = np.array([len(s) for s in data.structures])
    d_energy, d_force, d_virial = [], [], []
    for k, (energy, forces, virial) in enumerate(one_by_one(model, data)):
        unit = np.sqrt(n.mean()) / (n[k] * aim.scale)
        d_energy.append((float(energy) - data.energies[k]) * unit)
        d_force.append((forces.numpy() - data.forces[k]).ravel() / aim.scale)
        if data.stresses[k] is not None:
            virial_label = -data.stresses[k] * data.structures[k].volume
            d_virial.append((virial.numpy() - virial_label).ravel() * unit)
    expected = [
        3.0 * WEIGHTS["energy"] * rho(np.array(d_energy)).mean(),
        3.0 * WEIGHTS["force"] * rho(np.concatenate(d_force)).mean(),
        3.0 * WEIGHTS["stress"] * rho(np.concatenate(d_virial)).mean(),
    ]
    assert np.allclose([float(part) for part in parts[1:]], expected, rtol=1e-9)
    assert float(parts.total) == pytest.approx(sum(expected))


@pytest.mark.parametrize("kind", ["mse", "huber"])
def test_gradients_are_slopes_of_the_loss(model, kind):
    aim = objective(kind)
    batch = batch_of(ready(mixed(3), model), aim)
    engine = TorchEngine(model, aim, virials=True)
    flat = Parameters(model)
    engine.loss_and_gradients(batch)
    gradient = flat.gradient.clone()
    direction = gradient / torch.linalg.vector_norm(gradient)
    before, slopes = flat.values.clone(), []
    for h in (1e-4, 5e-5):
        ends = []
        for sign in (1.0, -1.0):
            flat.values.copy_(before + sign * h * direction)
            ends.append(float(engine.loss_and_gradients(batch).total))
        slopes.append((ends[0] - ends[1]) / (2 * h))
    slope = (4 * slopes[1] - slopes[0]) / 3
    assert slope == pytest.approx(float(gradient @ direction), rel=1e-6)


def test_what_has_no_label_counts_nothing(model):
    structure = crystal(np.random.default_rng(3))
    forces = torch.ones(2, 3, dtype=torch.float64)
    frames = [
        prepared_frame(structure, labels, SPECIES, model.pruning)
        for labels in (Labels(None, forces, None), Labels(1.0, None, None))
    ]
    engine = TorchEngine(model, objective(), virials=True)
    parts = engine.loss_and_gradients(batch_of(frames, objective()))
    alone = [engine.loss_and_gradients(batch_of([f], objective())) for f in frames]
    assert float(parts.stress) == 0.0
    assert float(parts.force) == pytest.approx(float(alone[0].force), rel=1e-9)
    assert float(alone[0].energy) == 0.0 == float(alone[1].force)
    assert float(parts.energy) == pytest.approx(float(alone[1].energy), rel=1e-9)


def test_the_scale_is_the_mean_force_or_the_mean_energy_per_atom(model):
    frames = ready(molecules(4), model)
    forces = torch.cat([frame.labels.forces for frame in frames])
    assert label_scale(frames) == pytest.approx(float(forces.square().mean().sqrt()))
    structure = crystal(np.random.default_rng(3))
    few = [
        prepared_frame(structure, Labels(e, None, None), SPECIES, model.pruning)
        for e in (3.0, -4.0)
    ]
    assert label_scale(few) == pytest.approx(np.sqrt((1.5**2 + 2.0**2) / 2))


@pytest.mark.parametrize("name", ["amsgrad", "adamw"])
def test_steps_are_those_of_adam(model, name):
    descent = Descent(model, settings(optimizer=name, weight_decay=0.1))
    own = descent.values.clone()
    moments = [torch.zeros_like(own) for _ in range(3)]
    count, generator = torch.zeros(()), torch.Generator().manual_seed(1)
    for step in range(12):
        gradient = torch.randn(len(own), generator=generator, dtype=torch.float64)
        gradient *= 10.0 ** (-step / 4)
        descent.parameters.gradient.copy_(gradient)
        rate = 0.01 / (1 + step)
        descent.advance(step, rate, 0.9)
        adam(
            [own],
            [gradient],
            *([moment] for moment in moments),
            [count],
            foreach=False,
            decoupled_weight_decay=True,
            amsgrad=name == "amsgrad",
            beta1=0.9,
            beta2=0.999,
            lr=rate,
            weight_decay=0.1,
            eps=1e-8,
            maximize=False,
        )
    assert torch.allclose(descent.values, own, rtol=1e-12, atol=1e-14)


def test_parameters_of_the_network_are_views_of_one_array(model):
    before = {k: v.clone() for k, v in model.state_dict().items()}
    flat = Parameters(model)
    assert all(torch.equal(before[k], v) for k, v in model.state_dict().items())
    flat.values.zero_()
    assert not any(p.any() for p in model.parameters())
    flat.gradient.fill_(2.0)
    norm = flat.clip(1.0)
    assert float(norm) == pytest.approx(2.0 * len(flat.values) ** 0.5)
    assert float(torch.linalg.vector_norm(flat.gradient)) == pytest.approx(1.0, rel=1e-5)


def test_memory_is_forecast_within_a_factor_of_two():
    network = replace(NETWORK, channels=16, l_max=2, layers=2, radial_hidden=32)
    model = MLANet(network, SPECIES).double()
    frames = ready(molecules(12), model)
    batch = batch_of(frames, objective())
    own = {p.untyped_storage().data_ptr() for p in model.parameters()}
    kept = {}

    def pack(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        TorchEngine(model, objective(), virials=True).loss_and_gradients(batch)
    peak = 1.6 * sum(kept.values())  # measured, with what is not kept for long
    assert 0.5 < step_bytes(network, BatchShape.of(frames), 8) / peak < 2.0


def test_too_little_memory_is_a_warning():
    edges = "edges of all frames take 50 MB"
    assert forecast(2e9, 5e7, 8e9) == f"{edges}, a step about 2.0 GB of 8.0 GB free memory"
    assert forecast(2e6, 5e7, None) == f"{edges}, a step about 2 MB"
    assert forecast(9e9, 5e7, 8e9).startswith(f"warning: {edges}, a step about 9.0 GB of")
