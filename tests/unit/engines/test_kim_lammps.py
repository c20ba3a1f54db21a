"""Debian's LAMMPS with ``pair_style kim`` beside our own evaluation."""

from __future__ import annotations

import subprocess

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc111
from ase.io import read

import lammps_oracle
from kim_host import debian_lammps
from spline_samples import scattered
from trimpot.elements import SYMBOLS
from trimpot.engines.ase import structure_from_atoms
from trimpot.engines.singlepoint import evaluate


def symbols_of(potential):
    return " ".join(SYMBOLS[z] for z in potential.species)


def mixed(atoms, species, seed=3):
    """All species, shaken."""
    rng = np.random.default_rng(seed)
    atoms.numbers[:] = rng.choice(species, len(atoms))
    atoms.positions += rng.normal(0.0, 0.12, (len(atoms), 3))
    return atoms


def triclinic(species):
    one = scattered(species)
    return Atoms(one.numbers, one.positions, cell=one.cell, pbc=True)


def surface(species):
    slab = mixed(fcc111("W", (3, 4, 4), a=4.0, vacuum=6.0, orthogonal=True), species)
    slab.pbc = (True, True, False)
    return slab


def cluster(species):
    atoms = mixed(bulk("W", cubic=True) * (2, 2, 3), species)
    atoms.pbc = False
    atoms.center(vacuum=3.0)
    return atoms


def wire(species):
    atoms = mixed(bulk("W", cubic=True) * (2, 2, 4), species)
    atoms.center(vacuum=2.0, axis=(0, 1))
    atoms.pbc = (False, False, True)
    return atoms


def crystal(species):
    return mixed(bulk("W", cubic=True) * 3, species)


def two_atoms(species):
    return mixed(bulk("W", cubic=True), species)


SHAPES = [triclinic, surface, cluster, wire, crystal, two_atoms]


@pytest.mark.parametrize(
    ("kind", "n_ranks", "newton"),
    [("uf23", 1, "on"), ("sum", 1, "off"), ("sum", 2, "on"), ("sum", 4, "off")],
)
@pytest.mark.parametrize("shape", SHAPES)
def test_parity(shape, kind, n_ranks, newton, kim_models, tmp_path):
    """Four ranks on two atoms leave ranks without any."""
    lmp, launcher = debian_lammps(n_ranks)
    name, potential = kim_models(kind, 3)
    atoms = shape(potential.species)
    ours = evaluate(potential, structure_from_atoms(atoms))
    theirs = lammps_oracle.evaluate(
        lmp,
        tmp_path,
        atoms,
        potential.species,
        [f"pair_style kim {name}", f"pair_coeff * * {symbols_of(potential)}"],
        launcher=launcher,
        newton=newton,
    )
    n = len(atoms)
    assert theirs.energies[0] == pytest.approx(ours.energy, abs=1e-10 * n)
    np.testing.assert_allclose(theirs.forces, ours.forces, atol=1e-9, rtol=0)
    bound = 1e-8 * atoms.get_volume()
    np.testing.assert_allclose(theirs.virial, ours.virial, atol=bound, rtol=0)


RUN = """newton {newton}
{head}
boundary p p p
lattice bcc 3.3
region box prism 0 3 0 3 0 4 0.4 -0.3 0.2
create_box 3 box
create_atoms 1 box
set type 1 type/fraction 2 0.33 5
set type 1 type/fraction 3 0.5 6
mass 1 28.0855
mass 2 72.63
mass 3 183.84
displace_atoms all random 0.15 0.15 0.15 9
{commands}
compute e all pe/atom
compute s all stress/atom NULL virial
compute sums all reduce sum c_e c_s[1] c_s[2] c_s[3] c_s[4] c_s[5] c_s[6]
compute p all pressure NULL virial
velocity all create 2500 1 loop geom
{fix}
timestep {step}
thermo_style custom step pe vol c_p[1] c_p[2] c_p[3] c_p[4] c_p[5] c_p[6] &
  c_sums[1] c_sums[2] c_sums[3] c_sums[4] c_sums[5] c_sums[6] c_sums[7] etotal
thermo_modify format float %22.17g
thermo {steps}
dump 1 all custom 60 run.dump id element xu yu zu fx fy fz c_e
dump_modify 1 sort id format float %22.17g element Si Ge W
run {steps}
"""


