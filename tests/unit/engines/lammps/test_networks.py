"""Networks in the real LAMMPS: our own numbers, on any number of ranks."""

from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms

torch = pytest.importorskip("torch", reason="random weights come from PyTorch networks")

from engine_structures import liquid, structures  # noqa: E402
from network_samples import (  # noqa: E402
    SPECIES,
    TINY,
    charged,
    core,
    narrow,
    network,
    unscreened,
)
from plugin_runs import Case, lmp, run, setup  # noqa: E402
from trimpot.contract import Structure  # noqa: E402
from trimpot.engines.lammps.settings import check_possible  # noqa: E402
from trimpot.engines.singlepoint import evaluate  # noqa: E402
from trimpot.envelopes import EnvelopeSettings  # noqa: E402
from trimpot.errors import InputError  # noqa: E402
from trimpot.files import save  # noqa: E402
from trimpot.verbs.exporting import export  # noqa: E402

SIZES = {"energies": 1e-10, "forces": 1e-9, "stress": 1e-8}
"""Bounds: eV/atom, eV/A, eV/A^3; relative where numbers are above 1."""

NETWORKS = {
    "screened": lambda: network(narrow(l_max=2)),
    "with a core": lambda: network(unscreened(), prior=core()),
    "one layer": lambda: network(narrow(layers=1)),
    "three layers": lambda: network(
        replace(TINY, layers=3, envelope=EnvelopeSettings(c_min=0.2, c_max=2.8))
    ),
}


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder, made = tmp_path_factory.mktemp("networks"), {}
    for number, (name, make) in enumerate(NETWORKS.items()):
        made[name] = make(), folder / f"{number}.trimpot"
        save(*made[name])
    return made


def samples():
    """Those of one or two species."""
    return {name: s for name, (n, s) in structures().items() if n < 3}


def case_of(structure, path, **changes):
    return replace(Case(structure, path, species=SPECIES, centroid=False), **changes)


def assert_close(found, potential, structure, what, factor=1.0):
    expected = evaluate(potential, structure, threads=1)
    volume = abs(np.linalg.det(structure.cell)) if structure.pbc.all() else 100.0
    for name, one, other in (
        ("energies", found.energies, expected.energies),
        ("forces", found.forces, expected.forces),
        ("stress", found.virial / volume, expected.virial / volume),
        ("stress", -found.stresses[0].sum(axis=0) / volume, expected.virial / volume),
    ):
        size = max(1.0, np.abs(other).max())
        worst = np.abs(one - other).max()
        assert worst < SIZES[name] * factor * size, f"{what}, {name}: {worst:.2e}"
    total = expected.energies.sum()
    assert abs(found.energy - total) < 1e-10 * factor * len(structure) * max(1, abs(total))


def check(models, structures, ranks, folder):
    cases, names = [], []
    for k, (name, structure) in enumerate(structures.items()):
        for q, (kind, (_, path)) in enumerate(models.items()):
            newton = "on" if (k + q) % 2 else "off"
            cases.append(case_of(structure, path, newton=newton))
            names.append((f"{name}, {kind}, newton {newton}", models[kind][0]))
    for case, (what, potential), found in zip(
        cases, names, run(cases, folder, ranks), strict=True
    ):
        assert_close(found, potential, case.structure, what)


@pytest.mark.parametrize("ranks", [1, 2, 4])
def test_numbers_are_ours_on_any_number_of_ranks(models, ranks, tmp_path):
    check(models, samples(), ranks, tmp_path)


def test_there_may_be_more_ranks_than_atoms(models, tmp_path):
    few = {name: s for name, s in samples().items() if len(s) < 7}
    check({k: models[k] for k in ("screened", "with a core")}, few, 7, tmp_path)


def test_mixed_precision_is_that_of_training(models, tmp_path):
    potential, path = models["three layers"]
    cases = [case_of(s, path, style="trimpot") for s in samples().values()]
    for case, found in zip(cases, run(cases, tmp_path, 2), strict=True):
        assert_close(found, potential, case.structure, str(len(case.structure)), 2e5)


