"""The native network is the one of torch: energies, slopes, gradients by parameters."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="networks need PyTorch")

from mlanet_samples import CASES, SPECIES, largest_deviations  # noqa: E402
from spline_samples import scattered  # noqa: E402
from trimpot import _native  # noqa: E402
from trimpot.validation.transform import repeated  # noqa: E402

torch.set_num_threads(1)

BOUNDS = {"double": 1e-12, "single": 5e-5}
"""Shares of the largest value of an array."""

SCRIPT = """
import json, sys
sys.path.insert(0, sys.argv[1])
from mlanet_samples import CASES, SPECIES, largest_deviations
from spline_samples import scattered
from trimpot import _native
structure = scattered(SPECIES, n=7, shortest=1.6, seed=5)
found = {p: largest_deviations(CASES, structure, p) for p in ("double", "single")}
json.dump({"name": _native.instruction_set(), "found": found}, sys.stdout)
"""


def beyond(deviations, precision):
    return {k: v for k, v in deviations.items() if not v < BOUNDS[precision]}


@pytest.mark.parametrize("precision", BOUNDS)
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("case", CASES)
def test_the_kernel_says_what_torch_does(case, precision, threads):
    structure = scattered(SPECIES, n=7, shortest=1.6, seed=5)
    assert not beyond(largest_deviations([case], structure, precision, threads), precision)


def test_many_atoms_for_several_threads():
    one = scattered(SPECIES, n=7, shortest=1.6, seed=6)
    structure = repeated(one, (2, 2, 3))
    found = largest_deviations(["l 2, order 3, all poolings"], structure, threads=3)
    assert not beyond(found, "double")


@pytest.mark.parametrize("pbc", [(False, False, False), (True, False, False)])
def test_atoms_with_few_neighbours_or_none(pbc):
    structure = scattered(SPECIES, n=3, shortest=3.4, seed=9, pbc=pbc)
    for case in CASES:
        assert not beyond(largest_deviations([case], structure), "double")


@pytest.mark.parametrize("name", _native.instruction_sets())
def test_every_instruction_set_says_what_torch_does(name):
    tests = Path(__file__).parents[1]
    paths = [str(tests), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {
        "TRIMPOT_INSTRUCTION_SET": name,
        "PYTHONPATH": os.pathsep.join(paths),
        "OMP_NUM_THREADS": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tests)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["name"] == name
    for precision, deviations in result["found"].items():
        assert not beyond(deviations, precision)
