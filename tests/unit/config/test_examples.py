"""The shipped examples are valid and can be redirected as their comments say."""

from pathlib import Path

import pytest

from trimpot.config import load_config
from trimpot.data import RandomSplit
from trimpot.validation.subjects import subject_of_file

FOLDER = Path(__file__).parents[3] / "examples"
PEERS = sorted(FOLDER.rglob("*.lammps.yaml"))
EXAMPLES = [path for path in sorted(FOLDER.rglob("*.yaml")) if path not in PEERS]
NETWORKS = [path for path in EXAMPLES if path.parent.name == "networks"]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: str(p.relative_to(FOLDER)))
def test_example_loads_with_another_output_and_file(path):
    config = load_config(path, ["output=somewhere", "data.path=frames.xyz"])
    assert config.output == Path("somewhere")
    assert config.data.path == ("frames.xyz",)


def test_the_tungsten_examples_are_there():
    assert {"tungsten-uf2.yaml", "tungsten-uf23.yaml"} <= {p.name for p in EXAMPLES}


@pytest.mark.parametrize("path", NETWORKS, ids=lambda p: p.name)
def test_recipes_of_networks_take_their_time_and_a_seeded_split(path):
    config = load_config(path)
    assert config.model.kind == "mlanet"
    assert config.training.seconds == 2700
    assert "seed: 0" in path.read_text().partition("training:")[2]
    assert config.data.test or config.data.split == RandomSplit(test_fraction=0.1, seed=0)


@pytest.mark.parametrize("path", NETWORKS, ids=lambda p: p.name)
def test_recipes_of_networks_say_how_to_run_them_and_where_the_data_are(path):
    text = path.read_text()
    assert f"trimpot train {path.relative_to(FOLDER.parent)} --set output=runs/" in text
    files = [*load_config(path).data.path, *load_config(path).data.test]
    assert all(file.startswith("../shared/data/") for file in files)


def test_there_is_a_recipe_for_molecules_liquids_solids_and_surfaces():
    named = {path.stem for path in NETWORKS}
    assert {"ethanol", "aspirin", "water", "zeolites", "formate-on-copper"} <= named
    assert {"germanium-telluride", "silicon", "molybdenum"} <= named


@pytest.mark.parametrize("path", PEERS, ids=lambda p: p.name)
def test_peers_name_files_that_are_there(path):
    if not (FOLDER.parents[1] / "shared" / "potentials").is_dir():
        pytest.skip("potentials of others not present")
    subject = subject_of_file(path)
    words = " ".join(subject.lammps.lines).split()
    files = [path.parent / word for word in words if word.startswith("..")]
    assert all(file.is_file() for file in files)
    assert subject.elements == ("W",)
