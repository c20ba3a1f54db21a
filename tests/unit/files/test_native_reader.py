"""The reader in C++, for programs without Python: the same bits, or a refusal.

What test_hostile_files.py refuses is refused by both readers.
"""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from native_reading import of_terms, refused_natively, same_bits
from spline_samples import KINDS, OTHER_SPACING, SPECIES, random_potential, scattered
from trimpot import _native
from trimpot.contract import Structure
from trimpot.elements import SYMBOLS
from trimpot.files import save
from trimpot.files.container import read
from trimpot.files.upgrades import FORMAT_VERSION
from trimpot.splines.density_settings import DensitySettings
from trimpot.splines.harmonics import LARGEST_DEGREE, coupling, couplings
from trimpot.splines.one_body import OneBody
from trimpot.splines.pair_settings import PairSettings
from trimpot.splines.potential import SplinePotential
from trimpot.splines.profile import PairProfile

STORE = Path(__file__).parents[2] / "reference" / "potential_files"


def surroundings(species):
    """A crowded cell smaller than the cutoffs, and a cluster."""
    return [scattered(species, 6), scattered(species, 5, pbc=(False, False, False))]


@pytest.mark.parametrize("n_species", SPECIES)
@pytest.mark.parametrize("settings", [None, OTHER_SPACING], ids=["uniform", "other"])
@pytest.mark.parametrize("kind", KINDS)
def test_terms_have_the_same_bits(kind, settings, n_species, tmp_path):
    potential = random_potential(kind, n_species, settings)
    save(potential, tmp_path / "a.trimpot")
    structures = [s for s in surroundings(SPECIES[n_species]) if kind != "one_body"]
    assert same_bits(tmp_path / "a.trimpot", structures) == len(potential.terms)


@pytest.mark.parametrize("mixed", [True, False])
@pytest.mark.parametrize("l_max", [1, 2, 3])
def test_densities_with_triples_have_the_same_bits(l_max, mixed, tmp_path):
    species = SPECIES[2]
    profile = PairProfile(species, np.full((2, 2), 2.0), np.zeros((2, 2, 4)), 4.0)
    settings = DensitySettings(
        cutoff=4.0,
        functions=3,
        order=4,
        l_max=l_max,
        angular_functions=2,
        triples=True,
        mixed=mixed,
    )
    term = settings.build(species, profile)
    term = term.with_limits(np.full((2, term.n_limits), 0.4))
    values = np.random.default_rng(1).normal(size=term.n_coefficients)
    save(SplinePotential(species, (term,), (values,)), tmp_path / "a.trimpot")
    assert same_bits(tmp_path / "a.trimpot", surroundings(species)) == 1


@pytest.mark.parametrize("l_max", range(LARGEST_DEGREE + 1))
def test_couplings_are_those_of_the_specification(l_max):
    found = _native.density_couplings(l_max)
    assert [tuple(degrees) for degrees, _, _ in found] == list(couplings(l_max))
    for degrees, factors, components in found:
        expected = coupling(*degrees)
        assert np.array_equal(np.reshape(components, (-1, 3)), [c for c, _ in expected])
        np.testing.assert_allclose(factors, [f for _, f in expected], rtol=0, atol=1e-14)


def test_all_elements_are_known(tmp_path):
    species = tuple(range(1, len(SYMBOLS)))
    energies = np.arange(len(species)) + 0.5
    save(SplinePotential(species, (OneBody(species),), (energies,)), tmp_path / "a.trimpot")
    numbers, _, _, isolated = _native.read_terms(str(tmp_path / "a.trimpot"))
    assert tuple(numbers) == species
    assert isolated == energies.tolist()


def test_a_term_without_free_coefficients_is_zero(tmp_path):
    species = (74,)
    profile = PairProfile(species, np.full((1, 1), 2.0), np.zeros((1, 1, 4)), 4.0)
    empty = PairSettings(cutoff=4.0, leave_out=("W-W",)).build(species, profile)
    parts = (OneBody(species), empty), (np.array([-1.5]), np.zeros(0))
    save(SplinePotential(species, *parts), tmp_path / "a.trimpot")
    numbers, cutoff, terms, _ = _native.read_terms(str(tmp_path / "a.trimpot"))
    energies, *_ = of_terms(terms, numbers, cutoff, scattered(species, 3))
    assert energies.tolist() == [-1.5] * 3


@pytest.mark.parametrize("version", [f"v{n + 1}" for n in range(FORMAT_VERSION)])
def test_every_version_gives_its_numbers(version):
    path = STORE / version / "sample.trimpot"
    numbers, cutoff, terms, _ = _native.read_terms(str(path))
    for case in json.loads((STORE / version / "expected.json").read_text())["cases"]:
        structure = Structure(
            np.array(case["numbers"], dtype=np.int32),
            np.array(case["positions"]),
            np.array(case["cell"]),
            np.array(case["pbc"], dtype=bool),
        )
        energies, forces, virial = of_terms(terms, numbers, cutoff, structure)
        np.testing.assert_allclose(energies, case["energies"], rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(forces, case["forces"], rtol=1e-12, atol=1e-12)
        expected = np.ravel(case["virial"])
        np.testing.assert_allclose(virial, expected, rtol=1e-12, atol=1e-12)


def test_any_byte_that_changes_is_noticed(potential, tmp_path):
    save(potential, tmp_path / "good.trimpot")
    data, path = (tmp_path / "good.trimpot").read_bytes(), tmp_path / "a.trimpot"
    rng = np.random.default_rng(3)
    for at in rng.integers(len(data), size=200):
        changed = bytearray(data)
        changed[at] ^= int(rng.integers(1, 256))
        path.write_bytes(changed)
        refused_natively(path)
        path.write_bytes(data[:at])
        refused_natively(path)


def test_a_newer_format_names_the_release(potential, tmp_path, monkeypatch):
    monkeypatch.setattr("trimpot.files.potential_file.FORMAT_VERSION", FORMAT_VERSION + 1)
    monkeypatch.setattr("trimpot.files.potential_file.FIRST_RELEASE", "9.8.7")
    save(potential, tmp_path / "a.trimpot")
    said = refused_natively(tmp_path / "a.trimpot", r"install Trimpot 9\.8\.7 or later")
    assert "copy it again" not in said


def test_what_is_no_file_is_refused(tmp_path):
    refused_natively(tmp_path / "a.trimpot", "no such file")
    refused_natively(tmp_path, "not a file")


def test_what_other_tools_write_again_is_read(potential, tmp_path):
    save(potential, tmp_path / "a.trimpot")
    tensors = safetensors.numpy.load_file(tmp_path / "a.trimpot")
    with safetensors.safe_open(tmp_path / "a.trimpot", "numpy") as file:
        metadata = file.metadata()
    safetensors.numpy.save_file(tensors, tmp_path / "b.trimpot", metadata)
    assert same_bits(tmp_path / "b.trimpot", surroundings(potential.species))


def test_text_of_any_kind_is_digested(potential, tmp_path):
    provenance = {"ä": '\u2028\n\\"\x00é😀', "sha256": "0" * 64, "z": {"sha256": "1"}}
    save(replace(potential, provenance=provenance), tmp_path / "a.trimpot")
    assert same_bits(tmp_path / "a.trimpot", surroundings(potential.species))
    assert read(tmp_path / "a.trimpot")[0]["provenance"] == provenance
