"""Files of networks in C++, for programs without Python: the same bits, or a refusal."""

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="networks need PyTorch")

from mlanet_samples import CASES, potential_of  # noqa: E402
from native_reading import of_network, refused_natively  # noqa: E402
from network_samples import TINY, charged, core, narrow, network, structures  # noqa: E402
from trimpot import _native  # noqa: E402
from trimpot.envelopes import EnvelopeSettings  # noqa: E402
from trimpot.errors import FileFormatError  # noqa: E402
from trimpot.files import load, save  # noqa: E402
from trimpot.files.container import read, write  # noqa: E402
from trimpot.neighbors import neighborhood  # noqa: E402
from trimpot.verbs.md_folder import digest  # noqa: E402

STORE = Path(__file__).parents[2] / "reference" / "potential_files" / "mlanet"


def refused(path, match):
    return refused_natively(path, match, lambda p: _native.read_network(p, "double"))


def same_bits(path):
    potential = load(path)
    for precision in ("float32", "float64"):
        for structure in structures():
            found = of_network(path, precision, structure)
            around = neighborhood(structure, potential.cutoff)
            expected = potential.evaluate_as(around, precision, threads=1)
            for one, other in zip(
                found, (expected.energies, expected.forces, expected.virial), strict=True
            ):
                assert np.abs(one).max() > 0.0
                assert one.tobytes() == other.tobytes()


@pytest.mark.parametrize("case", CASES)
def test_networks_have_the_same_bits(case, tmp_path):
    save(potential_of(case, prior=core()), tmp_path / "a.trimpot")
    same_bits(tmp_path / "a.trimpot")


def test_limits_of_trios_and_no_prior_have_the_same_bits(tmp_path):
    envelope = EnvelopeSettings(0, 2, inner=1, outer=2, never_screen=("Si",))
    for settings in (replace(TINY, envelope=envelope), narrow(radial="polynomial")):
        save(network(settings), tmp_path / "a.trimpot")
        same_bits(tmp_path / "a.trimpot")


def test_older_files_are_loaded_and_saved_anew(tmp_path):
    refused(STORE / "sample.trimpot", "saved without .* `trimpot export MODEL --to lammps`")
    save(load(STORE / "sample.trimpot"), tmp_path / "a.trimpot")
    same_bits(tmp_path / "a.trimpot")


def test_a_stored_kernel_gives_its_numbers():
    cases = json.loads((STORE / "expected.json").read_text())["cases"]
    for case, structure in zip(cases, structures(), strict=True):
        assert np.array_equal(structure.positions, case["positions"])
        found = of_network(STORE / "kernel.trimpot", "float64", structure)
        for one, name in zip(found, ("energies", "forces", "virial"), strict=True):
            np.testing.assert_allclose(one, case[name], rtol=1e-10, atol=1e-10)


def test_what_a_network_is_does_not_depend_on_what_is_stored_for_others(tmp_path):
    older = load(STORE / "sample.trimpot")
    save(older, tmp_path / "a.trimpot")
    assert digest(older) == digest(load(tmp_path / "a.trimpot"))


@pytest.mark.parametrize(
    ("potential", "match"),
    [
        (network(replace(TINY, forces="direct")), "forces: direct forces .* PyTorch"),
        (network(replace(TINY, readout="pooled")), "readout: .* no sum over atoms"),
        (charged(), "charges: .* total charges"),
    ],
)
def test_networks_that_no_kernel_computes_are_refused(potential, match, tmp_path):
    save(potential, tmp_path / "a.trimpot")
    assert "kernel" not in read(tmp_path / "a.trimpot")[0]
    assert "copy it again" not in refused(tmp_path / "a.trimpot", match)


def set_(*path, value):
    def change(document, tensors):  # noqa: ARG001
        *parents, last = path
        for part in parents:
            document = document[part]
        document[last] = value

    return change


def tensor(name, edit):
    def change(document, tensors):  # noqa: ARG001
        tensors[name] = edit(tensors[name])

    return change


def with_array(*path):
    def change(document, tensors):
        tensors["more"] = np.zeros(3)
        set_(*path, value={"$tensor": "more"})(document, tensors)

    return change


def poked(index, value):
    def edit(values):
        values[index] = value
        return values

    return edit


