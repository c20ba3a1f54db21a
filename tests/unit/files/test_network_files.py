"""Files of network potentials: everything comes back, nothing wrong comes in."""

import io
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="networks need PyTorch")


from network_samples import (  # noqa: E402
    TINY,
    charged,
    core,
    narrow,
    network,
    structures,
)
from trimpot.contract import Structure  # noqa: E402
from trimpot.envelopes import EnvelopeSettings  # noqa: E402
from trimpot.envelopes.settings import Limits  # noqa: E402
from trimpot.errors import FileFormatError, MissingPartError  # noqa: E402
from trimpot.files import load, save  # noqa: E402
from trimpot.files.container import read, write  # noqa: E402
from trimpot.networks import require_torch  # noqa: E402

STORE = Path(__file__).parents[2] / "reference" / "potential_files" / "mlanet"

TRIOS = EnvelopeSettings(never_screen=("Si",), trios={"W-W-W": Limits(c_min=0.2)})


def refused(path, data, match=None):
    path.write_bytes(data)
    with pytest.raises(FileFormatError, match=match) as caught:
        load(path)
    assert str(path) in str(caught.value)


def changed(saved, change):
    """The saved file with document and tensors changed and a valid checksum."""
    document, tensors = read(saved)
    tensors = {k: v.copy() for k, v in tensors.items()}
    change(document, tensors)
    out = io.BytesIO()
    write(out, document, tensors)
    return out.getvalue()


def structure_of(case):
    return Structure(
        np.array(case["numbers"], dtype=np.int32),
        np.array(case["positions"]),
        np.array(case["cell"]),
        np.array(case["pbc"], dtype=bool),
    )


def same_bits(a, b):
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


@pytest.fixture
def potential():
    return network(narrow(), prior=core(), precision="float32")


@pytest.fixture
def saved(potential, tmp_path):
    path = tmp_path / "good.trimpot"
    save(potential, path)
    return path


@pytest.mark.parametrize("envelope", [None, EnvelopeSettings(), TRIOS])
@pytest.mark.parametrize("prior", [None, core()])
def test_everything_comes_back_bit_by_bit(envelope, prior, tmp_path):
    potential = network(replace(TINY, envelope=envelope), prior=prior)
    save(potential, tmp_path / "a.trimpot")
    loaded = load(tmp_path / "a.trimpot")
    for name in ("species", "settings", "mean_weight", "scale", "precision", "cutoff"):
        assert getattr(loaded, name) == getattr(potential, name)
    assert loaded.state.keys() == potential.state.keys()
    assert all(same_bits(v, potential.state[k]) for k, v in loaded.state.items())
    assert same_bits(loaded.e0s, potential.e0s)
    assert json.dumps(loaded.provenance) == json.dumps(potential.provenance)
    assert (loaded.prior is None) == (prior is None)


def test_charges_come_back_bit_by_bit(tmp_path):
    potential = charged(prior=core())
    save(potential, tmp_path / "a.trimpot")
    loaded = load(tmp_path / "a.trimpot")
    assert loaded.charges.kinds == potential.charges.kinds
    assert dict(loaded.charges.energies) == dict(potential.charges.energies)
    for charge in (0, 1):
        structure = replace(structures()[0], charge=charge)
        one, other = (p.evaluate_many([structure])[0] for p in (potential, loaded))
        assert same_bits(one.energies, other.energies)
        assert same_bits(one.forces, other.forces)


def test_networks_without_charges_say_nothing_of_them(saved):
    assert "charges" not in read(saved)[0]
    assert load(saved).charges is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kinds": [["Si", 0]]}, "energies for 1 charges"),
        ({"kinds": [["Xx", 0]]}, "an element and a total charge"),
        ({"kinds": [["Si", 0.5]]}, "an element and a total charge"),
        ({"kinds": [["Si", True]]}, "an element and a total charge"),
        ({"kinds": [[["Si"], 0]]}, "an element and a total charge"),
        ({"kinds": {}}, "expected lists"),
        ({"kinds": [["W", 0], ["Si", -1], ["Si", 1]]}, "ascending"),
        ({"kinds": [["Si", -1], ["Si", 0], ["Si", 1]]}, "embedding: found shape"),
        ({"energies": [0.0, "a", 1.0]}, "expected a number"),
        ({"energies": [1.0, 2.0, 3.0]}, "0 without charge"),
        ({"more": 1}, "expected fields"),
    ],
)
def test_charges_that_are_wrong_are_refused(change, message, tmp_path):
    save(charged(), tmp_path / "good.trimpot")

    def spoil(document, tensors):  # noqa: ARG001
        document["charges"].update(change)

    refused(tmp_path / "a", changed(tmp_path / "good.trimpot", spoil), message)


