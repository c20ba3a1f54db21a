"""Trainings with direct forces, with pooled energies, and from another network."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="networks need PyTorch")

from training_samples import (  # noqa: E402
    NETWORK,
    SPECIES,
    Recorder,
    mixed,
    molecules,
    settings,
)

from trimpot.errors import InputError  # noqa: E402
from trimpot.networks.training import train_network  # noqa: E402
from trimpot.networks.training.batches import BatchShape, joined  # noqa: E402
from trimpot.networks.training.engine import TorchEngine  # noqa: E402
from trimpot.networks.training.frames import prepared  # noqa: E402
from trimpot.networks.training.plan import Plan  # noqa: E402
from trimpot.networks.training.starting import Start  # noqa: E402
from trimpot.networks.training.targets import Counts, Objective, targets_of  # noqa: E402

DIRECT, POOLED = replace(NETWORK, forces="direct"), replace(NETWORK, readout="pooled")
CPU = torch.device("cpu")
TRAIN, VALID = molecules(8), molecules(3, seed=7)


def run(folder, network, *, train=TRAIN, valid=VALID, start=None, **changes):
    chosen, watcher = settings(**changes), Recorder()
    return train_network(
        network, SPECIES, train, valid, chosen, folder, watcher, start=start
    )


def start_of(network, result):
    state = {k: v.astype(np.float32) for k, v in result.state.items() if k != "scale"}
    return Start(network, SPECIES, state, result.mean_weight, result.scale)


def batch_of(network, data, *, shape=None):
    model = Plan(network, SPECIES, settings(), CPU).network()
    pruning = model.pruning.cpu().double()
    frames = list(prepared(data, SPECIES, pruning, group_weights={}))
    full = shape(frames) if shape else BatchShape.of(frames)
    aim = Objective.of(settings(), 1.0)
    targets = targets_of(frames, Counts.of(frames), aim, full)
    batch = joined(frames, targets, elements=SPECIES, cutoff=network.cutoff, shape=full)
    return model, aim, batch


@pytest.mark.parametrize("network", [DIRECT, POOLED])
def test_it_learns(tmp_path, network):
    result = run(tmp_path, network, epochs=20, learning_rate=0.02)
    first, last = result.history[0], result.history[-1]
    assert last["loss"] < 0.5 * first["loss"]


@pytest.mark.parametrize("network", [DIRECT, POOLED])
def test_places_that_fill_up_change_nothing(network):
    data = molecules(4)
    model, aim, batch = batch_of(network, data)
    _, _, filled = batch_of(
        network, data, shape=lambda frames: BatchShape.largest(frames, 6)
    )
    engine = TorchEngine(model, aim, virials=False)
    expected, found = engine.predictions(batch), engine.predictions(filled)
    s, n = len(expected.energies), len(expected.forces)
    assert torch.allclose(found.energies[:s], expected.energies, atol=1e-12)
    assert torch.allclose(found.forces[:n], expected.forces, atol=1e-12)
    parts = engine.loss_and_gradients(filled)
    assert torch.isfinite(parts.total)
    assert all(
        torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None
    )


def test_energies_alone_are_learned_without_forces():
    silent = replace(TRAIN, forces=(None,) * len(TRAIN))
    model, aim, batch = batch_of(POOLED, silent)
    gradients = []
    for forces in (True, False):
        model.zero_grad()
        TorchEngine(model, aim, virials=False, forces=forces).loss_and_gradients(batch)
        gradients.append([p.grad.clone() for p in model.parameters()])
    for one, other in zip(*gradients, strict=True):
        assert torch.allclose(one, other, atol=1e-12)


def test_stress_labels_need_a_gradient(tmp_path):
    with pytest.raises(InputError, match=r"4 training frames with a stress.*stress_weight"):
        run(tmp_path, DIRECT, train=mixed(8))
    assert run(tmp_path, DIRECT, train=mixed(8), stress_weight=0.0, epochs=1).steps


@pytest.mark.parametrize("network", [DIRECT, POOLED])
def test_the_native_engine_is_refused_where_it_is_asked_for(tmp_path, network):
    with pytest.raises(InputError, match=r"engine: found native.*choose engine: torch"):
        run(tmp_path, network, engine="native")


def test_direct_forces_start_a_training_of_gradients(tmp_path):
    began = run(tmp_path / "direct", DIRECT, epochs=2)
    start = start_of(DIRECT, began)
    result = run(tmp_path / "gradient", NETWORK, start=start, epochs=1, learning_rate=1e-12)
    assert (result.mean_weight, result.scale) == (began.mean_weight, began.scale)
    assert not any(name.startswith("force_heads") for name in result.state)
    for name, values in result.state.items():
        assert np.allclose(values, began.state[name], atol=1e-6)
    back = run(tmp_path / "back", DIRECT, start=start_of(NETWORK, result), epochs=1)
    assert back.state.keys() == began.state.keys()


def test_starts_that_do_not_fit_are_refused(tmp_path):
    start = start_of(DIRECT, run(tmp_path / "direct", DIRECT, epochs=1))
    wider = replace(NETWORK, channels=8)
    with pytest.raises(InputError, match="channels is 8 and was 4; give the model"):
        run(tmp_path / "a", wider, start=start)
    with pytest.raises(InputError, match="readout is pooled and was sum"):
        run(tmp_path / "b", POOLED, start=start)
    with pytest.raises(InputError, match="network of H, expected one of H, O"):
        run(tmp_path / "c", NETWORK, start=replace(start, species=(1,)))


def test_a_run_goes_on_only_from_its_own_start(tmp_path):
    start = start_of(DIRECT, run(tmp_path / "direct", DIRECT, epochs=1))
    run(tmp_path / "run", NETWORK, start=start, epochs=1)
    with pytest.raises(InputError, match="of another training: start is null"):
        run(tmp_path / "run", NETWORK, epochs=1)
