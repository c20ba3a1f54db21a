"""``init``: what it writes trains as it is, well, on all sorts of data."""

import json
from dataclasses import fields

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.calculators.emt import EMT
from ase.calculators.morse import MorsePotential
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write as ase_write

from trimpot.config import load_config
from trimpot.errors import DataError, InputError, WriteError
from trimpot.verbs import train
from trimpot.verbs.initializing import init

PLAIN = ["figures=false", "threads=1"]
QUICK = [*PLAIN, "fit.kappa=[0.9]", "fit.ridge=[1e-9]", "fit.anchors=false"]
"""Less to compare, so that tests do not wait; the terms and all else stay as chosen."""


def labelled(atoms, calculator, *, forces=True, stress=True):
    atoms.calc = calculator
    results = {"energy": atoms.get_potential_energy()}
    if forces:
        results["forces"] = atoms.get_forces()
    if stress and atoms.pbc.all():
        results["stress"] = atoms.get_stress()
    atoms.calc = SinglePointCalculator(atoms, **results)
    return atoms


def morse():
    return MorsePotential(epsilon=0.8, r0=2.7, rho0=3.5, rcut1=3.4, rcut2=4.2)


def crystals(count, *, symbols=("W",), seed=3, **labels):
    """Rattled and strained crystals; several symbols in random order."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        a = 3.1 * (1.0 + 0.03 * rng.normal())
        atoms = bulk("W", "bcc", a=a, cubic=True) * (2, 2, 1)
        atoms.symbols = [symbols[i % len(symbols)] for i in rng.permutation(len(atoms))]
        atoms.positions += 0.1 * rng.normal(size=atoms.positions.shape)
        found.append(labelled(atoms, morse(), **labels))
    return found


def metals(count):
    """Cu-Al crystals with the energies of effective-medium theory."""
    rng = np.random.default_rng(4)
    found = []
    for _ in range(count):
        atoms = bulk("Cu", "fcc", a=3.75, cubic=True)
        atoms.symbols = rng.choice(["Cu", "Al"], size=len(atoms))
        atoms.positions += 0.1 * rng.normal(size=atoms.positions.shape)
        found.append(labelled(atoms, EMT()))
    return found


def molecules(count):
    rng = np.random.default_rng(5)
    found = []
    for _ in range(count):
        atoms = molecule("CH3OH")
        atoms.positions += 0.04 * rng.normal(size=atoms.positions.shape)
        found.append(labelled(atoms, EMT()))
    return found


def saved(frames, path):
    ase_write(path, frames, format="extxyz")
    return str(path)


def trained(tmp_path, files, overrides=QUICK, **options):
    """Choose settings, train them, and return both results."""
    path = tmp_path / "config.yaml"
    chosen = init(files, output=path, threads=1, **options)
    assert path.read_text() == chosen.text
    return chosen, train(path, [*overrides, f"output={tmp_path / 'out'}"])


def rmse(result, name, quantity):
    return result.errors[name].select(quantity, "all")[0].rmse


def test_a_metal_trains_well_without_edits(tmp_path):
    path = saved(crystals(30), tmp_path / "w.extxyz")
    chosen, result = trained(tmp_path, path, PLAIN)
    assert chosen.config == load_config(tmp_path / "config.yaml", ["threads=1"])
    assert rmse(result, "test", "energy") < 3.0  # meV/atom; binding is about 3 eV
    assert rmse(result, "test", "forces") < 60.0  # of forces around 1 eV/A
    assert len(result.fit.selection.trials) > 1
    assert chosen.forecast.coefficients == result.fit.conditions.n_coefficients


@pytest.mark.parametrize("recipe", ["balanced", "fast", "plain"])
def test_other_recipes_train(tmp_path, recipe):
    _, result = trained(tmp_path, saved(crystals(25), tmp_path / "w.extxyz"), recipe=recipe)
    assert rmse(result, "test", "energy") < 10.0


def test_energies_alone(tmp_path):
    frames = crystals(60, forces=False, stress=False)
    chosen, result = trained(tmp_path, saved(frames, tmp_path / "w.extxyz"))
    assert "fit" not in chosen.text.split("model:")[1]
    assert rmse(result, "test", "energy") < 30.0


def test_molecules_without_a_cell(tmp_path):
    chosen, result = trained(tmp_path, saved(molecules(60), tmp_path / "m.extxyz"))
    assert "without a periodic cell" in chosen.text
    assert "never_screen: [H]" in chosen.text
    spread = np.std([a.get_potential_energy() / len(a) for a in molecules(60)])
    assert rmse(result, "test", "energy") < 0.5 * 1000.0 * spread


def test_two_elements(tmp_path):
    chosen, result = trained(tmp_path, saved(metals(40), tmp_path / "m.extxyz"))
    assert "species: [Al, Cu]" in chosen.text
    assert rmse(result, "test", "energy") < 40.0


@pytest.mark.parametrize("count", [2, 4])
def test_tiny_sets_train_on_all_frames(tmp_path, count):
    chosen, result = trained(
        tmp_path, saved(crystals(count), tmp_path / "w.extxyz"), recipe="accurate"
    )
    assert "split: {kind: all}" in chosen.text
    assert set(result.errors) == {"train"}
    labels = count * (1 + 3 * 8 + 6)
    assert result.fit.conditions.n_coefficients <= max(40, labels / 3)


def test_one_frame_is_not_enough(tmp_path):
    path = saved(crystals(1) * 3, tmp_path / "w.extxyz")
    with pytest.raises(DataError, match="found 1 different training frames"):
        init(path, output=None, threads=1)


def test_isolated_atoms_give_the_energies(tmp_path):
    atom = Atoms("W", cell=[20] * 3, pbc=False, info={"config_type": "IsolatedAtom"})
    frames = [*crystals(25), labelled(atom, morse())]
    chosen, result = trained(tmp_path, saved(frames, tmp_path / "w.extxyz"))
    assert "E0s: isolated" in chosen.text
    assert result.potential.provenance["data"]["E0s"] == "isolated atoms"


def test_files_named_test_are_for_the_test(tmp_path):
    saved(crystals(12, seed=1), tmp_path / "a_train.extxyz")
    saved(crystals(8, seed=2), tmp_path / "b_train.extxyz")
    saved(crystals(3, seed=9), tmp_path / "c_test.extxyz")
    chosen, result = trained(tmp_path, str(tmp_path / "*.extxyz"))
    assert [p.rsplit("/")[-1] for p in chosen.config.data.path] == [
        "a_train.extxyz",
        "b_train.extxyz",
    ]
    assert result.errors["test"].frames == 3
    assert result.errors["train"].frames == 20
    assert "split" not in chosen.text


def test_patterns_stay_patterns(tmp_path):
    for name in "ab":
        saved(crystals(4, seed=ord(name)), tmp_path / f"{name}.extxyz")
    pattern = str(tmp_path / "*.extxyz")
    chosen = init(pattern, output=None, threads=1)
    assert chosen.config.data.path == (pattern,)
    assert chosen.path is None


def test_marked_keys_win_over_plain_ones_that_disagree(tmp_path):
    frames = crystals(6, stress=False)
    for atoms in frames:
        atoms.info["REF_energy"] = atoms.get_potential_energy()
        atoms.calc.results["energy"] = 1.0  # what some model said
    path = saved(frames, tmp_path / "w.extxyz")
    chosen = init(path, output=None, threads=1)
    assert chosen.config.data.keys.energy == "REF_energy"
    data = chosen.text.split("model:")[0]
    assert "The plain keys hold other values" in " ".join(data.replace("#", "").split())


def test_two_unmarked_keys_that_disagree_are_left_to_the_user(tmp_path):
    frames = crystals(3)
    for atoms in frames:
        atoms.info["total_energy"] = 1.0
    with pytest.raises(DataError, match="say which one counts"):
        init(saved(frames, tmp_path / "w.extxyz"), output=None, threads=1)


def test_an_existing_file_is_kept(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("mine\n")
    data = saved(crystals(3), tmp_path / "w.extxyz")
    with pytest.raises(InputError, match="--force"):
        init(data, output=path, threads=1)
    assert path.read_text() == "mine\n"
    init(data, output=path, threads=1, force=True)
    assert load_config(path).model.species == ("W",)


def test_what_cannot_be_written_or_is_unknown_is_told_before_any_work(tmp_path):
    with pytest.raises(InputError, match="accurate, balanced, fast, plain"):
        init("none.xyz", output=None, recipe="best")
    with pytest.raises(WriteError, match="does not exist"):
        init("none.xyz", output=tmp_path / "absent" / "config.yaml")
    with pytest.raises(InputError, match="is a folder"):
        init("none.xyz", output=tmp_path)


def test_far_apart_atoms_are_refused(tmp_path):
    atoms = Atoms("W2", positions=[[0, 0, 0], [0, 0, 30.0]])
    wider = Atoms("W2", positions=[[0, 0, 0], [0, 0, 40.0]])
    frames = [labelled(a, morse()) for a in (atoms, wider)]
    with pytest.raises(DataError, match="no two atoms"):
        init(saved(frames, tmp_path / "w.extxyz"), output=None, threads=1)


def test_the_same_data_give_the_same_file(tmp_path):
    path = saved(crystals(6), tmp_path / "w.extxyz")
    first, second = (init(path, output=None, threads=1) for _ in range(2))
    assert first.text == second.text


def test_the_plain_result_is_json(tmp_path):
    chosen = init(saved(crystals(6), tmp_path / "w.extxyz"), output=None, threads=1)
    document = json.loads(json.dumps(chosen.to_dict()))
    assert set(document["forecast"]) == {f.name for f in fields(chosen.forecast)}
    keys = [choice["key"] for choice in document["choices"]]
    assert keys[:3] == ["data.path", "data.E0s", "data.split"]
    assert document["forecast"]["rows"] == 6 * (1 + 24 + 6)
