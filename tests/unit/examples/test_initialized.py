"""The examples that ``trimpot init`` made: it still makes them, and they train well."""

from pathlib import Path

import pytest

from trimpot.config import load_config
from trimpot.files.yaml_text import parse_yaml
from trimpot.verbs import train
from trimpot.verbs.initializing import init

ROOT = Path(__file__).parents[3]
NAMES = (
    "copper",
    "silicon",
    pytest.param("germanium-telluride", marks=pytest.mark.slow),
)
HEAD = 4
"""Lines of an example that say what it is and how to run it, at most."""


def example(name, monkeypatch):
    """The example's path, its text and its files, from the root of the repository."""
    monkeypatch.chdir(ROOT)
    path = ROOT / "examples" / f"{name}.yaml"
    data = load_config(path).data
    files = [*data.path, *data.test]
    missing = [f for f in files if not Path(f).exists()]
    if missing:
        pytest.skip(f"no {', '.join(missing)}")
    return path, files


@pytest.mark.parametrize("name", NAMES)
def test_init_chooses_what_the_example_says(name, monkeypatch):
    path, files = example(name, monkeypatch)
    chosen = init(files, output=None, threads=1)
    values = parse_yaml(path.read_text(), name)
    assert values.pop("output") == f"output/{name}"
    assert parse_yaml(chosen.text, name) == values
    written = path.read_text().splitlines()
    reasons = [line for line in chosen.text.splitlines() if "Train with" not in line]
    start = written.index(reasons[0])
    assert start <= HEAD
    assert written[start:-1] == reasons


@pytest.mark.slow
def test_silicon_trains_as_it_is(monkeypatch, tmp_path):
    path, _ = example("silicon", monkeypatch)
    result = train(path, [f"output={tmp_path}", "figures=false"])
    energy, forces = (
        result.errors["test"].select(q, "all")[0].rmse for q in ("energy", "forces")
    )
    assert energy < 6.0  # meV/atom
    assert forces < 116.0  # meV/A: a tenth above those of hand-tuned settings