def test_energies_and_forces_are_bit_equal(potential, saved):
    before = potential.evaluate_many(structures(), threads=1)
    after = load(saved).evaluate_many(structures(), threads=1)
    for a, b in zip(before, after, strict=True):
        assert a.energies.tobytes() == b.energies.tobytes()
        assert a.forces.tobytes() == b.forces.tobytes()
        assert a.virial.tobytes() == b.virial.tobytes()


def test_equal_potentials_give_equal_bytes(saved, tmp_path):
    save(load(saved), tmp_path / "b.trimpot")
    assert saved.read_bytes() == (tmp_path / "b.trimpot").read_bytes()


def test_loading_leaves_random_numbers_alone(saved):
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    load(saved).evaluate_many(structures(), threads=1)
    assert torch.equal(torch.rand(1), expected)


def test_stored_sample_gives_its_numbers():
    potential = load(STORE / "sample.trimpot")
    cases = json.loads((STORE / "expected.json").read_text())["cases"]
    results = potential.evaluate_many([structure_of(c) for c in cases], threads=1)
    for case, result in zip(cases, results, strict=True):
        close = {"rtol": 1e-10, "atol": 1e-10}
        np.testing.assert_allclose(result.energies, case["energies"], **close)
        np.testing.assert_allclose(result.forces, case["forces"], **close)
        np.testing.assert_allclose(result.virial, case["virial"], **close)


def test_truncated_files_and_flipped_bits_are_refused(saved, tmp_path):
    data = saved.read_bytes()
    for length in range(0, len(data), 397):
        refused(tmp_path / "a.trimpot", data[:length])
    flipped = bytearray(data)
    flipped[-3] ^= 1
    refused(tmp_path / "a.trimpot", bytes(flipped), "checksum")


def set_(*path, value):
    def change(document, tensors):  # noqa: ARG001
        *parents, last = path
        for part in parents:
            document = document[part]
        document[last] = value

    return change


def delete(*path):
    def change(document, tensors):  # noqa: ARG001
        *parents, last = path
        for part in parents:
            document = document[part]
        del document[last]

    return change


def tensor(name, make):
    def change(document, tensors):  # noqa: ARG001
        tensors[name] = make(tensors[name])

    return change


EMBEDDING = "weights.embedding"

