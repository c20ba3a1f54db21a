"""Every instruction set that this processor has gives the same numbers."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from trimpot import _native

SCRIPT = """
import json, sys
import numpy as np
sys.path.insert(0, sys.argv[1])
from spline_samples import random_potential, rows_of, scattered
from trimpot import _native
out = {"name": _native.instruction_set(), "values": []}
for kind, n in (("pair", 1), ("triplet", 1), ("triplet", 3), ("sum", 2)):
    potential = random_potential(kind, n, seed=4)
    structure = scattered(potential.species, n=8, seed=4)
    (found,) = potential.evaluate_many([structure], threads=1)
    arrays = [found.energies, found.forces, found.virial, *rows_of(potential, structure)]
    out["values"] += [a.ravel().tolist() for a in arrays]
json.dump(out, sys.stdout)
"""


def run(name):
    tests = Path(__file__).parents[1]
    environment = os.environ | {"TRIMPOT_INSTRUCTION_SET": name}
    environment["PYTHONPATH"] = os.pathsep.join(
        [str(tests), os.environ.get("PYTHONPATH", "")]
    )
    return subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tests)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_all_instruction_sets_agree():
    results = {}
    for name in _native.instruction_sets():
        done = run(name)
        assert done.returncode == 0, done.stderr
        results[name] = json.loads(done.stdout)
        assert results[name]["name"] == name
    baseline = results["baseline"]["values"]
    for name, result in results.items():
        for found, expected in zip(result["values"], baseline, strict=True):
            scale = max(1.0, np.abs(expected).max())
            assert np.abs(np.subtract(found, expected)).max() < 1e-12 * scale, name


@pytest.mark.parametrize("name", ["AVX2", "sse9", ""])
def test_an_unknown_instruction_set_is_refused_with_those_that_exist(name):
    done = run(name)
    assert done.returncode != 0
    assert "choose one of" in done.stderr
    assert "baseline" in done.stderr
