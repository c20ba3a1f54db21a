"""What is measured of engines: pair styles, ranks and sizes on warm crystals."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import training_runs

from trimpot.files import save
from trimpot.files.uf3 import read_uf3, read_uf3_json

POTENTIALS = training_runs.DATA.parent / "potentials"
UF3 = POTENTIALS / "uf3_W"
MIXED, DOUBLE = "trimpot mixed", "trimpot double"
BIG, RANKS, SIZES = "W UF2,3, 4 million atoms", "W UF2,3, two ranks", "W UF2,3, sizes"
ONE, TWO, HALF = "one rank", "two ranks", "one rank, half as many atoms"
WEAK = 2.0
"""Atoms of two ranks over those of HALF."""


@dataclass(frozen=True)
class Style:
    """A pair style: its lines, the steps that it makes in a round, ranks, and its cells.

    Without cells it has those of the case, as many along each axis.
    """

    lines: tuple[str, ...]
    steps: int = 200
    ranks: int = 1
    cells: tuple[int, int, int] | None = None


@dataclass(frozen=True)
class Case:
    """Styles that run in turn on one crystal."""

    lattice: str
    mass: float
    repeats: int
    atoms_per_cell: int
    styles: dict[str, Style]
    first: str = MIXED
    targets: dict[str, float] = field(default_factory=dict)

    @property
    def atoms(self) -> int:
        """Number of atoms."""
        return self.atoms_per_cell * self.repeats**3


def ours(
    model: str,
    element: str,
    *,
    steps: int = 200,
    ranks: int = 1,
    words: str = "",
    cells: tuple[int, int, int] | None = None,
) -> Style:
    """Return our pair style."""
    lines = (f"pair_style trimpot {words}", f"pair_coeff * * {model} {element}")
    return Style(lines, steps, ranks, cells)


def cases() -> dict[str, Case]:
    """Return what is measured, by name."""
    w, si = "bcc 3.165", "diamond 5.431"
    eam = POTENTIALS / "lammps" / "W_zhou55.eam.alloy"
    eam_lines = ("pair_style eam/alloy", f"pair_coeff * * {eam} W")
    own = {
        MIXED: ours("w23.trimpot", "W"),
        DOUBLE: ours("w23.trimpot", "W", words="precision double"),
    }
    lj = ("pair_style lj/cut 5.5", "pair_coeff * * 0.87 2.5")
    table = ("pair_style table linear 5000", f"pair_coeff * * {UF3 / 'W_uf2.table'} UF_0")
    name = _table_name(UF3 / "W_uf2.table")
    table = (table[0], table[1].replace("UF_0", name))
    return {
        "W UF2,3": Case(
            w,
            183.84,
            20,
            2,
            {
                **own,
                "uf3": Style(("pair_style uf3 3", f"pair_coeff * * {UF3 / 'W.uf3'} W"), 30),
                "eam/alloy": Style(eam_lines),
            },
            targets={"uf3": 12.0, "eam/alloy": 1.0},
        ),
        "W UF2": Case(
            w,
            183.84,
            20,
            2,
            {
                MIXED: ours("w2.trimpot", "W", steps=600),
                DOUBLE: ours("w2.trimpot", "W", steps=600, words="precision double"),
                "lj/cut": Style(lj, 400),
                "table": Style(table, 400),
            },
            targets={"lj/cut": 1.0},
        ),
        "Si UF2,3": Case(
            si,
            28.0855,
            12,
            8,
            {
                MIXED: ours("si23.trimpot", "Si"),
                DOUBLE: ours("si23.trimpot", "Si", words="precision double"),
                "uf3": Style(
                    ("pair_style uf3 3", f"pair_coeff * * {UF3 / 'Si.uf3'} Si"), 30
                ),
                "sw": Style(
                    (
                        "pair_style sw",
                        f"pair_coeff * * {POTENTIALS / 'lammps' / 'Si.sw'} Si",
                    )
                ),
            },
            targets={"uf3": 12.0, "sw": 1.0},
        ),
        RANKS: Case(
            w,
            183.84,
            32,
            2,
            {
                TWO: ours("w23.trimpot", "W", steps=150, ranks=2),
                ONE: ours("w23.trimpot", "W", steps=150),
                HALF: ours("w23.trimpot", "W", steps=150, cells=(16, 32, 32)),
                "eam/alloy, two ranks": Style(eam_lines, 100, 2),
                "eam/alloy, one rank": Style(eam_lines, 100),
            },
            first=TWO,
            targets={ONE: 1.85},
        ),
        SIZES: Case(
            w,
            183.84,
            32,
            2,
            {
                f"{2 * n**3:,} atoms": ours(
                    "w23.trimpot", "W", steps=max(20, 1_000_000 // n**3), cells=(n, n, n)
                )
                for n in (4, 6, 8, 12, 16, 24, 32)
            },
            first="65,536 atoms",
        ),
        BIG: Case(
            w,
            183.84,
            126,
            2,
            {TWO: ours("w23.trimpot", "W", steps=10, ranks=2)},
            first=TWO,
        ),
    }


def _table_name(path: Path) -> str:
    lines = [
        line for line in path.read_text().splitlines() if line and line[0] not in "#\n"
    ]
    return lines[0].split()[0]


def write_models(folder: Path) -> None:
    """Write the potentials in our format."""
    save(read_uf3(UF3 / "W.uf3"), folder / "w23.trimpot")
    save(read_uf3(UF3 / "Si.uf3"), folder / "si23.trimpot")
    save(read_uf3_json(UF3 / "model_2.json"), folder / "w2.trimpot")