WRONG = {
    "field missing": (delete("scale"), "the description"),
    "setting missing": (delete("settings", "layers"), "settings: found"),
    "unknown setting": (set_("settings", "code", value="x"), "settings: found"),
    "text for a number": (set_("settings", "layers", value="2"), r"settings\.layers"),
    "flag for a number": (set_("settings", "channels", value=True), "settings.channels"),
    "too many layers": (set_("settings", "layers", value=10**6), "1000000"),
    "no layers": (set_("settings", "layers", value=0), "expected 1 to 8"),
    "unknown pooling": (set_("settings", "pooling", value=["code", "sum"]), "pooling"),
    "far cutoff": (set_("settings", "cutoff", value=1e6), "no short range"),
    "envelope of text": (set_("settings", "envelope", value="on"), "settings.envelope"),
    "trios of nobody": (
        set_("settings", "envelope", "trios", value={"C-C-C": {}}),
        "settings.envelope.trios.C-C-C",
    ),
    "element outside": (
        set_("settings", "envelope", "never_screen", value=["C"]),
        "outside the model's species",
    ),
    "limits in wrong order": (set_("settings", "envelope", "c_min", value=5.0), "c_min 5"),
    "other cutoff": (set_("cutoff", value=5.0), "its parts reach"),
    "precision": (set_("precision", value="float16"), "float16"),
    "negative scale": (set_("scale", value=-1.0), "scale: found -1.0"),
    "no scale": (set_("scale", value=None), "scale: found None"),
    "weights as text": (set_("weights", value="x"), "weights"),
    "weight missing": (set_("weights", "more", value=1.0), r"weights\.more"),
    "species order": (set_("species", value=["W", "Si"]), "not ascending"),
    "prior of text": (set_("prior", value="x"), "prior: found str"),
    "prior of others": (set_("prior", "species", value=["Si", "Au"]), "prior"),
    "term of the prior": (set_("prior", "terms", 0, "kind", value="code"), "prior: "),
    "prior gone": (set_("prior", value=None), "belong to nothing"),
    "provenance": (set_("provenance", value=[]), "provenance: expected"),
    "weights not finite": (tensor(EMBEDDING, lambda v: v * np.nan), "NaN or infinity"),
    "weights in double": (tensor(EMBEDDING, lambda v: v.astype("<f8")), "float32"),
    "weights of another shape": (tensor(EMBEDDING, lambda v: v[:1]), r"shape \(1, 4\)"),
    "energies of isolated atoms": (tensor("e0s", lambda v: v[:1]), "isolated-atom"),
    "more layers than weights": (set_("settings", "layers", value=3), r"layers\.2"),
    "huge network": (set_("settings", "channels", value=1024), "1024 channels"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_parts_are_refused_by_name(name, saved, tmp_path):
    change, message = WRONG[name]
    refused(tmp_path / "a.trimpot", changed(saved, change), message)


SCRIPT = """
import sys
sys.modules["torch"] = None
sys.path.insert(0, sys.argv[1])
import numpy as np
from network_samples import structures
from trimpot.engines.following import follow
from trimpot.files import load
potential = load(sys.argv[2])
found = potential.evaluate_many(structures(), threads=1)
followed = follow(potential, skin=0.5, threads=1).evaluate(structures()[0])
np.savez(sys.argv[3], *(one.forces for one in (*found, followed)))
"""


def test_a_file_needs_no_torch(saved, potential, tmp_path):
    place, results = str(Path(__file__).parents[2]), tmp_path / "forces.npz"
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, place, str(saved), str(results)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    expected = [one.forces for one in potential.evaluate_many(structures(), threads=1)]
    with np.load(results) as found:
        for k, forces in enumerate([*expected, expected[0]]):
            np.testing.assert_allclose(found[f"arr_{k}"], forces, atol=1e-4)


def test_what_needs_torch_names_the_remedy(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingPartError, match=r"pip install 'trimpot\[torch\]'"):
        require_torch()


@pytest.mark.parametrize(
    "changes", [{"forces": "direct"}, {"readout": "pooled"}, {"readout": "sum"}]
)
def test_other_readouts_come_back(changes, tmp_path):
    potential = network(replace(TINY, **changes))
    save(potential, tmp_path / "a.trimpot")
    loaded = load(tmp_path / "a.trimpot")
    assert loaded.settings == potential.settings
    for structure in structures():
        one, other = (
            p.evaluate_many([structure], threads=1)[0] for p in (potential, loaded)
        )
        assert one.forces.tobytes() == other.forces.tobytes()


def test_files_name_other_readouts_only_where_there_are_any(tmp_path):
    for settings, named in ((TINY, False), (replace(TINY, forces="direct"), True)):
        save(network(settings), tmp_path / "a.trimpot")
        document, _ = read(tmp_path / "a.trimpot")
        assert ("forces" in document["settings"]) is named


def test_weights_of_another_readout_are_refused(tmp_path):
    save(network(), tmp_path / "a.trimpot")

    def direct(document, _tensors):
        document["settings"]["forces"] = "direct"

    data = changed(tmp_path / "a.trimpot", direct)
    refused(
        tmp_path / "b.trimpot", data, match="force_heads.0.first.bias: found shape none"
    )
