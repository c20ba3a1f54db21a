"""Networks that know total charges: what a charge changes, and what it does not."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="networks need PyTorch")

from network_samples import (  # noqa: E402
    CONSTANTS,
    KINDS,
    SPECIES,
    charged,
    core,
    narrow,
    network,
    structures,
)
from trimpot.contract import Structure  # noqa: E402
from trimpot.engines.following import follow  # noqa: E402
from trimpot.engines.singlepoint import evaluate  # noqa: E402
from trimpot.errors import InputError  # noqa: E402
from trimpot.files import load, save  # noqa: E402
from trimpot.networks.charges import ChargeStates  # noqa: E402
from trimpot.networks.mlanet import MLANet  # noqa: E402
from trimpot.networks.training import TrainingData  # noqa: E402
from trimpot.networks.training.batches import BatchShape, joined  # noqa: E402
from trimpot.networks.training.engine import TorchEngine  # noqa: E402
from trimpot.networks.training.frames import prepared  # noqa: E402
from trimpot.networks.training.native_engine import NativeEngine, native_batch  # noqa: E402
from trimpot.networks.training.parameters import Parameters  # noqa: E402
from trimpot.networks.training.targets import Counts, Objective, targets_of  # noqa: E402
from trimpot.validation.derivatives import check_forces, check_stress  # noqa: E402

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def potential():
    return charged(narrow(), prior=core())


def with_charges(*charges):
    return [replace(s, charge=q) for s in structures() for q in charges]


def alone(number, charge):
    return Structure(
        np.array([number], np.int32),
        np.zeros((1, 3)),
        np.zeros((3, 3)),
        np.zeros(3, bool),
        charge,
    )


def test_the_charge_changes_energy_and_forces(potential):
    neutral, cation = (evaluate(potential, s, threads=1) for s in with_charges(0, 1)[:2])
    assert abs(cation.energy - neutral.energy - CONSTANTS[1]) > 1e-2
    assert np.abs(cation.forces - neutral.forces).max() > 1e-2


@pytest.mark.parametrize("charge", [0, 1])
def test_forces_and_stress_are_slopes_of_the_energy(potential, charge):
    periodic, cluster = with_charges(charge)
    for structure in (periodic, cluster):
        check = check_forces(potential, structure, step=1e-3, bound=1e-6)
        assert check.passed, str(check)
    check = check_stress(potential, periodic, step=1e-3)
    assert check.passed, str(check)


def test_structures_of_one_charge_are_those_of_a_plain_network(potential):
    plain = network(narrow(), prior=core())
    rows = [KINDS.index((number, 1)) for number in SPECIES]
    embedding = potential.state["embedding"][rows]
    plain = replace(plain, state={**plain.state, "embedding": embedding})
    for cation, neutral in zip(with_charges(1), with_charges(0), strict=True):
        one, other = (
            evaluate(p, s, threads=1) for p, s in ((potential, cation), (plain, neutral))
        )
        assert one.energy == pytest.approx(other.energy + CONSTANTS[1], abs=1e-12)
        np.testing.assert_array_equal(one.forces, other.forces)


def test_a_network_without_charges_takes_all_for_neutral():
    plain = network()
    neutral, charged_ = (evaluate(plain, s, threads=1) for s in with_charges(0, 3)[:2])
    np.testing.assert_array_equal(charged_.energies, neutral.energies)
    np.testing.assert_array_equal(charged_.forces, neutral.forces)


def test_a_batch_of_several_charges_says_what_single_structures_do(potential):
    several = with_charges(1, 0, 1, 0)
    found = potential.evaluate_many(several, threads=1)
    for structure, batched in zip(several, found, strict=True):
        one = evaluate(potential, structure, threads=1)
        np.testing.assert_allclose(batched.energies, one.energies, rtol=1e-12)
        np.testing.assert_allclose(batched.forces, one.forces, atol=1e-11)


def test_a_follower_sees_a_charge_that_changes_and_keeps_its_list(potential):
    follower = follow(potential, skin=0.5, threads=1)
    for structure in with_charges(0, 1, 0)[:3]:
        expected = evaluate(potential, structure, threads=1)
        found = follower.evaluate(structure)
        np.testing.assert_allclose(found.energies, expected.energies, rtol=1e-11)
    assert follower.builds == 1


@pytest.mark.parametrize("charge", [-1, 2])
def test_an_unknown_pair_of_element_and_charge_is_refused(potential, charge):
    structure = replace(structures()[0], charge=charge)
    seen = r"seen charges -1 \(Si\), 0 \(Si, W\) and \+1 \(Si, W\)"
    with pytest.raises(InputError, match=seen):
        evaluate(potential, structure, threads=1)
    with pytest.raises(InputError, match=seen):
        potential.evaluate_many([structures()[0], structure], threads=1)


def test_atoms_alone_have_their_own_energy_and_ions_the_constant(potential):
    for number, e0 in zip(SPECIES, potential.e0s, strict=True):
        assert evaluate(potential, alone(number, 0), threads=1).energy == e0
        ion = evaluate(potential, alone(number, 1), threads=1)
        assert ion.energy == pytest.approx(e0 + CONSTANTS[1], abs=1e-12)
    only = ChargeStates(((14, 1), (74, 1)), {1: 2.0})
    state = {**potential.state, "embedding": potential.state["embedding"][:2]}
    ions = replace(potential, charges=only, state=state)
    assert evaluate(ions, alone(14, 0), threads=1).energy == ions.e0s[0]
    with pytest.raises(InputError, match="seen charge"):
        evaluate(ions, structures()[0], threads=1)


@pytest.mark.parametrize(
    ("kinds", "energies"),
    [
        (((14, 1), (14, 0)), {0: 0.0, 1: 0.0}),
        (((14, 0), (14, 1)), {0: 0.0}),
        (((14, 0), (14, 1)), {0: 0.5, 1: 0.0}),
        (((14, 0), (14, 1)), {0: 0.0, 1: np.nan}),
        ((), {}),
    ],
)
def test_states_that_contradict_themselves_are_refused(kinds, energies):
    with pytest.raises(InputError, match="charges: found"):
        ChargeStates(kinds, energies)


def test_new_kinds_of_one_element_begin_alike():
    with torch.random.fork_rng(devices=[]):
        model = MLANet(narrow(channels=64), SPECIES, kinds=KINDS)
        neutral, cation, other = (
            model.embedding[KINDS.index(k)] for k in ((14, 0), (14, 1), (74, 0))
        )
    assert (neutral - cation).norm() < 0.5 * (neutral - other).norm()
    assert (neutral - cation).norm() > 0.1 * neutral.norm()


def test_both_engines_train_the_same_network():
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(3)
        model = MLANet(narrow(), SPECIES, mean_weight=4.0, kinds=KINDS).double()
    flat, rng = Parameters(model), np.random.default_rng(2)
    several = with_charges(0, 1)
    data = TrainingData(
        tuple(several),
        rng.normal(size=len(several)),
        tuple(rng.normal(size=(len(s), 3)) for s in several),
        tuple(None for _ in several),
        tuple("default" for _ in several),
    )
    frames = list(
        prepared(data, SPECIES, model.pruning, group_weights={}, kinds=KINDS, frozen=True)
    )
    aim = Objective("mse", 0.5, 0.8, energy=1.0, force=10.0, stress=2.0)
    targets = targets_of(frames, Counts.of(frames), aim, BatchShape.of(frames))
    pairs = (
        (TorchEngine(model, aim, virials=False),
         joined(frames, targets, elements=SPECIES, cutoff=model.settings.cutoff)),
        (NativeEngine(model, aim, virials=False, threads=2),
         native_batch(frames, targets, 2)),
    )  # fmt: skip
    gradients = []
    for engine, batch in pairs:
        flat.gradient.zero_()
        engine.loss_and_gradients(batch)
        gradients.append(flat.gradient.clone())
    assert (gradients[0] - gradients[1]).abs().max() < 1e-11 * gradients[0].abs().max()
    by_kind = model.embedding.grad.abs().amax(dim=1)
    assert (by_kind[1:] > 0.0).all() and by_kind[0] == 0.0


@pytest.mark.parametrize(
    "other", [{"readout": "pooled"}, {"forces": "direct"}, {"attention": False}]
)
def test_other_readouts_know_charges_too(other, tmp_path):
    potential = charged(narrow(**other), prior=core())
    mixed = with_charges(0, 1)
    together = potential.evaluate_many(mixed, threads=1)
    save(potential, tmp_path / "model.trimpot")
    again = load(tmp_path / "model.trimpot").evaluate_many(mixed, threads=1)
    for structure, one, restored in zip(mixed, together, again, strict=True):
        alone = evaluate(potential, structure, threads=1)
        assert one.energy == pytest.approx(alone.energy, abs=1e-9)
        np.testing.assert_allclose(one.forces, alone.forces, atol=1e-9)
        assert restored.energy == one.energy
    assert abs(together[1].energy - together[0].energy - CONSTANTS[1]) > 1e-3


def test_a_structure_without_atoms_has_no_energy(potential):
    nothing = Structure(
        np.zeros(0, np.int32), np.zeros((0, 3)), np.zeros((3, 3)), np.zeros(3, bool), 1
    )
    assert potential.evaluate_many([nothing], threads=1)[0].energy == 0.0
