"""Runs LAMMPS with the plugin on many structures at once, and returns what it computes."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from lammps_oracle import BAR
from trimpot.elements import SYMBOLS
from trimpot.engines.lammps.building import build_plugin
from trimpot.engines.lammps.running import Launch, environment
from trimpot.files.lammps_box import Box
from trimpot.files.lammps_data import data_text

if TYPE_CHECKING:
    from pathlib import Path

    from trimpot.contract import Structure


@dataclass(frozen=True)
class Case:
    """One structure with one model.

    Attributes
    ----------
    style
        Words behind ``pair_style``, such as ``trimpot precision double``.
    coefficients
        Lines that set coefficients; empty: one for the model. ``{elements}`` are those of
        the types.
    commands
        Lines before the structure is read, and after the pair style.
    tensors, centroid
        Whether to ask for stresses of atoms, and for those of the other kind too, which
        networks do not have.
    """

    structure: Structure
    model: Path
    style: str = "trimpot precision double"
    newton: str = "on"
    coefficients: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    tensors: bool = True
    centroid: bool = True
    species: tuple[int, ...] = field(default=())

    @property
    def elements(self) -> tuple[int, ...]:
        """Atomic numbers of the types."""
        return self.species or tuple(sorted(set(self.structure.numbers.tolist())))


@dataclass(frozen=True)
class Found:
    """Results in our conventions: of atoms, and of the whole."""

    energies: np.ndarray
    forces: np.ndarray
    virial: np.ndarray
    stresses: np.ndarray  # of atoms, with a minus sign their virials
    energy: float
    positions: np.ndarray


def run(
    cases: list[Case], folder: Path, ranks: int = 1, *, commands: str = ""
) -> list[Found]:
    """Run all cases in one process, or several ranks, at the end of some commands."""
    plugin = build_plugin().path
    text = "".join(
        _block(case, k, folder, plugin, commands) for k, case in enumerate(cases)
    )
    output = lmp(text, folder, ranks)
    rows = _rows(output)
    assert len(rows) == len(cases), output[-3000:]
    pairs = enumerate(zip(cases, rows, strict=True))
    return [_found(case, k, folder, row) for k, (case, row) in pairs]


def lmp(text: str, folder: Path, ranks: int = 1, *, fails: bool = False) -> str:
    """Run an input; return what is printed."""
    (folder / "in.lmp").write_text(text)
    launch = Launch.of(ranks)
    done = subprocess.run(
        launch.command(["-in", "in.lmp", "-log", "none", "-nocite"]),
        cwd=folder,
        env=environment(build_plugin().path),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    output = done.stdout + done.stderr
    assert (done.returncode != 0) == fails, output[-3000:]
    return output


def pair_lines(case: Case) -> str:
    """Return pair style and coefficients."""
    elements = " ".join(SYMBOLS[z] for z in case.elements)
    lines = case.coefficients or (f"pair_coeff * * {case.model} {{elements}}",)
    return "\n".join([f"pair_style {case.style}", *lines]).format(elements=elements)


def setup(case: Case, data: str, folder: Path) -> str:
    """Return the input up to the pair style; the structure goes to a data file."""
    s = case.structure
    box = Box.of(s.cell, s.pbc, s.positions)
    kinds = 1 + np.array([case.elements.index(z) for z in s.numbers.tolist()], dtype=int)
    masses = [(50.0, SYMBOLS[z]) for z in case.elements]
    (folder / data).write_text(data_text("test", box, s.positions, kinds, masses))
    return "\n".join(
        [
            "units metal",
            "atom_style atomic",
            f"newton {case.newton}",
            f"boundary {box.boundary}",
            *case.before,
            f"read_data {data}",
            pair_lines(case),
            *case.after,
            "",
        ]
    )


def _block(case: Case, k: int, folder: Path, plugin: Path, commands: str) -> str:
    centroid = "c_c[*]" if case.centroid and case.newton == "on" else ""
    computes = ["compute s all stress/atom NULL virial"] if case.tensors else []
    if case.tensors and centroid:
        computes.append("compute c all centroid/stress/atom NULL virial")
    columns = f"c_s[*] {centroid}" if case.tensors else ""
    return "\n".join(
        [
            "clear",
            f"plugin load {plugin}",
            setup(case, f"{k}.data", folder),
            commands or "neighbor 0.7 bin",
            "compute e all pe/atom",
            *computes,
            "compute w all pressure NULL virial",
            "thermo_style custom step pe vol c_w[1] c_w[2] c_w[3] c_w[4] c_w[5] c_w[6]",
            "thermo_modify format float %22.17g norm no",
            f"dump 1 all custom 1 {k}.dump id fx fy fz c_e {columns} xu yu zu",
            "dump_modify 1 sort id format float %22.17g",
            "run 0 post no",
            "",
        ]
    )


def _rows(output: str) -> list[list[float]]:
    lines = output.splitlines()
    heads = [
        i
        for i, line in enumerate(lines)
        if line.split()[:3] == ["Step", "PotEng", "Volume"]
    ]
    numbers = [next(w for w in lines[i + 1 :] if "WARNING" not in w) for i in heads]
    return [list(map(float, line.split())) for line in numbers]


def tensor(xx, yy, zz, xy, xz, yz, yx=None, zx=None, zy=None):
    """A tensor of LAMMPS' order of components."""
    rest = (xy if yx is None else yx, xz if zx is None else zx, yz if zy is None else zy)
    return np.array([[xx, xy, xz], [rest[0], yy, yz], [rest[1], rest[2], zz]])


def _found(case: Case, k: int, folder: Path, row: list[float]) -> Found:
    s = case.structure
    box = Box.of(s.cell, s.pbc, s.positions)
    _, energy, volume, *pressure = row
    table = np.loadtxt(folder / f"{k}.dump", skiprows=9, ndmin=2)
    places, table = table[:, -3:], table[:, :-3]
    turned = [
        [box.tensor_from_lammps(tensor(*atom)) / BAR for atom in table[:, columns]]
        for columns in (slice(5, 11), slice(11, 20))
        if table.shape[1] >= columns.stop
    ]
    return Found(
        table[:, 4],
        box.from_lammps(table[:, 1:4]),
        box.tensor_from_lammps(tensor(*pressure)) * volume / BAR,
        np.array(turned),
        energy,
        box.from_lammps(places),
    )
