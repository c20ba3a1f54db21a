"""The folder that ``export --to kim`` writes, whether or not KIM is installed."""

from __future__ import annotations

import re

import pytest

from kim_samples import tame_potential
from trimpot.errors import InputError
from trimpot.files import kim_model, load, save
from trimpot.files.kim_model import DRIVER, model_name
from trimpot.verbs.exporting import export, export_lines

KIM_ID = re.compile(r"[A-Za-z][A-Za-z0-9_]*__M[OD]_\d{12}_\d{3}")
C_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)


@pytest.fixture
def library(tmp_path, monkeypatch):
    path = tmp_path / "elsewhere" / "libtrimpot.so"
    path.parent.mkdir()
    path.write_bytes(b"")
    monkeypatch.setenv(kim_model.LIBRARY_VARIABLE, str(path))
    return path


@pytest.mark.parametrize("stem", ["W", "my model-2", "1st.try", "Wölfram", "...", ""])
def test_names_are_valid_in_kim_and_in_c(stem):
    name = model_name(stem, b"content")
    assert KIM_ID.fullmatch(name)
    assert C_NAME.fullmatch(name)
    assert name == model_name(stem, b"content")
    assert name != model_name(stem, b"other")
    assert KIM_ID.fullmatch(DRIVER)


def test_the_folder_holds_model_driver_and_example(tmp_path, library, monkeypatch):
    monkeypatch.setattr(kim_model.shutil, "which", lambda _: None)
    potential = tame_potential("sum", 3)
    save(potential, tmp_path / "my model.trimpot")
    done = export(tmp_path / "my model.trimpot", "kim", output=tmp_path / "out")
    written = {
        str(path.relative_to(done.output))
        for path in done.output.rglob("*")
        if path.is_file()
    }
    assert written == set(done.files)
    name = done.commands[0].removeprefix("pair_style kim ")
    assert done.commands[1] == "pair_coeff * * Si Ge W"
    assert load(done.output / name / "model.trimpot").species == potential.species
    assert f'DRIVER_NAME "{DRIVER}"' in (done.output / name / "CMakeLists.txt").read_text()
    assert str(library) in (done.output / DRIVER / "where.cmake").read_text()
    readme = (done.output / "README.md").read_text()
    for part in (*done.steps, *done.commands, f'KIM("{name}")', "apt-get install"):
        assert part in readme
    assert "KIM is not installed here" in "\n".join(export_lines(done))
    again = export(tmp_path / "my model.trimpot", "kim", output=tmp_path / "out")
    assert again.commands == done.commands


def test_a_missing_library_is_said_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv(kim_model.LIBRARY_VARIABLE, str(tmp_path / "none.so"))
    with pytest.raises(InputError, match=r"none\.so.*TRIMPOT_LIBRARY"):
        export(tame_potential("uf23", 1), "kim", output=tmp_path / "out")
    assert not (tmp_path / "out").exists()
