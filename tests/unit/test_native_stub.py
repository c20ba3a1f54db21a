"""The committed types of the native module are those of the module that was built."""

from importlib import metadata
from pathlib import Path

import trimpot


def test_stub_is_that_of_the_installed_module():
    installed = [f for f in metadata.files("trimpot") or () if f.name == "_native.pyi"]
    assert installed, "the build installs a stub beside the module"
    committed = Path(trimpot.__file__).parent / "_native.pyi"
    assert committed.read_text() == Path(str(installed[0].locate())).read_text()
