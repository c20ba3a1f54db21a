"""LAMMPS ``pair_style uf3`` files from potentials."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations_with_replacement
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from trimpot import __version__
from trimpot.elements import SYMBOLS, group_name
from trimpot.errors import InputError
from trimpot.files.lammps_table import isolated_energies, write_table
from trimpot.files.uf3_blocks import leg_reach, legs, pair_blocks, triplet_blocks
from trimpot.files.uf3_text import KnotKind, format_block, uniform
from trimpot.files.unheld import refuse_others
from trimpot.splines.core import ZblTerm
from trimpot.splines.one_body import OneBody
from trimpot.splines.pair import PairTerm
from trimpot.splines.potential import SplinePotential
from trimpot.splines.triplet import TripletTerm
from trimpot.writing.atomic import write_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trimpot.files.lammps_table import TableExport, TableSettings
    from trimpot.files.uf3_text import Block

CoreChoice = Literal["refuse", "drop", "table"]

HEADER = f"DATE: - AUTHOR: trimpot-{__version__} CITATION: -"


@dataclass(frozen=True)
class Uf3Export:
    """What a written file holds and what it does not.

    Attributes
    ----------
    commands : tuple of str
        LAMMPS input lines that use the file, for atom types in the order of species.
    exact_from : dict
        Distance in angstrom for each pair such as "Ge-Te", above which LAMMPS gives the
        energies and forces of the potential: exactly, or with the errors of
        ``core_table`` below ``core_ends``.
    core_ends : dict
        Distance in angstrom where the repulsive core of each pair has vanished.
    core_table : TableExport or None
        Table of the core and its interpolation errors, if it was written.
    isolated_energies : dict
        eV per element: to be added to the energies of LAMMPS.
    dropped : tuple of str
        What the format cannot hold, in words.
    """

    commands: tuple[str, ...]
    exact_from: dict[str, float]
    core_ends: dict[str, float] = field(default_factory=dict)
    core_table: TableExport | None = None
    isolated_energies: dict[str, float] = field(default_factory=dict)
    dropped: tuple[str, ...] = ()


def write_uf3(
    potential: SplinePotential,
    path: str | Path,
    *,
    core: CoreChoice = "refuse",
    table: TableSettings | None = None,
) -> Uf3Export:
    """Write a potential as a LAMMPS ``pair_style uf3`` file.

    Forces and energies of LAMMPS equal those of the potential, without isolated-atom
    energies, at all distances from ``exact_from`` on. The format wants equal cutoffs of
    r_ij and r_ik, twice as much for r_jk, three-body cutoffs within those of pairs, and
    every pair and trio of the elements: shorter functions are continued by knots with
    zero coefficients, which changes nothing, and missing ones are written as zero.

    Parameters
    ----------
    potential : SplinePotential
        At most one pair and one triplet term; isolated-atom energies are left out.
    path : path
        File to write, atomically.
    core : "refuse", "drop" or "table"
        What to do about a repulsive core, which the format cannot hold. "table" writes
        it to NAME.core.table beside the file, and LAMMPS adds it (hybrid/overlay).
    table : TableSettings, optional
        First distance, points and error bounds of that table.

    Raises
    ------
    InputError
        If a term does not fit into the format; says why and what to do.
    WriteError
        If the file cannot be written.
    """
    _check_kinds(potential, core)
    trios = triplet_blocks(potential)
    pairs = pair_blocks(potential, leg_reach(trios))
    blocks: list[Block] = [*pairs, *trios]
    every_knot = [b.knots for b in pairs] + [k for b in trios for k in legs(b)]
    kind: KnotKind = "uk" if all(uniform(knots) for knots in every_knot) else "nk"
    write_text(path, "".join(format_block(block, kind, HEADER) for block in blocks))
    names = " ".join(SYMBOLS[z] for z in potential.species)
    commands: tuple[str, ...] = (
        f"pair_style uf3 {3 if trios else 2}",
        f"pair_coeff * * {Path(path).name} {names}",
    )
    ends = _core_ends(potential)
    exact_from = {group_name(b.elements): float(b.knots[0]) for b in pairs}
    beside = None
    if ends and core == "table":
        beside = _write_core(potential, Path(path), table)
        commands = overlaid(commands, beside.commands)
    for name, end in ends.items():
        lowest = end if beside is None else beside.pairs[name].inner
        exact_from[name] = max(exact_from[name], lowest)
    isolated = isolated_energies(potential)
    dropped = ("isolated-atom energies",) * bool(isolated)
    dropped += ("repulsive core",) * (bool(ends) and beside is None)
    return Uf3Export(commands, exact_from, ends, beside, isolated, dropped)


def overlaid(first: Sequence[str], second: Sequence[str]) -> tuple[str, ...]:
    """Return the commands of two pair styles as those of their sum."""
    styles: list[str] = []
    coefficients: list[str] = []
    for commands in (first, second):
        words = commands[0].split()[1:]
        styles.append(" ".join(words))
        for line in commands[1:]:
            command, i, j, *rest = line.split()
            coefficients.append(" ".join([command, i, j, words[0], *rest]))
    return (f"pair_style hybrid/overlay {' '.join(styles)}", *coefficients)


def _write_core(
    potential: SplinePotential, path: Path, settings: TableSettings | None
) -> TableExport:
    """Write the table of the repulsive core beside the file."""
    core = next(term for term in potential.terms if isinstance(term, ZblTerm))
    alone = SplinePotential(potential.species, (core,), (np.zeros(0),))
    return write_table(alone, path.with_name(f"{path.stem}.core.table"), settings=settings)


def _check_kinds(potential: SplinePotential, core: str) -> None:
    if core not in get_args(CoreChoice):
        choices = ", ".join(map(repr, get_args(CoreChoice)))
        raise InputError(f"core is {core!r}, expected one of {choices}")
    known = (OneBody.kind, PairTerm.kind, TripletTerm.kind, ZblTerm.kind)
    refuse_others(potential, known, "a LAMMPS uf3 file", "pair and triplet splines")
    kinds = [term.kind for term in potential.terms]
    for kind in kinds:
        if kinds.count(kind) > 1:
            raise InputError(
                f"found {kinds.count(kind)} {kind} terms, but a LAMMPS uf3 file holds one; "
                "train a potential with one"
            )
    if ZblTerm.kind in kinds and core == "refuse":
        raise InputError(
            "a LAMMPS uf3 file cannot hold the repulsive core of this potential; use "
            "core='table' to write it as a table that LAMMPS adds, or core='drop' to leave "
            "it out: the result says down to which distance the file is exact"
        )


def _core_ends(potential: SplinePotential) -> dict[str, float]:
    """Return where the repulsion of each pair has vanished."""
    for term in potential.terms:
        if isinstance(term, ZblTerm):
            order = {z: index for index, z in enumerate(term.species)}
            return {
                group_name((a, b)): float(term.outer[order[a], order[b]])
                for a, b in combinations_with_replacement(term.species, 2)
            }
    return {}
