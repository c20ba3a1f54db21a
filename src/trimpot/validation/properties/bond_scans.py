"""Bonds of structures, compressed and stretched one by one.

Along such a way energies have one minimum and forces change their sign once; further minima
and jumps are what dynamics is caught in. After BSCT (arXiv:2602.04861).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from trimpot.errors import InputError
from trimpot.validation.properties.bonds import bonded_pairs
from trimpot.validation.properties.case import silent
from trimpot.validation.properties.crystals import supercell
from trimpot.validation.properties.frame_files import frames_of
from trimpot.validation.properties.outcome import Curve, Outcome, Value, guarded
from trimpot.validation.properties.several_runs import check_positive
from trimpot.validation.scaling_scans import wells

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ase import Atoms
    from ase.calculators.calculator import Calculator

    from trimpot.contract import FloatArray
    from trimpot.validation.properties.case import Case, Phase, Report
    from trimpot.validation.subjects import Subject

VERSION = 1

TAKES = ("crystal", "molecule")

SMALL_FORCE = 0.05
"""eV/A below which a sign does not count."""

BARRIER_EV = 0.01
"""eV over which a way must climb for a minimum to count as another one."""

JUMP_EV = 0.005
"""Difference of a change of energy from the work of forces that is looked into."""

JUMP_EV_A = 0.1
"""Smallest change of a force between two points that is looked into."""

ABRUPT = 3.0
"""Change of a force over those before and after it that is looked into."""

FINER = 8
"""Parts of a step that is looked into: a jump is all in one of them, a bend in none."""


@dataclass(frozen=True)
class Settings:
    """Structures, bonds and how far they are moved.

    Attributes
    ----------
    frames : str or None
        A file of structures, such as training data, from the working folder. None: rattled
        copies of the phase.
    structures : int
        At most so many structures.
    bonds : int
        Bonds that are scanned in each, at random.
    low, high : float
        Shortest and longest bond, over that in the structure.
    points : int
        Of a scan.
    rattle : float
        Standard deviation of displacements (A) of copies of the phase.
    atoms : int
        Atoms of such a copy, at least.
    seed : int
        Of displacements and of the choice of bonds.
    """

    frames: str | None = None
    structures: int = 20
    bonds: int = 3
    low: float = 0.6
    high: float = 1.3
    points: int = 71
    rattle: float = 0.1
    atoms: int = 54
    seed: int = 0


def check(phase: Phase, settings: Settings) -> None:  # noqa: ARG001
    """Refuse scans of nothing, and files that cannot be read.

    Raises
    ------
    InputError
        If there are such.
    """
    check_positive(
        "bond_scans", structures=settings.structures, bonds=settings.bonds, low=settings.low
    )
    if not (settings.low < 1.0 < settings.high and settings.points >= 5):
        raise InputError(
            f"bond_scans: from {settings.low:g} to {settings.high:g} of a bond in "
            f"{settings.points} points, expected a range around 1 and at least 5 points"
        )
    if settings.frames is not None:
        frames_of(settings.frames, "bond_scans: frames", settings.structures)


@guarded
def measure(
    subject: Subject, case: Case, settings: Settings, report: Report = silent
) -> Outcome:
    """Compress and stretch bonds, both atoms moving the same way, all others at rest.

    Values: ``scans``; ``clean``, the share of scans without any of what follows;
    ``extra_minima``, minima beyond one behind walls of more than 0.01 eV; ``flips``,
    changes of the force's sign beyond one, in all scans; ``jumps``, steps at which forces
    jump, or energies change by other than their work; ``collapses``, scans whose shortest
    bond attracts. Curves: ``worst`` and ``median`` (energy over the length of the bond).

    Raises
    ------
    InputError
        If structures cannot be read or have no bonds.
    """
    check(case.phase, settings)
    rng = np.random.default_rng(settings.seed)
    scans: list[_BondScan] = []
    structures = _structures(case, settings, rng)
    calculator = subject.calculator()
    for done, atoms in enumerate(structures, 1):
        bonds = _chosen(atoms, settings.bonds, rng)
        moving = [_Moving(atoms, *bond, calculator) for bond in bonds]
        scans += [_scanned(one, settings) for one in moving]
        report(done / len(structures))
    if not scans:
        raise InputError(
            "bond_scans: found no bonds, expected structures with atoms nearer than 1.25 "
            "times the sum of covalent radii; see the structures"
        )
    worst = max(scans, key=lambda scan: scan.badness)
    values = {
        "scans": Value(float(len(scans)), ""),
        "clean": Value(float(np.mean([scan.faults == 0 for scan in scans])), ""),
        "extra_minima": Value(float(sum(scan.extra_minima for scan in scans)), ""),
        "flips": Value(float(sum(scan.extra_flips for scan in scans)), ""),
        "jumps": Value(float(sum(scan.jumps for scan in scans)), ""),
        "collapses": Value(float(sum(scan.collapses for scan in scans)), ""),
    }
    median = sorted(scans, key=lambda scan: scan.badness)[len(scans) // 2]
    curves = {"worst": worst.curve(), "median": median.curve()}
    notes = [f"{len(structures)} structures"]
    if worst.faults:
        notes.append(f"the worst: {worst.told()}")
    return Outcome(values, curves, asdict(settings), tuple(notes))


@dataclass(frozen=True)
class _BondScan:
    """Energy (eV) and force along a bond (eV/A, positive pushes apart) over its length."""

    name: str
    r: FloatArray
    energy: FloatArray
    force: FloatArray
    jumps: int

    @property
    def extra_minima(self) -> int:
        """Minima beyond one."""
        return max(0, len(wells(self.energy, BARRIER_EV)) - 1)

    @property
    def extra_flips(self) -> int:
        """Changes of the force's sign beyond one."""
        signs = np.sign(self.force[np.abs(self.force) > SMALL_FORCE])
        return max(0, int(np.count_nonzero(np.diff(signs))) - 1)

    @property
    def collapses(self) -> bool:
        """Whether the shortest bond attracts."""
        return bool(self.force[0] < -SMALL_FORCE)

    @property
    def faults(self) -> int:
        """All of it."""
        return self.extra_minima + self.extra_flips + self.jumps + self.collapses

    @property
    def badness(self) -> tuple[int, float]:
        """Order of scans: by faults, then by the height of the way."""
        return self.faults, float(np.ptp(self.energy))

    def curve(self) -> Curve:
        """Return the energy, zero at the bond of the structure."""
        return Curve(self.r, self.energy, "bond length (A)", "energy (eV)")

    def told(self) -> str:
        """Return what is wrong in words."""
        counts = {
            "extra minima": self.extra_minima,
            "extra flips of the force": self.extra_flips,
            "jumps": self.jumps,
        }
        words = [f"{n} {what}" for what, n in counts.items() if n]
        if self.collapses:
            words.append(f"attracts at {self.r[0]:.2f} A")
        return f"{self.name}: {', '.join(words)}"


