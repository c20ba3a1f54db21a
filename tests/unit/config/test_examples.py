"""The shipped examples are valid and can be redirected as their comments say."""

from pathlib import Path

import pytest

from trimpot.config import load_config

EXAMPLES = sorted((Path(__file__).parents[3] / "examples").glob("*.yaml"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.name)
def test_example_loads_with_another_output_and_file(path):
    config = load_config(path, ["output=somewhere", "data.path=frames.xyz"])
    assert config.output == Path("somewhere")
    assert config.data.path == ("frames.xyz",)


def test_the_tungsten_examples_are_there():
    assert {"tungsten-uf2.yaml", "tungsten-uf23.yaml"} <= {p.name for p in EXAMPLES}
