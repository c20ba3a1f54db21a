"""Pair styles of LAMMPS to time a potential beside.

Those without a file have the cutoff of the potential, and parameters with which the given
structure is at zero pressure: it neither explodes nor melts while it is timed.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations_with_replacement
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from trimpot.benchmarks.lammps import LammpsStyle
from trimpot.engines.singlepoint import symbol
from trimpot.errors import InputError
from trimpot.files.uf3 import write_uf3
from trimpot.neighbors import neighborhood
from trimpot.splines.potential import SplinePotential
from trimpot.validation.scans import dimer_scan

if TYPE_CHECKING:
    from collections.abc import Callable

    from trimpot.contract import FloatArray, Potential, Structure

DEPTH_EV = 0.3
"""Well depth of Lennard-Jones and Morse: solid at 300 K."""

MORSE_WIDTH = 1.4
"""1/A, usual for metals."""

TABLE_POINTS = 2000

SNAP_WORDS_OF_THE_PAST = ("diagonalstyle", "gamma ")
"""Parameters that lmp refuses today: it always does what 3 and 1 meant."""


@dataclass(frozen=True)
class Lines:
    """What makes lmp use a potential.

    Attributes
    ----------
    commands : tuple of str
        ``pair_style`` and ``pair_coeff``.
    files : mapping of bytes
        Files that they name.
    missing_energy : float or None
        For the same potential: what LAMMPS leaves out of the energy of the structure, eV.
    """

    commands: tuple[str, ...]
    files: Mapping[str, bytes] = field(default_factory=dict)
    missing_energy: float | None = None


@dataclass(frozen=True)
class RivalContext:
    """What a rival is made for: the potential and the structure that both run."""

    potential: Potential
    structure: Structure

    @property
    def cutoff(self) -> float:
        """Cutoff of the potential, angstrom."""
        return self.potential.cutoff

    @cached_property
    def distances(self) -> FloatArray:
        """All pair distances within the cutoff, angstrom."""
        around = neighborhood(self.structure, self.cutoff)
        i = np.repeat(np.arange(around.n_local), np.diff(around.first))
        apart = around.positions[around.neighbors] - around.positions[i]
        r: FloatArray = np.linalg.norm(apart, axis=1)
        if not r.size:
            raise InputError("no pair within the cutoff; rivals have nothing to compute")
        return r


def _lennard_jones(context: RivalContext, style: str) -> Lines:
    """Return the lines of lj/cut; sigma makes the sum of r dV/dr vanish."""
    r = context.distances
    sigma = ((r**-6).sum() / (2.0 * (r**-12).sum())) ** (1 / 6)
    return Lines(
        (
            f"pair_style {style} {context.cutoff}",
            f"pair_coeff * * {DEPTH_EV} {sigma:.6f}",
        )
    )


def _morse(context: RivalContext, style: str) -> Lines:
    """Return the lines of morse; r0 makes the sum of r dV/dr vanish."""
    r = context.distances
    falling = np.exp(-MORSE_WIDTH * r)
    minimum = np.log((r * falling).sum() / (r * falling**2).sum()) / MORSE_WIDTH
    return Lines(
        (
            f"pair_style {style} {context.cutoff}",
            f"pair_coeff * * {DEPTH_EV} {MORSE_WIDTH} {minimum:.6f}",
        )
    )


def _table(context: RivalContext, style: str) -> Lines:
    """Return the curves of pairs alone in space as tables, linearly interpolated."""
    species = context.potential.species
    r = np.linspace(0.5 * context.distances.min(), context.cutoff, TABLE_POINTS)
    lines = [f"pair_style {style} linear {TABLE_POINTS}"]
    text = ""
    for i, j in combinations_with_replacement(range(len(species)), 2):
        scan = dimer_scan(context.potential, species[i], species[j], r)
        values = np.column_stack([np.arange(1, len(r) + 1), r, scan.energy, scan.force])
        rows = "\n".join(f"{k:.0f} {x:.15g} {e:.15g} {f:.15g}" for k, x, e, f in values)
        head = f"{scan.name}\nN {len(r)} R {r[0]:.15g} {r[-1]:.15g}"
        text += f"{head}\n\n{rows}\n\n"
        lines.append(f"pair_coeff {i + 1} {j + 1} pairs.table {scan.name} {context.cutoff}")
    return Lines(tuple(lines), {"pairs.table": f"# from Trimpot\n\n{text}".encode()})


def _uf3(context: RivalContext, _style: str) -> Lines:
    """Return the same potential as a uf3 file, without its core."""
    if not isinstance(context.potential, SplinePotential):
        raise InputError("uf3 files hold spline potentials only")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "same.uf3"
        export = write_uf3(context.potential, place, core="drop")
        isolated = export.isolated_energies
        missing = sum(isolated.get(symbol(z), 0.0) for z in context.structure.numbers)
        files = {"same.uf3": place.read_bytes()}
        return Lines(export.commands, files, missing)


GENERIC: Mapping[str, Callable[[RivalContext, str], Lines]] = {
    "uf3": _uf3,
    "table": _table,
    "lj/cut": _lennard_jones,
    "lj/cut/opt": _lennard_jones,
    "morse": _morse,
    "morse/opt": _morse,
}
"""Rivals that need no file."""

OF_ELEMENTS = (
    *("eam/alloy", "eam/alloy/opt", "eam/fs", "eam/fs/opt"),
    *("sw", "tersoff", "meam/spline"),
)
"""Styles of which ``pair_coeff * * FILE Element ...`` says all."""


def rival(name: str, context: RivalContext, *, lmp: str, ranks: int = 1) -> LammpsStyle:
    """Return a rival that needs no file.

    Raises
    ------
    InputError
        For an unknown name, or a potential of which this rival cannot be made.
    """
    if name not in GENERIC:
        raise InputError(
            f"unknown rival {name!r}; choose {', '.join(GENERIC)}, or give a style with "
            "its file: --rival 'eam/alloy=FILE'"
        )
    lines = GENERIC[name](context, name)
    return LammpsStyle(
        f"LAMMPS {name}",
        lmp,
        context.potential.species,
        lines.commands,
        lines.files,
        ranks,
        lines.missing_energy,
    )


def rival_of_file(
    style: str, path: Path, species: tuple[int, ...], *, lmp: str, ranks: int = 1
) -> LammpsStyle:
    """Return a rival with a potential file.

    Parameters
    ----------
    style
        One of ``OF_ELEMENTS``; ``uf3``; ``meam`` (FILE beside its library.meam); ``snap``
        (FILE without suffix, or its .snapcoeff, beside its .snapparam); or ``include``:
        FILE holds the lines pair_style and pair_coeff, and files that it names are beside.
    path
        The file.
    species
        Atomic numbers, in the order of the LAMMPS types.

    Raises
    ------
    InputError
        For an unknown style or a missing file.
    """
    names = " ".join(symbol(z) for z in species)
    lines = _lines_of_file(style, path, names)
    shown = _style_of(path) if style == "include" else style
    name = f"LAMMPS {shown} ({path.name})"
    return LammpsStyle(name, lmp, species, lines.commands, lines.files, ranks)


def _lines_of_file(style: str, path: Path, names: str) -> Lines:
    if style in OF_ELEMENTS:
        coefficients = f"pair_coeff * * {path.name} {names}"
        return Lines((f"pair_style {style}", coefficients), _read(path))
    if style == "meam":
        library = path.with_name("library.meam")
        coefficients = f"pair_coeff * * library.meam {names} {path.name} {names}"
        return Lines(("pair_style meam", coefficients), _read(library, path))
    if style == "uf3":
        files = _read(path)
        order = 3 if b"\n3B " in files[path.name] else 2
        coefficients = f"pair_coeff * * {path.name} {names}"
        return Lines((f"pair_style uf3 {order}", coefficients), files)
    if style == "snap":
        return _snap(path, names)
    if style == "include":
        return Lines((f"include {path.name}",), _with_named(path))
    known = ", ".join([*OF_ELEMENTS, "meam", "uf3", "snap", "include"])
    raise InputError(f"cannot use pair style {style!r} with a file; choose {known}")


def _snap(path: Path, names: str) -> Lines:
    stem = path.with_suffix("") if path.suffix.startswith(".snap") else path
    files = _read(
        stem.with_name(f"{stem.name}.snapcoeff"), stem.with_name(f"{stem.name}.snapparam")
    )
    coefficients, parameters = files.values()
    kept = [
        line
        for line in parameters.decode().splitlines()
        if not line.startswith(SNAP_WORDS_OF_THE_PAST)
    ]
    lines = ("pair_style snap", f"pair_coeff * * p.snapcoeff p.snapparam {names}")
    renamed = {
        "p.snapcoeff": b"# SNAP\n" + coefficients,
        "p.snapparam": "\n".join([*kept, ""]).encode(),
    }
    return Lines(lines, renamed)


def _with_named(path: Path) -> dict[str, bytes]:
    files = _read(path)
    text = files[path.name].decode()
    words = set(re.findall(r"\S+", text))
    beside = [p for p in sorted(path.parent.iterdir()) if p.name in words and p != path]
    return files | _read(*beside)


def _style_of(path: Path) -> str:
    text = path.read_text("utf-8").replace("&\n", " ")
    found = re.search(r"^\s*pair_style\s+(.*)$", text, re.MULTILINE)
    words = [word for word in found.group(1).split() if word[0].isalpha()] if found else []
    return " ".join(words) or "include"


def _read(*paths: Path) -> dict[str, bytes]:
    for path in paths:
        if not path.is_file():
            raise InputError(f"the rival's file {path} does not exist")
    return {path.name: path.read_bytes() for path in paths}
