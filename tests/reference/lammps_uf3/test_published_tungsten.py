"""The published tungsten potential on its hold-out: the errors measured with LAMMPS."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import trimpot
from trimpot.files.uf3 import read_uf3

SHARED = Path(__file__).parents[4] / "shared"
PUBLISHED = SHARED / "potentials" / "uf3_W" / "W.uf3"
FRAMES = SHARED / "data" / "w14_tungsten" / "w14.extxyz.xz"
ISOLATED = {"W": -5.1146}  # of manuscript_uf23.json beside it


@pytest.mark.slow
def test_hold_out_errors_are_those_measured_with_lammps():
    if not (PUBLISHED.exists() and FRAMES.exists()):
        pytest.skip("needs the tungsten data and the published W.uf3 in ../shared")
    frames = trimpot.read(FRAMES, where={"uf3_train": 0}).frames
    assert len(frames) == 7753
    potential = read_uf3(PUBLISHED, isolated_energies=ISOLATED)
    found = potential.evaluate_many([frame.structure for frame in frames], threads=2)
    pairs = list(zip(found, frames, strict=True))
    energy = np.array([(x.energy - f.energy) / len(f.structure) for x, f in pairs])
    force = np.concatenate([(x.forces - f.forces).ravel() for x, f in pairs])
    assert 1e3 * np.sqrt(np.mean(energy**2)) == pytest.approx(6.35, abs=0.005)
    assert np.sqrt(np.mean(force**2)) == pytest.approx(0.1761, abs=0.00005)