def _structures(
    case: Case, settings: Settings, rng: np.random.Generator
) -> Sequence[Atoms]:
    if settings.frames is not None:
        return frames_of(settings.frames, "bond_scans: frames", settings.structures)
    start = supercell(case, settings.atoms)
    copies = [start.copy() for _ in range(settings.structures)]
    for atoms in copies:
        atoms.positions += settings.rattle * rng.standard_normal((len(atoms), 3))
    return copies


def _chosen(
    atoms: Atoms, most: int, rng: np.random.Generator
) -> list[tuple[int, int, FloatArray]]:
    """Return some bonds: both atoms, and the way from the first to the second (A)."""
    first, second, apart = bonded_pairs(atoms)
    if len(first) == 0:
        return []
    picked = rng.choice(len(first), min(most, len(first)), replace=False)
    return [(int(first[k]), int(second[k]), apart[k]) for k in picked]


@dataclass(frozen=True)
class _Moving:
    """A bond that changes its length, both atoms moving; ``way`` (3,) leads along it."""

    atoms: Atoms
    first: int
    second: int
    way: FloatArray
    calculator: Calculator

    @property
    def length(self) -> float:
        """Length in the structure, A."""
        return float(np.linalg.norm(self.way))

    def at(self, r: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return energies (eV) and forces along the bond (eV/A) at lengths (A)."""
        along = self.way / self.length
        energy, force = np.empty(len(r)), np.empty(len(r))
        moved = self.atoms.copy()
        moved.calc = self.calculator
        for k, length in enumerate(r):
            shift = 0.5 * (length - self.length) * along
            moved.positions[self.first] = self.atoms.positions[self.first] - shift
            moved.positions[self.second] = self.atoms.positions[self.second] + shift
            energy[k] = moved.get_potential_energy()
            forces = moved.get_forces()
            force[k] = 0.5 * float((forces[self.second] - forces[self.first]) @ along)
        return energy, force


def _scanned(moving: _Moving, settings: Settings) -> _BondScan:
    r = moving.length * np.linspace(settings.low, settings.high, settings.points)
    energy, force = moving.at(r)
    symbols = moving.atoms.get_chemical_symbols()
    ends = (f"{symbols[k]}{k}" for k in (moving.first, moving.second))
    name = f"{'-'.join(ends)} of {moving.length:.2f} A"
    zero = float(np.interp(moving.length, r, energy))
    return _BondScan(name, r, energy - zero, force, _jumps(moving, r, energy, force))


def _jumps(moving: _Moving, r: FloatArray, energy: FloatArray, force: FloatArray) -> int:
    """Return at how many steps energies or forces jump.

    A step that looks like one is divided: what is smooth changes a little in each part.
    """
    gap, change = _gaps(r, energy, force), np.abs(np.diff(force))
    around = np.maximum(np.append(change[1:], 0.0), np.append(0.0, change[:-1]))
    abrupt = (change > JUMP_EV_A) & (change > ABRUPT * around)
    found = 0
    for k in np.flatnonzero((gap > JUMP_EV) | abrupt):
        finer = np.linspace(r[k], r[k + 1], FINER + 1)
        e, f = moving.at(finer)
        leap = _gaps(finer, e, f).max() > max(0.5 * gap[k], 0.5 * JUMP_EV)
        kink = abrupt[k] and np.abs(np.diff(f)).max() > 0.5 * change[k]
        found += bool(leap or kink)
    return found


def _gaps(r: FloatArray, energy: FloatArray, force: FloatArray) -> FloatArray:
    """Return by how much changes of energy differ from the work of forces, eV."""
    work = -0.5 * np.diff(r) * (force[1:] + force[:-1])
    gaps: FloatArray = np.abs(np.diff(energy) - work)
    return gaps
