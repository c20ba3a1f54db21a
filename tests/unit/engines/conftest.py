"""Make tests/*.py importable, whatever the working directory; models in KIM."""

import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))

from trimpot.files.kim_model import COMMAND


@pytest.fixture(scope="session")
def kim_home(tmp_path_factory):
    """A home of its own for KIM's collections of this test session."""
    from kim_host import need

    need(shutil.which(COMMAND), "KIM")
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        patch.setenv("OMP_NUM_THREADS", "1")
        yield home


@pytest.fixture(scope="session")
def kim_models(kim_home):
    """Name of the installed model and potential by (kind, number of species)."""
    from kim_host import install
    from kim_samples import tame_potential

    made = {}

    def model(kind, n_species):
        if (kind, n_species) not in made:
            potential = tame_potential(kind, n_species)
            name = install(potential, f"{kind}_{n_species}", kim_home)
            made[kind, n_species] = name, potential
        return made[kind, n_species]

    return model