def hot(n=160, seed=1):
    """A melt of several cutoffs."""
    return liquid(SPECIES, n, 14.5, seed, shortest=2.0)


MOVE = """velocity all create 4000 7 loop geom
fix move all nve
timestep 0.002
neigh_modify every 1 delay 0 check yes
run 60
"""


@pytest.mark.parametrize("newton", ["on", "off"])
@pytest.mark.parametrize("how", ["brick", "tiled"])
def test_atoms_move_among_ranks(models, how, newton, tmp_path):
    potential, path = models["three layers"]
    tiles = ("comm_style tiled", "fix b all balance 20 1.0 rcb") if how == "tiled" else ()
    (found,) = run(
        [case_of(hot(), path, newton=newton, after=("neighbor 0.3 bin", *tiles))],
        tmp_path,
        4,
        commands=MOVE,
    )
    assert np.abs(found.positions - hot().positions).max() > 1.0
    there = replace(hot(), positions=found.positions)
    assert_close(found, potential, there, how)


@pytest.mark.parametrize("newton", ["on", "off"])
@pytest.mark.parametrize("ranks", [1, 4])
def test_atoms_of_other_styles_are_not_seen(models, ranks, newton, tmp_path):
    potential, path = models["three layers"]
    whole = hot()
    others = np.arange(len(whole)) % 3 == 1
    numbers = np.where(others, 18, whole.numbers).astype(np.int32)
    mixture = Case(
        replace(whole, numbers=numbers),
        path,
        "hybrid/overlay trimpot precision double zero 3.0",
        newton,
        (f"pair_coeff * * trimpot {path} Si NULL W", "pair_coeff * * zero"),
        species=(14, 18, 74),
        centroid=False,
    )
    (found,) = run([mixture], tmp_path, ranks)
    assert np.abs(found.forces[others]).max() == 0.0
    own = ~others
    seen = replace(
        found,
        energies=found.energies[own],
        forces=found.forces[own],
    )
    part = Structure(numbers[own], whole.positions[own], whole.cell, whole.pbc)
    assert_close(seen, potential, part, "mixture")


def test_an_export_runs_as_it_is(models, tmp_path):
    potential, path = models["screened"]
    structure = hot()
    atoms = Atoms(
        structure.numbers, positions=structure.positions, cell=structure.cell, pbc=True
    )
    done = export(path, "lammps", output=tmp_path / "out", structure=atoms)
    assert any("heat flux" in note for note in done.notes)
    text = (
        (done.output / "in.lammps").read_text().replace("steps index 2000", "steps index 0")
    )
    output = lmp(text, done.output, 2)
    lines = output.splitlines()
    row = next(i for i, line in enumerate(lines) if line.split()[:1] == ["Step"]) + 1
    expected = evaluate(potential, structure).energy
    assert float(lines[row].split()[2]) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (charged, "total charges"),
        (lambda: network(replace(TINY, forces="direct")), "predicted directly"),
        (lambda: network(replace(TINY, readout="pooled")), "pooled over all atoms"),
    ],
)
def test_networks_of_torch_alone_are_refused(make, reason, tmp_path):
    with pytest.raises(InputError, match=reason):
        export(make(), "lammps", output=tmp_path / "out")
    assert not (tmp_path / "out").exists()
    with pytest.raises(InputError, match=f"{reason}.*leave out --engine lammps"):
        check_possible(make(), Atoms("Si"))


def test_heat_flux_of_a_network_is_refused(models, tmp_path):
    case = Case(hot(), models["screened"][1], species=SPECIES)
    text = setup(case, "x.data", tmp_path)
    text += "compute c all centroid/stress/atom NULL virial\n"
    text += "dump d all custom 1 x.dump c_c[1]\nrun 0\n"
    assert "centroid/stress/atom" in lmp(text, tmp_path, fails=True)
