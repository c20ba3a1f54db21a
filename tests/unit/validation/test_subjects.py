"""Subjects: the same model from any side, told apart by keys."""

import pytest
from ase.build import bulk

from crystal_subjects import SW_SI, lj_subject, sw_subject
from toy_potentials import Morse
from trimpot.engines.lammps.finding import find_lmp
from trimpot.errors import InputError
from trimpot.validation.subjects import subject_of_file, subject_of_potential

DESCRIPTION = 'lammps: ["pair_style sw", "pair_coeff * * Si.sw Si"]\nelements: [Si]\n'


@pytest.fixture
def described(tmp_path):
    (tmp_path / "Si.sw").write_text(SW_SI)
    path = tmp_path / "rival.lammps.yaml"
    path.write_text(DESCRIPTION)
    return path


def test_a_description_makes_a_subject_of_a_pair_style(described):
    subject = subject_of_file(described)
    assert (subject.name, subject.elements) == ("rival", ("Si",))
    if find_lmp() is not None:
        atoms = bulk("Si", a=5.43095)
        atoms.calc = subject.calculator()
        assert atoms.get_potential_energy() == pytest.approx(-4 * 2.1683, abs=1e-4)


def test_the_key_follows_lines_and_contents_of_files(described):
    key = subject_of_file(described).key
    assert subject_of_file(described).key == key
    (described.parent / "Si.sw").write_text(SW_SI.replace("21.0", "22.0"))
    other = subject_of_file(described).key
    described.write_text(DESCRIPTION + "name: named\n")
    assert subject_of_file(described).key == other != key
    assert subject_of_file(described).name == "named"


def test_what_is_wrong_with_a_description_is_told(described):
    for text, words in (
        ("lammps: [pair_style sw]\n", "found no elements"),
        (DESCRIPTION + "filse: []\n", "did you mean files"),
        (DESCRIPTION + "files: [gone.sw]\n", "found no file"),
        (DESCRIPTION.replace("pair_style sw", "run 0"), "no pair_style"),
        (DESCRIPTION.replace("[Si]", "Si"), "expected a list of texts"),
        (DESCRIPTION + "lammps: []\n", "stands twice"),
    ):
        described.write_text(text)
        with pytest.raises(InputError, match=words):
            subject_of_file(described)


def test_any_potential_is_a_subject_where_it_has_a_key():
    subject = subject_of_potential(Morse(), "Morse", "toy 1")
    atoms = bulk("W")
    atoms.calc = subject.calculator()
    assert atoms.get_potential_energy() < 0.0
    assert subject.potential is not None
    with pytest.raises(InputError):
        subject_of_potential(Morse(), "Morse")


def test_ase_calculators_are_subjects(tmp_path):
    assert lj_subject().elements == ("Cu",)
    assert lj_subject().key != sw_subject(tmp_path).key
