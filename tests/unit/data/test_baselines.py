"""Isolated-atom energies from frames, tables and least squares."""

from __future__ import annotations

import numpy as np
import pytest

from trimpot.contract import Structure
from trimpot.data import Frame, isolated_atom_energies, isolated_frames, resolve_E0s
from trimpot.errors import DataError, InputError

GE, TE = 32, 52


def frame(numbers, energy, *, cell=6.0, pbc=True, group="default"):
    numbers = np.array(numbers, dtype=np.int32)
    positions = np.arange(3.0 * len(numbers)).reshape(-1, 3)
    structure = Structure(numbers, positions, np.eye(3) * cell, np.full(3, pbc))
    return Frame(structure, energy, config_type=group, source=f"s#{energy}")


def mixtures(e0s, compositions):
    binding = -2.0
    return [
        frame([GE] * a + [TE] * b, a * e0s[GE] + b * e0s[TE] + binding * (a + b))
        for a, b in compositions
    ]


def test_isolated_atoms_win_and_are_left_out():
    frames = [
        frame([GE], -10.0, pbc=False),
        frame([TE], -20.0, cell=12.0),
        *mixtures({GE: -10.0, TE: -20.0}, [(1, 1), (2, 1)]),
    ]
    e0s = resolve_E0s("auto", frames, (GE, TE))
    assert e0s.values == {GE: -10.0, TE: -20.0}
    assert e0s.source == "isolated atoms"
    assert e0s.isolated == (0, 1)
    assert e0s.total(np.array([GE, TE, TE])) == -50.0
    assert "2 frames with one isolated atom are left out of the fit" in e0s.lines()
    assert e0s.warnings == ()


@pytest.mark.parametrize(
    "group", ["IsolatedAtom", "isolated_atom", "iso_atoms", "Isolated"]
)
def test_group_names_of_isolated_atoms(group):
    assert isolated_frames([frame([GE], -1.0, cell=8.0, group=group)]) == (0,)


def test_one_atom_crystal_is_not_isolated():
    assert isolated_frames([frame([GE], -4.0, cell=3.0)]) == ()


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (frame([GE], -4.0, cell=3.0, group="IsolatedAtom"), "images are 3.00 A away"),
        (frame([GE, GE], -4.0, group="isolated_atom"), "has 2 atoms, expected one"),
        (frame([GE], None, pbc=False), "no energy"),
    ],
)
def test_impossible_isolated_atoms(bad, message):
    with pytest.raises(DataError, match=message):
        isolated_atom_energies([bad])


def test_missing_and_contradictory_isolated_atoms():
    one = [frame([GE], -10.0, pbc=False)]
    with pytest.raises(DataError, match=r"no isolated-atom frame for Te \(found: Ge\)"):
        resolve_E0s("auto", one, (GE, TE))
    with pytest.raises(DataError, match="expected one value"):
        resolve_E0s("isolated", [*one, frame([GE], -10.1, pbc=False)], (GE,))


def test_least_squares_recovers_compositions():
    frames = mixtures({GE: -10.0, TE: -20.0}, [(1, 1), (2, 1), (1, 3)])
    e0s = resolve_E0s("auto", frames, (GE, TE))
    assert e0s.source == "least squares"
    assert e0s.values[GE] == pytest.approx(-12.0, abs=1e-10)
    assert e0s.values[TE] == pytest.approx(-22.0, abs=1e-10)
    assert e0s.warnings == ()


def test_least_squares_ignores_isolated_atoms():
    frames = [*mixtures({GE: -10.0, TE: -20.0}, [(1, 0)]), frame([GE], 0.0, pbc=False)]
    assert resolve_E0s("least_squares", frames, (GE,)).values == {GE: pytest.approx(-12.0)}


def test_fixed_composition_gives_minimum_norm_and_a_warning():
    frames = mixtures({GE: -10.0, TE: -20.0}, [(1, 1), (2, 2)])
    e0s = resolve_E0s("least_squares", frames, (GE, TE))
    assert e0s.values[GE] == pytest.approx(e0s.values[TE]) == pytest.approx(-17.0)
    assert "Ge, Te are not determined" in e0s.warnings[0]


def test_no_energies_give_zero_and_a_warning():
    e0s = resolve_E0s("auto", [frame([GE, GE], None)], (GE,))
    assert e0s.values == {GE: 0.0}
    assert "no frame has an energy" in e0s.warnings[0]


def test_table_is_checked():
    frames = mixtures({GE: -10.0, TE: -20.0}, [(1, 1)])
    e0s = resolve_E0s({"Te": -20.0, "Ge": -10.0}, frames, (GE, TE))
    assert list(e0s.values) == [GE, TE]
    with pytest.raises(InputError, match="no energy for Te"):
        resolve_E0s({"Ge": -10.0}, frames, (GE, TE))
    with pytest.raises(InputError, match="unknown element"):
        resolve_E0s({"Gx": -10.0}, frames, (GE, TE))
    with pytest.raises(InputError, match="finite"):
        resolve_E0s({"Ge": -10.0, "Te": float("nan")}, frames, (GE, TE))
    with pytest.raises(InputError, match="expected auto"):
        resolve_E0s("average", frames, (GE, TE))


def test_total_versus_atomisation_energies_are_noticed():
    atomisation = mixtures({GE: 0.0, TE: 0.0}, [(1, 1), (2, 1)])
    table = {"Ge": -2000.0, "Te": -6000.0}
    assert "different scales" in resolve_E0s(table, atomisation, (GE, TE)).warnings[0]
    total = mixtures({GE: -2000.0, TE: -6000.0}, [(1, 1), (2, 1)])
    assert "different scales" in resolve_E0s("zero", total, (GE, TE)).warnings[0]
    assert resolve_E0s(table, total, (GE, TE)).warnings == ()
