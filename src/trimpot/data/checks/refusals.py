"""Frames that cannot be read: what is wrong with each kind, and what to do."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trimpot.data.checks.findings import LEAVE_OUT, Finding, option

if TYPE_CHECKING:
    from collections.abc import Sequence

_COPY = "write or copy the file again; `trimpot check-data FILES --clean good.extxyz` "
_COPY += "writes the frames that can be read"
_FILE = "leave the file out, or write it again"


@dataclass(frozen=True)
class Refusal:
    """A frame, or a whole file, that cannot be read.

    Attributes
    ----------
    source : str
        File, with the frame number where it is one frame.
    message : str
        The error of the reader.
    """

    source: str
    message: str


@dataclass(frozen=True)
class _Kind:
    words: str
    code: str
    title: str
    remedy: str


_SIGN_OR_KEY = option("keys.stress=KEY") + " or " + option("keys.virial=KEY")

# The words are those of docs/errors.md; the first that the message holds decides.
_KINDS = (
    _Kind("the file has no frames", "file-empty", "the file has no frames", _FILE),
    _Kind("is not UTF-8", "file-not-text", "the file is not text",
          "name its format if ASE reads it (" + option("format=NAME") + "), or convert it"),
    _Kind("cannot be read (", "file-unreadable", "the file cannot be read", _COPY),
    _Kind("format is not recognised", "file-unreadable", "the format is not known",
          "name the format: " + option("format=extxyz")),
    _Kind("truncated", "frame-truncated", "atom lines are missing or too many", _COPY),
    _Kind("expected the number of atoms", "atom-count",
          "a number of atoms is wrong or missing", "correct the number; " + LEAVE_OUT),
    _Kind("0 atoms", "frame-empty", "a frame has no atoms", LEAVE_OUT),
    _Kind("the atom line has", "atom-line", "atom lines do not fit Properties",
          "correct Properties or the lines; " + LEAVE_OUT),
    _Kind("expected a number", "atom-line", "a column of numbers holds something else",
          LEAVE_OUT),
    _Kind("expected an integer", "atom-line", "a column of numbers holds something else",
          LEAVE_OUT),
    _Kind("occurs twice", "key-twice", "a key or column occurs twice",
          "delete the one that is wrong; " + LEAVE_OUT),
    _Kind("near ", "comment-line", "a comment line cannot be read",
          "close its quotes and brackets; " + LEAVE_OUT),
    _Kind("name the key of the forces", "label-shape", "forces are not three per atom",
          "name their key: " + option("keys.forces=KEY")),
    _Kind("Properties", "properties", "Properties cannot be used",
          "correct Properties, for example species:S:1:pos:R:3:forces:R:3"),
    _Kind("unknown element", "element-unknown", "an element is not known",
          "rename it; " + LEAVE_OUT),
    _Kind("position of atom", "not-finite", "positions are NaN or infinite", LEAVE_OUT),
    _Kind("is NaN or infinite", "not-finite", "labels are NaN or infinite", LEAVE_OUT),
    _Kind("is not finite", "not-finite", "a cell is NaN or infinite", LEAVE_OUT),
    _Kind("there is no Lattice", "cell-missing", "periodic frames without Lattice",
          'add the Lattice, or write pbc="F F F"; ' + LEAVE_OUT),
    _Kind("Lattice=", "cell-format", "a Lattice is not nine numbers", LEAVE_OUT),
    _Kind("expected three logicals", "cell-format", "pbc cannot be read",
          'write for example pbc="T T F"'),
    _Kind("is singular", "cell-singular", "lattice vectors are zero or dependent",
          'correct the Lattice, or write pbc with F there; ' + LEAVE_OUT),
    _Kind("left-handed", "cell-left-handed", "cells are left-handed",
          option("rules.left_handed=swap") + " exchanges two lattice vectors"),
    _Kind("differ by the sign", "stress-virial-sign",
          "stress and virial differ by the sign alone", _SIGN_OR_KEY),
    _Kind("-virial", "stress-conflict", "stress and virial disagree", _SIGN_OR_KEY),
    _Kind("they disagree", "key-conflict", "two keys give different labels",
          "say which counts: " + option("keys.energy=KEY") + ", "
          + option("keys.forces=KEY") + " or " + option("keys.stress=KEY")),
    _Kind("expected one total energy", "label-shape", "the energy is no single number",
          "name the key of the total energy: " + option("keys.energy=KEY")),
    _Kind("convert the energies to eV", "energy-unit", "energies beyond any in eV",
          "say the unit: " + option("rules.energy_unit=kcal/mol")
          + " (or kJ/mol, Ha, Ry, meV)"),
    _Kind("expected 9 components", "label-shape", "a stress has neither 6 nor 9 components",
          "correct it, or name another key: " + option("keys.stress=KEY")),
    _Kind("is not symmetric", "label-shape", "a stress is not symmetric",
          "correct the order of its components: xx xy xz yx yy yz zx zy zz"),
    _Kind("no cell with a", "stress-without-cell", "a stress without a cell",
          "add the Lattice, or delete the stress; " + LEAVE_OUT),
    _Kind("which no calculation", "not-plausible", "numbers beyond any calculation",
          LEAVE_OUT),
    _Kind("expected one number in eV", "label-shape", "an energy is no number", LEAVE_OUT),
    _Kind("", "unreadable", "frames cannot be read", LEAVE_OUT),
)  # fmt: skip


_COMMAS = _Kind(
    "", "atom-line", "numbers have decimal commas",
    "write them with decimal points: check the locale of what wrote the file",
)  # fmt: skip


def refusal_findings(refusals: Sequence[Refusal]) -> list[Finding]:
    """Return one finding per kind of refusal, with the first message as evidence."""
    groups: dict[_Kind, list[Refusal]] = defaultdict(list)
    for refusal in refusals:
        kind = next(k for k in _KINDS if k.words in refusal.message)
        if kind.code == "atom-line" and re.search(r"found '[-+]?\d+,\d+", refusal.message):
            kind = _COMMAS
        groups[kind].append(refusal)
    return [
        Finding(
            kind.code,
            "error",
            kind.title,
            members[0].message,
            kind.remedy,
            tuple(r.source for r in members),
            leave_out=True,
        )
        for kind, members in groups.items()
    ]
