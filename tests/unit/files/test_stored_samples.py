"""Files of every format version must give the same numbers for ever."""

import json
from pathlib import Path

import numpy as np
import pytest

from trimpot.contract import Structure
from trimpot.files import load
from trimpot.files.upgrades import FORMAT_VERSION, UPGRADES

STORE = Path(__file__).parents[2] / "reference" / "potential_files"
FOLDERS = sorted(STORE.glob("v*"))


def structure_of(case):
    return Structure(
        np.array(case["numbers"], dtype=np.int32),
        np.array(case["positions"]),
        np.array(case["cell"]),
        np.array(case["pbc"], dtype=bool),
    )


def test_every_version_has_a_sample_and_an_upgrade():
    versions = set(range(1, FORMAT_VERSION + 1))
    assert {int(f.name[1:]) for f in FOLDERS} == versions
    assert set(UPGRADES) == versions - {FORMAT_VERSION}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda f: f.name)
def test_sample_gives_the_stored_numbers(folder):
    potential = load(folder / "sample.trimpot")
    cases = json.loads((folder / "expected.json").read_text())["cases"]
    results = potential.evaluate_many([structure_of(c) for c in cases])
    for case, result in zip(cases, results, strict=True):
        close = {"rtol": 1e-12, "atol": 1e-12}
        np.testing.assert_allclose(result.energies, case["energies"], **close)
        np.testing.assert_allclose(result.forces, case["forces"], **close)
        np.testing.assert_allclose(result.virial, case["virial"], **close)
        if "grades" in case:
            found = potential.grader().grades(structure_of(case))
            np.testing.assert_allclose(found, case["grades"], rtol=1e-5)
