"""Structures computed by the real LAMMPS with the plugin: energies, forces, stress."""

import subprocess
from dataclasses import dataclass

import numpy as np
from ase.data import atomic_masses

from trimpot.elements import SYMBOLS
from trimpot.engines.lammps.building import build_plugin
from trimpot.engines.lammps.running import Launch, environment
from trimpot.files.lammps_box import Box
from trimpot.files.lammps_data import data_text

BAR_A3_PER_EV = 1.6021765e6  # of LAMMPS' units metal

SECONDS = 120.0

POINT = """clear
units metal
atom_style atomic
{before}
boundary {boundary}
box tilt large
read_data {k}.data
pair_style {style}
pair_coeff {coefficients}
{after}
compute of_atoms all pe/atom pair
compute stress all stress/atom NULL pair
thermo_style custom step pe pxx pyy pzz pxy pxz pyz vol
{run}
print "$(pe:%.17g) $(pxx:%.17g) $(pyy:%.17g) $(pzz:%.17g) $(pxy:%.17g) $(pxz:%.17g) &
$(pyz:%.17g) $(vol:%.17g)" file {k}.txt
"""

DUMP = (
    "id type x y z fx fy fz c_of_atoms c_stress[1] c_stress[2] c_stress[3] c_stress[4] "
    "c_stress[5] c_stress[6]"
)

RUN_0 = f"""dump d all custom 1 {{k}}.dump {DUMP}
dump_modify d sort id format float %.17g
run 0"""


@dataclass(frozen=True)
class Point:
    """What LAMMPS says of a structure, in our frame and units."""

    positions: np.ndarray
    energy: float
    energies: np.ndarray
    forces: np.ndarray
    virial: np.ndarray  # of the whole, (3, 3), eV
    virials: np.ndarray  # of atoms, (n, 3, 3), eV


def points(
    folder, path, structures, species, *, ranks=1, words="precision double", **texts
):
    """Run LAMMPS once for all structures.

    texts: lines ``before`` the box and ``after`` the potential, ``run`` commands, a
    ``style`` and ``coefficients`` in place of the usual ones.
    """
    names = " ".join(SYMBOLS[z] for z in species)
    usual = {
        "before": "",
        "after": "",
        "run": RUN_0,
        "style": f"trimpot {words}",
        "coefficients": f"* * {path} {names}",
    }
    masses = [(float(atomic_masses[z]), SYMBOLS[z]) for z in species]
    boxes, text = [], ""
    for k, structure in enumerate(structures):
        box = Box.of(structure.cell, structure.pbc, structure.positions)
        kinds = 1 + np.searchsorted(species, structure.numbers)
        data = data_text("a structure", box, structure.positions, kinds, masses)
        (folder / f"{k}.data").write_text(data)
        lines = {
            name: line.replace("{k}", str(k)) for name, line in (usual | texts).items()
        }
        text += POINT.format(k=k, boundary=box.boundary, **lines)
        boxes.append(box)
    run_text(folder, text, ranks)
    return [_read(folder, k, box) for k, box in enumerate(boxes)]


def run_text(folder, text, ranks):
    """Run an input; an error of LAMMPS is a RuntimeError with its words."""
    (folder / "in.points").write_text(text)
    launch = Launch.of(ranks)
    done = subprocess.run(
        launch.command(["-in", "in.points", "-log", "none", "-nocite"]),
        cwd=folder,
        env=environment(build_plugin().path),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    if done.returncode or "ERROR" in done.stdout:
        raise RuntimeError(done.stdout[-3000:] + done.stderr[-3000:])
    return done.stdout


def _read(folder, k, box):
    energy, *stress, volume = map(float, (folder / f"{k}.txt").read_text().split())
    frame = (folder / f"{k}.dump").read_text().split("ITEM: ATOMS")[-1].splitlines()[1:]
    rows = np.array([line.split() for line in frame], dtype=float).reshape(-1, 15)
    of_atoms = -_tensors(rows[:, 9:]) / BAR_A3_PER_EV  # LAMMPS: stress times volume
    whole = _tensors(np.array([stress])) * volume / BAR_A3_PER_EV
    return Point(
        positions=box.from_lammps(rows[:, 2:5]),
        energy=energy,
        energies=rows[:, 8],
        forces=box.from_lammps(rows[:, 5:8]),
        virial=box.tensor_from_lammps(whole[0]),
        virials=np.array([box.tensor_from_lammps(t) for t in of_atoms]),
    )


def _tensors(rows):
    """Symmetric tensors of rows xx yy zz xy xz yz."""
    return rows[:, [[0, 3, 4], [3, 1, 5], [4, 5, 2]]]
