"""Total charges of frames: where they stand, what is refused, what they change."""

from dataclasses import replace

import numpy as np
import pytest

from trimpot.contract import Structure
from trimpot.data import (
    Dataset,
    Frame,
    LabelKeys,
    duplicate_groups,
    isolated_atom_energies,
    read,
    resolve_E0s,
)
from trimpot.data.charge_energies import with_charge_energies
from trimpot.errors import DataError

NA, CL = 11, 17


def file_of(folder, *fields):
    """Frames of two atoms with these fields in their comment lines."""
    lines = []
    for number, extra in enumerate(fields):
        lines += ["2", f"Properties=species:S:1:pos:R:3 energy=-{number + 1} {extra}"]
        lines += ["Na 0 0 0", f"Cl 0 0 {2.3 + 0.1 * number}"]
    path = folder / "frames.extxyz"
    path.write_text("\n".join(lines) + "\n")
    return path


def charges_in(dataset):
    return [frame.structure.charge for frame in dataset]


@pytest.mark.parametrize(
    ("fields", "charges"),
    [
        (("total_charge=-0.0", "total_charge=1.0"), [0, 1]),
        (("charge=-2 total_charge=7", "charge=3"), [-2, 3]),
        (("", "charge=1"), [0, 1]),
        (("", ""), [0, 0]),
    ],
)
def test_the_usual_fields_hold_it(fields, charges, tmp_path):
    assert charges_in(read(file_of(tmp_path, *fields))) == charges


def test_a_named_field_holds_it(tmp_path):
    path = file_of(tmp_path, "charge=5 ion=1", "charge=5 ion=-1")
    assert charges_in(read(path, keys=LabelKeys(charge="ion"))) == [1, -1]


@pytest.mark.parametrize(
    ("field", "found"),
    [
        ("", r"no field ion \(but energy\)"),
        ("ion=0.5", "ion = 0.5"),
        ("ion=anion", "ion = anion"),
    ],
)
def test_a_named_field_must_be_there_and_whole(field, found, tmp_path):
    path = file_of(tmp_path, "ion=1", field)
    with pytest.raises(DataError, match=f"frame 1.*{found}, expected the total charge"):
        read(path, keys=LabelKeys(charge="ion"))


def test_a_usual_name_for_something_else_is_told(tmp_path):
    dataset = read(file_of(tmp_path, "charge=0.37", "charge=1"))
    assert charges_in(dataset) == [0, 1]
    text = "\n".join(dataset.report.lines())
    assert "charge is no whole number of e and is not taken as the total charge" in text
    assert "total charge +1 from charge: 1 frames" in text


def frame(numbers, energy, charge=0, shift=0.0):
    numbers = np.array(numbers, dtype=np.int32)
    x = np.arange(3.0 * len(numbers)).reshape(-1, 3) + shift
    structure = Structure(numbers, x, np.zeros((3, 3)), np.zeros(3, bool), charge)
    return Frame(structure, energy, source=f"s#{energy}")


def test_one_geometry_with_two_charges_is_no_duplicate():
    frames = [frame([NA, CL], -1.0, q) for q in (0, 1, 0)]
    assert duplicate_groups(frames).tolist() == [0, 1, 0]
    prints = {Dataset((f,), None).fingerprint for f in frames}
    assert len(prints) == 2


def test_isolated_ions_give_no_energies_of_atoms():
    frames = [frame([NA], 5.1, 1), frame([NA], -0.2), frame([CL], -3.0)]
    assert isolated_atom_energies(frames) == {NA: -0.2, CL: -3.0}
    ions = [frame([NA], 5.1, 1), frame([NA, NA], -2.0)]
    assert resolve_E0s("auto", ions, (NA,)).values == pytest.approx({NA: -1.0})


def mixtures():
    """Energies of atoms, a binding energy per atom, and constants of charges."""
    sizes = [(1, 1), (2, 1), (3, 2), (1, 3), (4, 4), (2, 5)]
    constant = {0: 0.0, 1: 5.0, -1: -3.6}
    return [
        frame([NA] * a + [CL] * b, -1.0 * a - 4.0 * b - 2.0 * (a + b) + constant[q], q)
        for a, b in sizes
        for q in constant
    ]


@pytest.mark.parametrize(
    ("setting", "sodium"), [("least_squares", -3.0), ({"Na": -1.0, "Cl": -4.0}, -1.0)]
)
def test_constants_of_charges_are_found_beside_what_atoms_bind(setting, sodium):
    frames = mixtures()
    e0s, constants = with_charge_energies(
        resolve_E0s(setting, frames, (NA, CL)), frames, (NA, CL)
    )
    assert constants == pytest.approx({0: 0.0, 1: 5.0, -1: -3.6})
    assert constants[0] == 0.0
    assert e0s.values[NA] == pytest.approx(sodium)


def test_one_composition_leaves_the_constants_their_difference():
    frames = [frame([NA] * 3, e, q) for e, q in ((-4.0, 1), (-9.0, -1))]
    e0s, constants = with_charge_energies(resolve_E0s("auto", frames, (NA,)), frames, (NA,))
    totals = [
        e0s.total(f.structure.numbers) + constants[f.structure.charge] for f in frames
    ]
    assert totals == pytest.approx([-4.0, -9.0])


def test_a_copy_keeps_the_charge():
    one = frame([NA, CL], -1.0, 1)
    assert replace(one, energy=None).structure.charge == 1
