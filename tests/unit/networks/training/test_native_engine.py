"""Losses and their gradients by the compiled network: those of torch, and slopes."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="networks need PyTorch")

from mlanet_samples import CASES, CUTOFF, SPECIES, network_of  # noqa: E402
from spline_samples import scattered  # noqa: E402
from trimpot.networks.training import TrainingData  # noqa: E402
from trimpot.networks.training.batches import BatchShape, joined  # noqa: E402
from trimpot.networks.training.engine import TorchEngine  # noqa: E402
from trimpot.networks.training.frames import prepared  # noqa: E402
from trimpot.networks.training.native_engine import NativeEngine, native_batch  # noqa: E402
from trimpot.networks.training.parameters import Parameters  # noqa: E402
from trimpot.networks.training.targets import Counts, Objective, targets_of  # noqa: E402

torch.set_num_threads(1)

AIM = Objective("huber", 0.5, 0.8, energy=1.0, force=10.0, stress=2.0)
PERIODIC, FREE = (True, True, True), (False, False, False)


def frames_of(model):
    """Periodic frames and clusters with random labels, some without one."""
    rng = np.random.default_rng(8)
    structures = [
        scattered(SPECIES, n=n, pbc=p) for n in (2, 5, 4) for p in (PERIODIC, FREE)
    ]
    data = TrainingData(
        tuple(structures),
        np.array([rng.normal() for _ in structures[:-1]] + [np.nan]),
        tuple(rng.normal(size=(len(s), 3)) for s in structures),
        tuple(0.01 * np.eye(3) if all(s.pbc) else None for s in structures),
        tuple("default" for _ in structures),
    )
    return list(prepared(data, SPECIES, model.pruning, group_weights={}, frozen=True))


def both(model, threads):
    """An engine of each kind, with the same batch for it."""
    frames = frames_of(model)
    size = BatchShape.of(frames)
    targets = targets_of(frames, Counts.of(frames), AIM, size)
    return (
        (TorchEngine(model, AIM, virials=True), joined_of(frames, targets)),
        (
            NativeEngine(model, AIM, virials=True, threads=threads),
            native_batch(frames, targets, threads),
        ),
    )


def joined_of(frames, targets):
    return joined(frames, targets, elements=SPECIES, cutoff=CUTOFF)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("case", CASES)
def test_the_compiled_engine_is_the_one_of_torch(case, threads):
    model = network_of(case)
    flat = Parameters(model)
    losses, gradients, predictions = [], [], []
    for engine, batch in both(model, threads):
        predictions.append(engine.predictions(batch))
        flat.gradient.zero_()
        losses.append(torch.stack(list(engine.loss_and_gradients(batch))))
        gradients.append(flat.gradient.clone())
    for one, other in zip(*predictions, strict=True):
        assert torch.allclose(one, other, rtol=1e-10, atol=1e-10)
    assert torch.allclose(*losses, rtol=1e-11)
    scale = gradients[0].abs().max()
    assert scale > 0.1
    assert (gradients[0] - gradients[1]).abs().max() < 1e-11 * scale


@pytest.mark.parametrize("case", CASES)
def test_gradients_are_slopes_of_the_loss(case):
    """Along a direction of which every parameter has a share."""
    model = network_of(case)
    flat = Parameters(model)
    _, (engine, batch) = both(model, 1)
    engine.loss_and_gradients(batch)
    gradient, before = flat.gradient.clone(), flat.values.clone()
    random = torch.from_numpy(np.random.default_rng(1).normal(size=len(gradient)))
    direction = random / random.norm() + gradient / gradient.norm()

    def loss(h):
        flat.values.copy_(before + h * direction)
        return float(engine.loss_and_gradients(batch).total)

    h = 1e-4
    near, far = (loss(k * h) - loss(-k * h) for k in (1, 2))
    slope = (8.0 * near - far) / (12.0 * h)
    assert slope == pytest.approx(float(gradient @ direction), rel=1e-6)


def test_a_batch_of_the_other_engine_is_refused():
    (torch_engine, graphs), (native, frozen) = both(network_of("l 1, order 2, mean"), 1)
    for engine, batch in ((torch_engine, frozen), (native, graphs)):
        with pytest.raises(TypeError, match="found a batch of"):
            engine.predictions(batch)