def run(folder, name, potential, *, n_ranks=1, newton="on", steps=60, **parts):
    """Run LAMMPS; return its last thermo line and frame."""
    lmp, launcher = debian_lammps(n_ranks)
    commands = [f"pair_style kim {name}", f"pair_coeff * * {symbols_of(potential)}"]
    settings = {
        "head": "units metal",
        "commands": "\n".join(commands),
        "fix": "fix 1 all nve",
        "step": 0.001,
        **parts,
    }
    (folder / "in.lmp").write_text(RUN.format(newton=newton, steps=steps, **settings))
    done = subprocess.run(
        [*launcher, lmp, "-in", "in.lmp", "-log", "none"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    first = next(i for i, line in enumerate(lines) if line[:2] == ["Step", "PotEng"])
    after = lines[first + 1 : first + 3]
    rows = [[float(x) for x in line] for line in after if line[0] != "Loop"]
    return rows, read(folder / "run.dump", index=-1, format="lammps-dump-text")


@pytest.mark.parametrize(
    ("n_ranks", "newton", "fix"),
    [
        (1, "on", "fix 1 all nve"),
        (2, "off", "fix 1 all npt temp 2500 2500 0.1 tri 0.0 0.0 0.3"),
        (4, "on", "fix 1 all nvt temp 2500 2500 0.1"),
    ],
)
def test_the_end_of_a_run_is_what_we_compute_there(
    n_ranks, newton, fix, kim_models, tmp_path
):
    """Lists are renewed on the way, atoms change their ranks, the box its shape."""
    name, potential = kim_models("sum", 3)
    rows, atoms = run(tmp_path, name, potential, n_ranks=n_ranks, newton=newton, fix=fix)
    (_, energy, volume, *rest) = rows[-1]
    pressure, sums = np.array(rest[:6]), np.array(rest[6:13])
    ours = evaluate(potential, structure_from_atoms(atoms))
    n = len(atoms)
    assert energy == pytest.approx(ours.energy, abs=1e-9 * n)
    assert sums[0] == pytest.approx(ours.energy, abs=1e-9 * n)
    np.testing.assert_allclose(atoms.get_forces(), ours.forces, atol=2e-8)
    np.testing.assert_allclose(sums[1:], -pressure * volume, rtol=1e-6, atol=1.0)
    energies = atoms.arrays["c_e"].ravel()
    np.testing.assert_allclose(energies, ours.energies, atol=1e-8)


def test_energy_is_conserved(kim_models, tmp_path):
    name, potential = kim_models("uf23", 3)
    rows, atoms = run(tmp_path, name, potential, n_ranks=2, steps=240, step=0.0002)
    assert abs(rows[1][-1] - rows[0][-1]) < 2e-4 * len(atoms)
    assert abs(rows[1][1] - rows[0][1]) > 0.005 * len(atoms)  # and something moved


def test_the_kim_commands_and_other_units(kim_models, tmp_path):
    """``kim init`` with units real, where energies are kcal/mol."""
    name, potential = kim_models("sum", 3)
    rows, _ = run(
        tmp_path,
        name,
        potential,
        steps=0,
        head=f"kim init {name} real",
        commands=f"kim interactions {symbols_of(potential)}\nkim param set skin 1 0.5",
    )
    plain, _ = run(tmp_path, name, potential, steps=0)
    assert rows[0][1] == pytest.approx(plain[0][1] * 23.0605, rel=1e-4)
