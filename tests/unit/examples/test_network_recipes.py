"""The recipes of networks train as they are written, here on a few frames and steps."""

import csv
import lzma
from itertools import islice
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="networks need PyTorch")

from trimpot.config import load_config
from trimpot.verbs import train

ROOT = Path(__file__).parents[3]
BRIEF = ("training.seconds=null", "training.validations=4", "training.warmup_steps=5")


def few_frames(name, wanted, folder, monkeypatch):
    """Write the first frames of a recipe's data; return the recipe and their file."""
    monkeypatch.chdir(ROOT)
    recipe = ROOT / "examples" / "networks" / f"{name}.yaml"
    source = Path(load_config(recipe).data.path[0])
    if not source.exists():
        pytest.skip(f"no {source}")
    with lzma.open(source, "rt") as file:
        counts = islice(file, wanted)  # taken one by one, between those of atoms
        text = "".join(n + "".join(islice(file, int(n) + 1)) for n in counts)
    frames = folder / "frames.extxyz"
    frames.write_text(text)
    return recipe, frames


@pytest.mark.parametrize(("name", "epochs"), [("ethanol", 20), ("water", 4)])
def test_a_recipe_learns_in_a_few_steps(name, epochs, tmp_path, monkeypatch):
    recipe, frames = few_frames(name, 12, tmp_path, monkeypatch)
    overrides = [f"data.path={frames}", "data.test=[]", "training.validation=2"]
    overrides += [*BRIEF, f"training.epochs={epochs}", "training.device=cpu"]
    result = train(recipe, [*overrides, f"output={tmp_path}/out", "threads=1"])
    with (tmp_path / "out" / "training.csv").open() as table:
        losses = [float(row["loss"]) for row in csv.DictReader(table)]
    assert losses[-1] < 0.7 * losses[0]
    assert result.training.epochs == pytest.approx(epochs, rel=0.1)
    assert result.potential.settings == load_config(recipe).model.network
    (forces,) = result.errors["test"].select("forces", "all")
    assert forces.rmse > 0.0


def test_carbon_chains_learn_two_charges(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    recipe = ROOT / "examples" / "networks" / "carbon-chains.yaml"
    if not Path(load_config(recipe).data.path[0]).exists():
        pytest.skip("no carbon chains")
    overrides = [*BRIEF, "training.epochs=3", "training.device=cpu", "model.layers=1"]
    result = train(recipe, [*overrides, f"output={tmp_path}/out", "threads=1"])
    assert result.potential.charges.charges == (0, 1)
    with (tmp_path / "out" / "training.csv").open() as table:
        losses = [float(row["loss"]) for row in csv.DictReader(table)]
    assert losses[-1] < 0.7 * losses[0]


@pytest.mark.parametrize("readout", ["sum", "pooled"])
def test_energies_of_molecules_are_learned_without_forces(readout, tmp_path, monkeypatch):
    recipe, frames = few_frames("qm7", 30, tmp_path, monkeypatch)
    overrides = [f"data.path={frames}", f"model.readout={readout}", "training.epochs=10"]
    overrides += [*BRIEF, "training.validation=4", "training.batch_size=4"]
    smaller = ["model.channels=8", "model.l_max=1", "training.device=cpu", "threads=1"]
    result = train(recipe, [*overrides, *smaller, f"output={tmp_path}/out"])
    losses = [row["loss"] for row in result.training.history]
    assert losses[-1] < 0.7 * losses[0]
    assert not result.errors["test"].select("forces", "all")
