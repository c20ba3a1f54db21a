import json

import numpy as np
import pytest

import trimpot
from trimpot.errors import FileFormatError, InputError
from trimpot.files import load, save
from trimpot.files.upgrades import FORMAT_VERSION


def same_state(a, b):
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same_state(a[k], b[k]) for k in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same_state, a, b))
    return a == b and type(a) is type(b)


def test_everything_comes_back_bit_by_bit(potential, tmp_path):
    save(potential, tmp_path / "a.trimpot")
    loaded = load(tmp_path / "a.trimpot")
    assert loaded.species == potential.species
    assert loaded.cutoff == potential.cutoff
    for a, b in zip(potential.terms, loaded.terms, strict=True):
        assert type(a) is type(b)
        assert same_state(a.state(), b.state())
    for a, b in zip(potential.coefficients, loaded.coefficients, strict=True):
        assert same_state(a, b)
    assert same_state(loaded.statistics, dict(potential.statistics))
    assert json.dumps(loaded.provenance) == json.dumps(dict(potential.provenance))


def test_energies_and_forces_are_bit_equal(potential, structures, tmp_path):
    save(potential, tmp_path / "a.trimpot")
    loaded = load(tmp_path / "a.trimpot")
    before = potential.evaluate_many(structures, threads=1)
    after = loaded.evaluate_many(structures, threads=1)
    for a, b in zip(before, after, strict=True):
        assert a.energies.tobytes() == b.energies.tobytes()
        assert a.forces.tobytes() == b.forces.tobytes()
        assert a.virial.tobytes() == b.virial.tobytes()


def test_equal_potentials_give_equal_bytes(potential, tmp_path):
    save(potential, tmp_path / "a.trimpot")
    save(load(tmp_path / "a.trimpot"), tmp_path / "b.trimpot")
    assert (tmp_path / "a.trimpot").read_bytes() == (tmp_path / "b.trimpot").read_bytes()


def test_top_level_names_save_and_load(potential, tmp_path):
    trimpot.save(potential, str(tmp_path / "a.trimpot"))
    assert trimpot.load(str(tmp_path / "a.trimpot")).species == potential.species


def test_other_suffix_is_refused_with_the_right_name(potential, tmp_path):
    with pytest.raises(InputError, match=r"model\.trimpot"):
        save(potential, tmp_path / "model.json")


def test_other_potentials_are_refused(tmp_path):
    with pytest.raises(InputError, match="type object"):
        save(object(), tmp_path / "a.trimpot")


def test_nan_in_provenance_is_refused(potential, tmp_path):
    broken = type(potential)(
        potential.species, potential.terms, potential.coefficients, {"error": np.nan}
    )
    with pytest.raises(InputError, match="provenance"):
        save(broken, tmp_path / "a.trimpot")
    assert list(tmp_path.iterdir()) == []


def test_missing_file_names_the_nearest(potential, tmp_path):
    save(potential, tmp_path / "tungsten.trimpot")
    with pytest.raises(InputError, match=r"did you mean .*tungsten\.trimpot"):
        load(tmp_path / "tugsten.trimpot")
    with pytest.raises(InputError, match="is a folder"):
        load(tmp_path)


@pytest.mark.parametrize("name", ["W.uf3", "model.json"])
def test_files_of_other_programs_are_pointed_to_the_import(name, tmp_path):
    (tmp_path / name).write_text("{}")
    with pytest.raises(FileFormatError, match=f"trimpot import .*{name}"):
        load(tmp_path / name)


def test_folder_with_a_model_names_it(potential, tmp_path):
    save(potential, tmp_path / "model.trimpot")
    with pytest.raises(InputError, match=r"did you mean .*model\.trimpot"):
        load(tmp_path)


def test_newer_format_names_the_release(potential, tmp_path, monkeypatch):
    monkeypatch.setattr("trimpot.files.potential_file.FORMAT_VERSION", FORMAT_VERSION + 1)
    monkeypatch.setattr("trimpot.files.potential_file.FIRST_RELEASE", "9.8.7")
    save(potential, tmp_path / "a.trimpot")
    with pytest.raises(FileFormatError, match=r"install Trimpot 9\.8\.7 or later"):
        load(tmp_path / "a.trimpot")
