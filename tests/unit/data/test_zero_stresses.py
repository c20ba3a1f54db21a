"""Stresses of zero: true of a lone atom, not computed where a crystal has them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fitting_samples import labelled_frames
from spline_samples import lone_dimer
from trimpot.data.checks.values import value_findings
from trimpot.data.frames import Frame


def codes(frames):
    found = value_findings(frames, [False] * len(frames))
    return {finding.code for finding in found}


def lone_atom():
    structure = lone_dimer(14, 14, 2.4)
    one = replace(
        structure,
        numbers=structure.numbers[:1],
        positions=structure.positions[:1],
        cell=20.0 * np.eye(3),
        pbc=np.ones(3, dtype=bool),
    )
    return Frame(one, -1.0, np.zeros((1, 3)), np.zeros((3, 3)), "isolated_atom")


def test_lone_atoms_have_no_stress_and_need_no_cure():
    frames = [*labelled_frames(12), lone_atom()]
    assert "stress-zero" not in codes(frames)


def test_crystals_with_stresses_of_zero_are_found():
    frames = labelled_frames(12)
    frames[3] = replace(frames[3], stress=np.zeros((3, 3)))
    assert "stress-zero" in codes(frames)
