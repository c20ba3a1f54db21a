"""Labels that are placeholders or copies: zeros, repeated forces, too few digits."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from trimpot.data.checks.findings import LEAVE_OUT, Finding, option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trimpot.contract import FloatArray
    from trimpot.data.frames import Frame

_SEVERAL = 8
_CORNER = 0.55  # of the lattice vectors; 1 bohr is 0.53 A
_MOVED = 0.01  # A beyond which geometries cannot share their forces
_DISTINCT = 6
_FEWEST_EQUAL = 4
_STEP_PER_ATOM = 5e-4  # eV/atom that the last digit of energies may count
_FORCE_STEP = 5e-3  # eV/A
_ROUNDED = 10
_LARGEST_POSITIVE = 100.0  # eV/atom


def value_findings(frames: Sequence[Frame], asymmetric: Sequence[bool]) -> list[Finding]:
    """Return findings about single labels.

    ``asymmetric`` says of each frame whether some atom must feel a force by symmetry.
    """
    return [
        *_zero_energies(frames),
        *_zero_forces(frames, asymmetric),
        *_zero_stresses(frames),
        *_constant_energies(frames),
        *_repeated_forces(frames),
        *_coarse(frames),
        *_high(frames),
    ]


def _zero_energies(frames: Sequence[Frame]) -> list[Finding]:
    sources = tuple(f.source for f in frames if f.energy == 0.0 and len(f) > 1)
    if not sources:
        return []
    return [
        Finding(
            "energy-zero",
            "error",
            "energies are exactly 0",
            f"{len(sources)} frames with several atoms have the energy 0: a placeholder",
            "delete the energy of these frames (frames may lack labels); " + LEAVE_OUT,
            sources,
            leave_out=True,
        )
    ]


def _zero_forces(frames: Sequence[Frame], asymmetric: Sequence[bool]) -> list[Finding]:
    sources = tuple(
        f.source
        for f, odd in zip(frames, asymmetric, strict=True)
        if odd and f.forces is not None and len(f) > 1 and not f.forces.any()
    )
    if not sources:
        return []
    zero = [f for f in frames if f.source in set(sources)]
    if not any(f.structure.cell.any() for f in zero):
        return [
            Finding(
                "cell-missing",
                "error",
                "frames without Lattice have forces of exactly 0, as atoms of crystals do",
                f"{len(sources)} frames: their Lattice, or their forces, were not written",
                "add the Lattice if they are periodic; if not, delete the forces",
                sources,
            )
        ]
    loose = all(_in_a_corner(f) for f in zero)
    return [
        Finding(
            "forces-zero",
            "error",
            "all forces are exactly 0 where symmetry does not make them 0"
            + (", and atoms fill a corner of the cell" if loose else ""),
            f"{len(sources)} frames: the forces were not computed, or not written"
            + ("; or a Lattice in bohr stands beside positions in A" if loose else ""),
            ("check the unit of the Lattice; " if loose else "")
            + "delete their forces (frames may lack labels); "
            + LEAVE_OUT,
            sources,
            leave_out=True,
        )
    ]


def _in_a_corner(frame: Frame) -> bool:
    """Whether atoms of a crystal fill little of each lattice vector."""
    structure = frame.structure
    if not structure.pbc.all() or len(frame) < _SEVERAL:
        return False
    scaled = structure.positions @ np.linalg.inv(structure.cell)
    return bool((np.ptp(scaled, axis=0) < _CORNER).all())


def _zero_stresses(frames: Sequence[Frame]) -> list[Finding]:
    sources = tuple(
        f.source
        for f in frames
        if f.stress is not None and len(f) > 1 and not f.stress.any()
    )
    if not sources:
        return []
    return [
        Finding(
            "stress-zero",
            "error",
            "stresses are exactly 0",
            f"{len(sources)} frames: all six components are 0, a placeholder",
            "delete the stress of these frames, or leave all stresses out of the fit: "
            "`--set fit.stress_weight=0`; " + LEAVE_OUT,
            sources,
            leave_out=True,
        )
    ]


def _constant_energies(frames: Sequence[Frame]) -> list[Finding]:
    """Return groups of equal atoms whose geometries all have one energy."""
    groups: dict[bytes, list[Frame]] = defaultdict(list)
    for f in frames:
        if f.energy not in (None, 0.0) and len(f) > 1:
            groups[np.sort(f.structure.numbers).tobytes()].append(f)
    sources: list[str] = []
    for members in groups.values():
        if len(members) < _FEWEST_EQUAL or len({f.energy for f in members}) > 1:
            continue
        geometries = {f.structure.positions.round(3).tobytes() for f in members}
        geometries |= {f.structure.cell.round(3).tobytes() for f in members}
        if len(geometries) > _FEWEST_EQUAL:
            sources += [f.source for f in members]
    if not sources:
        return []
    return [
        Finding(
            "energy-constant",
            "error",
            "different geometries of the same atoms have one and the same energy",
            f"{len(sources)} frames, energy of the first of them repeated",
            "write the energies again from the calculations; " + LEAVE_OUT,
            tuple(sources),
            leave_out=True,
        )
    ]


def _repeated_forces(frames: Sequence[Frame]) -> list[Finding]:
    """Return frames that have the forces of another frame, but not its geometry."""
    first: dict[bytes, Frame] = {}
    sources = []
    for f in frames:
        if f.forces is None or len(f) < 2 or not float(np.abs(f.forces).max()) > 0.01:
            continue
        if len(np.unique(np.abs(f.forces))) < _DISTINCT:  # may agree by chance
            continue
        digest = hashlib.blake2b(f.forces.tobytes(), digest_size=16).digest()
        other = first.setdefault(digest, f)
        if other is not f and _differs(other, f):
            sources.append(f.source)
    if not sources:
        return []
    return [
        Finding(
            "forces-repeated",
            "error",
            "forces are copies of those of another frame",
            f"{len(sources)} frames have the same forces to the last digit as a frame "
            f"whose atoms stand elsewhere (by more than {_MOVED} A)",
            "write the forces again from the calculations; " + LEAVE_OUT,
            tuple(sources),
            leave_out=True,
        )
    ]


def _differs(a: Frame, b: Frame) -> bool:
    """Whether two frames differ by more than rounding, shifts or whole periods."""
    cells = float(np.abs(a.structure.cell - b.structure.cell).max())
    if cells > _MOVED or len(a) != len(b):
        return True
    moves = b.structure.positions - a.structure.positions
    moves = moves - moves[0]
    if a.structure.pbc.all() and a.structure.volume > 0.0:
        fractional = moves @ np.linalg.inv(a.structure.cell)
        moves = (fractional - np.round(fractional)) @ a.structure.cell
    return float(np.abs(moves).max()) > _MOVED


def _coarse(frames: Sequence[Frame]) -> list[Finding]:
    """Return energies or forces that were rounded too much."""
    findings = []
    labelled = [f for f in frames if f.energy is not None and len(f) > 0]
    energies = np.array([f.energy for f in labelled], dtype=np.float64)
    if len(labelled) >= _ROUNDED:
        per_atom = _step(energies) / float(np.median([len(f) for f in labelled]))
        if per_atom > _STEP_PER_ATOM:
            findings.append(
                _rounded("energy-digits", "energies", f"{1e3 * per_atom:.2g} meV/atom")
            )
    forces = [f.forces.ravel() for f in frames[:200] if f.forces is not None]
    if len(forces) >= _ROUNDED and (step := _step(np.concatenate(forces))) > _FORCE_STEP:
        findings.append(_rounded("force-digits", "forces", f"{step:g} eV/A"))
    return findings


def _rounded(code: str, what: str, step: str) -> Finding:
    return Finding(
        code,
        "warning",
        f"{what} have too few digits",
        f"all are multiples of a step that amounts to {step}",
        f"write the {what} again with more digits; errors below this step are noise",
    )


def _step(values: FloatArray) -> float:
    """Return the largest power of ten that all values are multiples of, or of float32."""
    if not values.any():
        return 0.0
    single = values.astype(np.float32).astype(np.float64)
    if np.array_equal(single, values) and not np.array_equal(values, np.round(values, 3)):
        return float(np.spacing(np.float32(np.abs(values).max())))
    for digits in range(8):
        if np.allclose(values, np.round(values, digits), rtol=0.0, atol=1e-9):
            return float(10.0**-digits)
    return 0.0


def _high(frames: Sequence[Frame]) -> list[Finding]:
    sources = tuple(
        f.source
        for f in frames
        if f.energy is not None and f.energy > _LARGEST_POSITIVE * len(f)
    )
    if not sources:
        return []
    return [
        Finding(
            "energy-positive",
            "warning",
            f"energies above {_LARGEST_POSITIVE:g} eV per atom",
            f"{len(sources)} frames: bound atoms have negative energies",
            "check sign and unit: " + option("rules.energy_unit=UNIT") + "; " + LEAVE_OUT,
            sources,
        )
    ]
