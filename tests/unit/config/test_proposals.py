"""Settings chosen from data: shells, cutoffs in gaps, splits, E0s, and what they cost."""

import numpy as np
import pytest
from ase.build import bulk, molecule

from trimpot.config import build, config_from
from trimpot.config.proposals import (
    RECIPES,
    Choice,
    Proposal,
    is_for_test,
    propose,
    written,
)
from trimpot.config.proposals.cutoffs import LARGEST, PAIRS, TRIPLETS, cutoff_of
from trimpot.config.proposals.energies import propose_E0s
from trimpot.config.proposals.proposal import MOST_COEFFICIENTS, budget_of
from trimpot.config.proposals.shells import shells_of
from trimpot.config.proposals.splitting import propose_split, setting_of
from trimpot.contract import Structure
from trimpot.data import Frame, split
from trimpot.files.yaml_text import parse_yaml
from trimpot.splines.density_settings import DensitySettings
from trimpot.splines.packing import pack
from trimpot.splines.pair_settings import PairSettings
from trimpot.splines.profile import pair_profile
from trimpot.splines.triplet_settings import TripletSettings

KINDS = {"pair": PairSettings, "triplet": TripletSettings, "density": DensitySettings}
NO_FILES = (Choice("data.path", "frames.xyz", "Two files."),)


def frame(atoms, config_type="bulk", info=None, *, forces=True, energy=-1.0, stress=None):
    """A frame with made-up labels: proposals look at their presence only."""
    structure = Structure(
        atoms.numbers, atoms.positions, np.asarray(atoms.cell), np.asarray(atoms.pbc)
    )
    return Frame(
        structure,
        energy=energy * len(atoms),
        forces=np.zeros((len(atoms), 3)) if forces else None,
        stress=stress,
        config_type=config_type,
        info=info or {},
    )


def crystals(name, lattice, a, count=4, repeat=3, noise=0.03):
    rng = np.random.default_rng(1)
    found = []
    for _ in range(count):
        atoms = bulk(name, lattice, a=a, cubic=True) * repeat
        atoms.positions += a * noise / 3 * rng.normal(size=atoms.positions.shape)
        found.append(atoms)
    return found


def shells(structures):
    frames = [frame(a) for a in structures]
    species = tuple(sorted({int(z) for a in structures for z in a.numbers}))
    packed = pack([f.structure for f in frames], species)
    return shells_of(pair_profile(packed, LARGEST, bins=450), sum(map(len, frames)))


def value_of(proposal, key):
    return next(c.value for c in proposal.choices if c.key == key)


def terms_of(proposal):
    return [
        c.value for c in proposal.choices if c.key.startswith("model.terms") and c.value
    ]


def coefficients(proposal, frames):
    """The fitted coefficients of the proposed terms, built on the frames."""
    species = tuple(sorted({z for f in frames for z in f.structure.numbers.tolist()}))
    profile = pair_profile(pack([f.structure for f in frames], species), LARGEST)
    settings = (build(KINDS[values["kind"]], values) for values in terms_of(proposal))
    return sum(s.build(species, profile).n_coefficients for s in settings)


def test_shells_of_fcc_stand_where_the_lattice_puts_them():
    a = 3.6
    found = shells(crystals("Cu", "fcc", a))
    expected = a * np.sqrt([0.5, 1.0, 1.5, 2.0])
    np.testing.assert_allclose(found.peaks[:4], expected, atol=0.03)
    assert found.nearest == pytest.approx(a / np.sqrt(2), abs=0.03)
    for gap, low, high, neighbours in zip(
        found.gaps, expected, expected[1:], (12, 18, 42), strict=False
    ):
        assert low < gap < high
        assert found.within(gap) == pytest.approx(neighbours, abs=0.3)


@pytest.mark.parametrize(
    ("name", "lattice", "a", "inner", "outer"),
    [
        ("Cu", "fcc", 3.6, 42, 78),
        ("W", "bcc", 3.17, 26, 58),
        ("Si", "diamond", 5.43, 28, 46),
    ],
)
def test_cutoffs_end_between_shells_of_crystals(name, lattice, a, inner, outer):
    found = shells(crystals(name, lattice, a))
    for aim, neighbours in ((TRIPLETS, inner), (PAIRS, outer)):
        cutoff = cutoff_of(found, aim, periodic=True)
        inside = found.within(cutoff.value - aim.past)
        assert inside == pytest.approx(neighbours, abs=1.0)
        assert np.abs(found.gaps + aim.past - cutoff.value).min() <= 0.026  # rounded
        assert "gap" in cutoff.why
        assert f"{cutoff.value:g} A" in cutoff.why