K, PLACES = "kernel", "kernel.coupling_places"
WRONG = {
    "text": (set_(K, value="x"), "kernel"),
    "layout of text": (set_(K, "layout", value="1"), "kernel"),
    "no layout": (lambda d, _: d[K].pop("layout"), "kernel"),
    "field missing": (lambda d, _: d[K].pop("heads"), "kernel: found"),
    "field more": (set_(K, "code", value=1), "kernel: found"),
    "channels": (set_(K, "channels", value=17), "kernel"),
    "huge": (set_(K, "channels", value=2**40), "kernel.channels"),
    "wider": (set_(K, "channels", value=1024), "kernel"),
    "layers": (set_(K, "layers", value=10**9), "kernel.layers"),
    "flag": (set_(K, "layers", value=True), "kernel.layers"),
    "poolings": (set_(K, "pooling", value=[0] * 9), "kernel"),
    "pooling of nobody": (set_(K, "pooling", value=[0, 9]), "kernel"),
    "channels pooled": (set_(K, "pooling_of_channel", value=[0]), "kernel"),
    "pool beyond": (set_(K, "pooling_of_channel", 0, value=7), "kernel"),
    "paths": (set_(K, "n_paths", value=-1), "kernel.n_paths"),
    "fewer paths": (set_(K, "n_paths", value=1), "kernel"),
    "place beyond": (tensor(PLACES, poked((0, 3), 10**6)), "kernel"),
    "place below": (tensor(PLACES, poked((0, 1), -1)), "kernel"),
    "places flat": (tensor(PLACES, lambda v: v.ravel()), "kernel.coupling_places"),
    "parameters fewer": (tensor("kernel.parameters", lambda v: v[:-1]), "parameters"),
    "parameters NaN": (tensor("kernel.parameters", poked(0, np.nan)), "parameters: .*NaN"),
    "parameters single": (
        tensor("kernel.parameters", lambda v: v.astype(np.float32)),
        "kernel.parameters",
    ),
    "array for a number": (with_array(K, "layers"), "kernel.layers"),
    "array for a word": (with_array(K, "weighing", "radial"), "kernel.weighing.radial"),
    "array for a switch": (
        with_array("prior", "terms", 0, "kind"),
        r"prior: unknown kind|prior\.terms\.0\.kind",
    ),
    "radial": (set_(K, "weighing", "radial", value="step"), "kernel.weighing.radial"),
    "power": (set_(K, "weighing", "power", value=0), "kernel.weighing.power"),
    "far": (set_(K, "weighing", "cutoff", value=1e9), "kernel.weighing.cutoff"),
    "no envelope": (set_(K, "weighing", "envelope", value=[]), "kernel.weighing.envelope"),
    "screens": (
        tensor("kernel.weighing.envelope.c_min", poked((0, 0, 0), 99.0)),
        "kernel.weighing.envelope",
    ),
    "scale": (set_("scale", value=-1.0), "scale"),
    "e0s": (tensor("e0s", lambda v: v[:1]), "e0s|isolated-atom"),
    "cutoff": (set_("cutoff", value=4.0), "cutoff"),
    "prior of others": (set_("prior", "species", value=["Si", "Au"]), "prior"),
    "prior of text": (set_("prior", value="x"), "prior"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_kernels_are_refused_by_both_readers(name, tmp_path):
    save(network(narrow(), prior=core()), tmp_path / "good.trimpot")
    document, tensors = read(tmp_path / "good.trimpot")
    tensors = {k: v.copy() for k, v in tensors.items()}
    change, match = WRONG[name]
    change(document, tensors)
    out = io.BytesIO()
    write(out, document, tensors)
    (tmp_path / "a.trimpot").write_bytes(out.getvalue())
    refused(tmp_path / "a.trimpot", match)
    with pytest.raises(FileFormatError, match=match):
        load(tmp_path / "a.trimpot")


def test_parameters_of_other_weights_are_refused(tmp_path):
    save(network(), tmp_path / "good.trimpot")
    document, tensors = read(tmp_path / "good.trimpot")
    tensors = dict(tensors)
    tensors["kernel.parameters"] = 1.001 * tensors["kernel.parameters"]
    with (tmp_path / "a.trimpot").open("wb") as file:
        write(file, document, tensors)
    with pytest.raises(FileFormatError, match=r"kernel\.parameters: other numbers"):
        load(tmp_path / "a.trimpot")


def test_a_kernel_of_another_layout_is_left_to_its_release(tmp_path):
    save(network(), tmp_path / "good.trimpot")
    document, tensors = read(tmp_path / "good.trimpot")
    document["kernel"]["layout"] = 2
    with (tmp_path / "a.trimpot").open("wb") as file:
        write(file, document, tensors)
    assert load(tmp_path / "a.trimpot").species == (14, 74)
    said = refused(tmp_path / "a.trimpot", r"kernel\.layout: .* save the network anew")
    assert "copy it again" not in said


def test_any_byte_that_changes_is_noticed(tmp_path):
    save(network(narrow(), prior=core()), tmp_path / "good.trimpot")
    data, path = (tmp_path / "good.trimpot").read_bytes(), tmp_path / "a.trimpot"
    rng = np.random.default_rng(4)
    for at in rng.integers(len(data), size=200):
        changed = bytearray(data)
        changed[at] ^= int(rng.integers(1, 256))
        path.write_bytes(changed)
        refused(path, "cannot read")


def test_the_other_kind_of_potential_is_refused(potential, tmp_path):
    save(potential, tmp_path / "spline.trimpot")
    refused(tmp_path / "spline.trimpot", "expected a network")
    save(network(), tmp_path / "network.trimpot")
    refused_natively(tmp_path / "network.trimpot", "expected a spline potential")
