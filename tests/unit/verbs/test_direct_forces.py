"""What every verb does with forces that are no gradient, and what comes after them."""

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="networks need PyTorch")

from ase.calculators.calculator import PropertyNotImplementedError  # noqa: E402

import trimpot  # noqa: E402
from network_configs import TINY, Notes, quick_network  # noqa: E402
from trimpot.engines.md_settings import MdSettings  # noqa: E402
from trimpot.engines.relaxation_settings import RelaxSettings  # noqa: E402
from trimpot.errors import InputError  # noqa: E402
from trimpot.verbs import train  # noqa: E402
from trimpot.verbs.dynamics import md  # noqa: E402

QUICK = ["training.epochs=3", "training.stress_weight=0"]
HOT = MdSettings(
    ensemble="langevin", temperature_k=300.0, steps=4, log_interval=1, threads=1
)


@pytest.fixture(scope="module")
def notes():
    return Notes()


@pytest.fixture(scope="module")
def learned(data_file, tmp_path_factory, notes):
    output = tmp_path_factory.mktemp("direct") / "out"
    values = quick_network(data_file, output, model={**TINY, "forces": "direct"})
    return train(values, QUICK, watcher=notes)


def test_stresses_are_not_judged(learned, data_file, notes):
    tables = trimpot.evaluate(learned.model, data_file, threads=1).tables
    assert tables.select("forces", "all")
    assert not tables.select("stress", "all")
    assert "test: stresses are not judged, direct forces have none" in notes.lines


def test_a_card_says_that_forces_are_not_conservative(learned):
    card = trimpot.show(learned.model).card
    assert "direct forces, not conservative" in card
    assert "not the gradient of the energy" in card
    assert "not the gradient of the energy" in (learned.output / "card.md").read_text()


def test_files_bring_everything_back(learned, frames):
    loaded = trimpot.load(learned.model)
    assert not loaded.conservative
    atoms = [frames[0].copy(), frames[0].copy()]
    for one, potential in zip(atoms, (loaded, learned.potential), strict=True):
        one.calc = trimpot.Calculator(potential, threads=1)
    assert np.array_equal(*[one.get_forces() for one in atoms])


def test_there_is_no_stress(learned, frames, tmp_path):
    atoms = frames[0].copy()
    atoms.calc = trimpot.Calculator(learned.potential, threads=1)
    assert np.isfinite(atoms.get_potential_energy())
    with pytest.raises(PropertyNotImplementedError, match="it has no stress"):
        atoms.get_stress()
    frames[0].write(tmp_path / "a.extxyz")
    found = trimpot.singlepoint(
        learned.model, tmp_path / "a.extxyz", output=tmp_path / "b.extxyz", threads=1
    )
    assert found.points[0].stress_gpa is None
    assert "stress=" not in (tmp_path / "b.extxyz").read_text()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"ensemble": "nve", "temperature_k": 300.0}, "use langevin or nvt, where a"),
        (
            {"ensemble": "npt", "temperature_k": 300.0, "pressure_gpa": 0.0},
            "ensemble npt: .* it has no stress",
        ),
    ],
)
def test_ensembles_that_need_a_gradient_are_refused(
    learned, frames, tmp_path, settings, message
):
    with pytest.raises(InputError, match=message):
        md(learned.model, frames[0], MdSettings(**settings), output=tmp_path / "md")
    assert not (tmp_path / "md").exists()


def test_a_thermostat_is_allowed_with_a_warning(learned, frames, tmp_path):
    notes = Notes()
    atoms = frames[0].repeat((1, 2, 2))
    done = md(learned.model, atoms, HOT, output=tmp_path / "md", watcher=notes)
    assert any("warning: forces are predicted directly" in line for line in notes.lines)
    assert done.result.averages.pressure_gpa is None
    assert json.loads((tmp_path / "md" / "summary.json").read_text())


def test_relaxing_warns_and_cells_do_not_move(learned, frames, tmp_path):
    notes, few = Notes(), RelaxSettings(steps=2, threads=1)
    trimpot.relax(learned.model, frames[0], few, output=tmp_path / "r", watcher=notes)
    assert any("warning: forces are predicted directly" in line for line in notes.lines)
    with pytest.raises(InputError, match=r"cell is full: .*; or use cell none"):
        trimpot.relax(
            learned.model,
            frames[0],
            RelaxSettings(cell="full", threads=1),
            output=tmp_path / "c",
        )


def test_stress_labels_are_refused_before_training(data_file, tmp_path):
    values = quick_network(data_file, tmp_path / "o", model={**TINY, "forces": "direct"})
    with pytest.raises(InputError, match=r"set training.stress_weight to 0"):
        train(values, ["training.epochs=1"])


def test_gradients_go_on_from_direct_forces(learned, data_file, tmp_path):
    notes = Notes()
    values = quick_network(data_file, tmp_path / "fine")
    start = f"training.start={learned.model}"
    done = train(values, ["training.epochs=2", start], watcher=notes)
    assert f"weights at the start: {learned.model}" in notes.lines
    assert done.potential.conservative
    facts = trimpot.load(done.model).provenance["start"]
    assert facts["file"] == str(learned.model)
    assert len(facts["sha256"]) == 64
    assert done.potential.scale == learned.potential.scale


def test_a_start_that_is_no_network_is_refused(data_file, tmp_path, values):
    fitted = train(values)
    chosen = quick_network(data_file, tmp_path / "fine")
    with pytest.raises(InputError, match="is a SplinePotential, expected a network"):
        train(chosen, [f"training.start={fitted.model}"])


def test_pooled_energies_are_labelled_and_conserve(data_file, frames, tmp_path):
    values = quick_network(data_file, tmp_path / "o", model={**TINY, "readout": "pooled"})
    done = train(values, ["training.epochs=1"])
    assert "it is not extensive" in trimpot.show(done.model).card
    assert trimpot.load(done.model).conservative
    atoms = frames[0].repeat((1, 2, 2))
    settings = MdSettings(temperature_k=300.0, steps=20, log_interval=1, threads=1)
    run = md(done.model, atoms, settings, output=tmp_path / "md")
    assert np.ptp(run.result.samples.conserved) < 1e-4 * len(atoms)