def test_cutoffs_grow_with_the_atoms():
    small, large = (
        cutoff_of(shells(crystals("Cu", "fcc", a)), PAIRS, periodic=True).value
        for a in (3.6, 3.6 * 1.2)
    )
    assert large == pytest.approx(1.2 * small, abs=0.11)  # rounded to 0.05 twice


def test_a_liquid_without_gaps_gets_the_distance_that_holds_the_neighbours():
    rng = np.random.default_rng(0)
    atoms = bulk("Ar", "fcc", a=5.0, cubic=True) * 4
    atoms.positions = rng.uniform(0.0, 20.0, size=atoms.positions.shape)
    found = shells([atoms] * 3)
    cutoff = cutoff_of(found, TRIPLETS, periodic=True)
    assert found.within(cutoff.value) == pytest.approx(TRIPLETS.neighbours, abs=1.0)
    assert "no gap" in cutoff.why


def test_molecules_are_bounded_since_their_distances_end():
    found = shells([molecule("CH3CH2OH")])
    assert cutoff_of(found, PAIRS, periodic=False).value == PAIRS.most_alone
    assert cutoff_of(found, PAIRS, periodic=True).value == PAIRS.high


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Cu_test.extxyz.xz", True),
        ("validation.xyz", True),
        ("myTest.xyz", True),
        ("latest.xyz", False),
        ("contest.xyz", False),
        ("train_test_split.xyz", False),
        ("train.xyz", False),
    ],
)
def test_names_of_test_files(name, expected):
    assert is_for_test(name) is expected


def many(count=30, **extra):
    rng = np.random.default_rng(2)
    found = []
    for number in range(count):
        atoms = bulk("W", "bcc", a=3.17, cubic=True)
        atoms.positions += 0.1 * rng.normal(size=atoms.positions.shape)
        info = {key: values[number % len(values)] for key, values in extra.items()}
        found.append(frame(atoms, info.pop("config_type", "bulk"), info))
    return found


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        ({"split": ["train", "train", "test"]}, ("split", ["train"], ["test"])),
        ({"subset": ["training", "val"]}, ("subset", ["training"], ["val"])),
        ({"uf3_train": [1, 0, 0]}, ("uf3_train", [1], [0])),
        ({"is_test": [False, True]}, ("is_test", [False], [True])),
        ({"config_type": ["bulk", "bulk_test"]}, ("config_type", ["bulk"], ["bulk_test"])),
    ],
)
def test_marks_in_the_data_are_the_split(extra, expected):
    frames = many(**extra)
    choice = propose_split(frames)
    name, train, test = expected
    assert choice.value == {"kind": "field", "field": name, "train": train, "test": test}
    division = split(frames, setting_of(choice))
    assert len(division.train_indices) + len(division.test_indices) == len(frames)


def test_numbers_that_mark_nothing_are_no_split():
    choice = propose_split(many(number=[0, 1], temperature=[300, 600]))
    assert choice.value["kind"] == "random"


def test_few_frames_are_all_for_training():
    choice = propose_split(many(6))
    assert choice.value == {"kind": "all"}
    assert "6 different frames" in choice.why


def test_copies_do_not_make_a_set_large():
    assert propose_split(many(4) * 10).value == {"kind": "all"}


def test_an_element_that_only_test_frames_have_is_no_test():
    odd = frame(bulk("Mo", "bcc", a=3.1), info={"split": "test"})
    choice = propose_split([*many(split=["train"]), odd])
    assert choice.value["kind"] != "field"


def alone(symbol, energy):
    atoms = bulk(symbol, "sc", a=20.0)
    atoms.pbc = False
    return frame(atoms, "IsolatedAtom", energy=energy)


def test_isolated_atoms_are_the_energies():
    frames = [*many(), alone("W", -3.5)]
    choice = propose_E0s(frames, frames, (74,))
    assert choice.value == "isolated"
    assert "-3.5000" in choice.why


def test_isolated_atoms_outside_the_training_frames_become_a_table():
    frames = many()
    choice = propose_E0s([*frames, alone("W", -3.5)], frames, (74,))
    assert choice.value == {"W": -3.5}


def test_without_isolated_atoms_of_all_elements_least_squares():
    frames = [*many(), frame(bulk("Mo", "bcc", a=3.1)), alone("W", -3.5)]
    choice = propose_E0s(frames, frames, (42, 74))
    assert choice.value == "least_squares"
    assert "of Mo" in choice.why


def proposal_for(frames, recipe="accurate", *, separate_test=False):
    return propose(frames, recipe, files=NO_FILES, separate_test=separate_test, threads=1)


@pytest.mark.parametrize("recipe", RECIPES)
def test_recipes_are_what_they_say(recipe):
    frames = [frame(a) for a in crystals("Cu", "fcc", 3.6, count=8)]
    terms = {t["kind"]: t for t in terms_of(proposal_for(frames, recipe))}
    assert ("triplet" in terms) == (recipe != "fast")
    assert ("density" in terms) == (recipe != "plain")
    if recipe != "fast":
        assert ("envelope" in terms["triplet"]) == (recipe != "plain")
    if "density" in terms:
        assert ("l_max" in terms["density"]) == (recipe == "accurate")


def test_labels_bound_the_coefficients():
    few = [frame(a) for a in crystals("Cu", "fcc", 3.6, count=2, repeat=1)]
    more = [frame(a) for a in crystals("Cu", "fcc", 3.6, count=12, repeat=2)]
    for frames in (few, more):
        budget, _ = budget_of(frames)
        assert coefficients(proposal_for(frames), frames) <= budget
    assert budget_of(few)[0] < budget_of(more)[0]
    text = written(proposal_for(more))
    assert "Coarser than usual" in text


def test_energies_alone_count_one_each():
    frames = [frame(molecule("H2O"), forces=False)] * 600
    assert budget_of(frames)[0] == 200


def test_many_elements_stay_affordable():
    rng = np.random.default_rng(3)
    frames = []
    for _ in range(10):
        atoms = bulk("Cu", "fcc", a=4.0, cubic=True) * 2
        atoms.numbers = rng.permutation(np.resize(np.arange(21, 41), 32))
        frames.append(frame(atoms))
    proposal = proposal_for(frames * 10, separate_test=True)
    assert coefficients(proposal, frames) <= 2 * MOST_COEFFICIENTS
    assert [t["tie"] for t in terms_of(proposal) if t["kind"] == "triplet"] in ([], ["all"])
    assert "No densities" in written(proposal)


def ethanols(count):
    rng = np.random.default_rng(6)
    found = []
    for _ in range(count):
        atoms = molecule("CH3CH2OH")
        atoms.positions += 0.02 * rng.normal(size=atoms.positions.shape)
        found.append(frame(atoms))
    return found


def test_hydrogen_screens_nothing():
    envelope = next(
        t["envelope"]
        for t in terms_of(proposal_for(ethanols(40)))
        if t["kind"] == "triplet"
    )
    assert envelope["never_screen"] == ["H"]


def test_short_bonds_have_closer_knots():
    def spacing(frames):
        pair = terms_of(proposal_for(frames))[0]
        return pair["cutoff"] / pair["intervals"]

    molecules = ethanols(100)
    metal = [frame(a) for a in crystals("Cu", "fcc", 3.6, count=8)]
    assert spacing(molecules) < 0.7 * spacing(metal)


def test_only_training_frames_are_looked_at():
    near, far = (crystals("Cu", "fcc", a, count=12) for a in (3.6, 4.2))
    mixed = [frame(a, info={"split": "train"}) for a in near]
    mixed += [frame(a, info={"split": "test"}) for a in far]
    plain = [frame(a) for a in near]
    assert terms_of(proposal_for(mixed)) == terms_of(proposal_for(plain))


def test_written_text_loads_to_the_choices():
    frames = [frame(a, stress=np.zeros((3, 3))) for a in crystals("Cu", "fcc", 3.6)]
    proposal = proposal_for(frames)
    text = written(proposal, ["A title."])
    values = parse_yaml(text, "text")
    assert values["data"]["path"] == "frames.xyz"
    assert values["model"]["terms"] == terms_of(proposal)
    assert values["fit"]["stress_weight"] == value_of(proposal, "fit.stress_weight")
    assert values["fit"]["folds"] == 4
    assert len(config_from(values).model.terms) == 3
    assert text.startswith("# A title.\n")
    comments = [line for line in text.splitlines() if "# " in line]
    assert max(map(len, comments)) <= 92
    for choice in proposal.choices:
        first = " ".join(choice.why.split()[:4])
        assert first in " ".join(text.replace("#", " ").split())


def test_names_that_yaml_would_misread_are_quoted():
    proposal = Proposal(
        "", (Choice("data.path", "a: b#1.xyz", "."), Choice("model.species", ["No"], "."))
    )
    values = parse_yaml(written(proposal), "text")
    assert values == {"data": {"path": "a: b#1.xyz"}, "model": {"species": ["No"]}}
