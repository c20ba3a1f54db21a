"""Geometries: atoms too close, lengths in another unit, cells that do not fit."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from trimpot.data.checks.findings import LEAVE_OUT, Finding, listed, option
from trimpot.elements import covalent_radius

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trimpot.data.checks.contacts import Contact
    from trimpot.data.frames import Frame
    from trimpot.data.rules import ReadRules

_CLOSE = 0.4  # of the sum of covalent radii; strongly compressed cells reach 0.45
_BOHR = (1.38, 2.6)  # shortest distances over radii where angstrom are taken for bohr
_FAR_TOO_CLOSE = 0.3
_NANOMETRE = (0.06, 0.16)
_DENSE = 3.0  # volume per atom over that of touching spheres, below which a box is full


def geometry_findings(
    frames: Sequence[Frame], contacts: Sequence[Contact], rules: ReadRules
) -> list[Finding]:
    """Return findings about positions and cells."""
    scale = _scale(frames, contacts)
    if scale:
        return scale + _directions(frames, contacts)
    return [
        *_overlaps(frames, contacts, rules),
        *_directions(frames, contacts),
        *_volumes(frames),
    ]


def _scale(frames: Sequence[Frame], contacts: Sequence[Contact]) -> list[Finding]:
    """Return whether all lengths are in another unit, or positions fractional."""
    several = [i for i, f in enumerate(frames) if len(f) > 1]
    if not several:
        return []
    ratios = np.array([contacts[i].ratio for i in several])
    middle = float(np.median(ratios))
    evidence = (
        f"in half of the frames the closest atoms are at most {middle:.3g} times the sum "
        "of their covalent radii apart, expected 0.7 to 1.2"
    )
    if middle < _FAR_TOO_CLOSE and _fractional([frames[i] for i in several]):
        cure = "write Cartesian positions: multiply them by the lattice vectors"
        return [_length("positions-fractional", "positions are fractional", evidence, cure)]
    if _BOHR[0] < middle < _BOHR[1] and len(several) > 2:
        cure = "if they are in bohr: " + option("rules.length_unit=bohr")
        title = "atoms are far apart: lengths seem to be in bohr"
        return [_length("length-unit", title, evidence, cure)]
    if _NANOMETRE[0] < middle < _NANOMETRE[1]:
        cure = "if they are in nm: " + option("rules.length_unit=nm")
        return [_length("length-unit", "lengths seem to be in nm", evidence, cure)]
    return []


def _length(code: str, title: str, evidence: str, cure: str) -> Finding:
    return Finding(code, "error", title, evidence, cure)


def _fractional(frames: Sequence[Frame]) -> bool:
    """Whether all positions lie in a unit cube although the cells are larger."""
    return all(
        float(np.abs(f.structure.positions).max()) <= 1.01
        and float(np.linalg.norm(f.structure.cell, axis=1).min()) > 2.0
        for f in frames
    )


def _overlaps(
    frames: Sequence[Frame], contacts: Sequence[Contact], rules: ReadRules
) -> list[Finding]:
    findings = []
    limit = rules.min_distance
    for code, title, severity, chosen in (
        ("overlap", f"atoms closer than {limit:g} A", "error",
         [i for i, c in enumerate(contacts) if c.distance < limit]),
        ("close-contact", f"atoms closer than {_CLOSE:g} of their covalent radii",
         "warning",
         [i for i, c in enumerate(contacts) if c.ratio < _CLOSE and c.distance >= limit]),
    ):  # fmt: skip
        if not chosen:
            continue
        worst = min(chosen, key=lambda i: contacts[i].distance)
        a, b = contacts[worst].atoms
        findings.append(
            Finding(
                code,
                severity,  # type: ignore[arg-type]
                title,
                f"{frames[worst].source}: atoms {a} and {b} (or an image) are "
                f"{contacts[worst].distance:.3g} A apart; {len(chosen)} such frames",
                LEAVE_OUT
                + ("" if code != "overlap" else "; if it is meant: ")
                + ("" if code != "overlap" else option("rules.min_distance=0")),
                tuple(frames[i].source for i in chosen),
                leave_out=True,
            )
        )
    return findings


def _directions(frames: Sequence[Frame], contacts: Sequence[Contact]) -> list[Finding]:
    """Return frames whose periodic directions do not fit their cell or their siblings."""
    del contacts
    findings = []
    open_boxes = tuple(f.source for f in frames if _full_but_open(f))
    if open_boxes:
        findings.append(
            Finding(
                "pbc-off",
                "error",
                "cells are full of atoms, or have a stress, but no direction is periodic",
                f"{len(open_boxes)} frames have a Lattice and pbc F F F",
                'write pbc="T T T" (or leave pbc out: a Lattice alone means periodic)',
                open_boxes,
            )
        )
    groups: dict[bytes, list[Frame]] = defaultdict(list)
    for f in frames:
        groups[np.sort(f.structure.numbers).tobytes()].append(f)
    odd: list[str] = []
    for members in groups.values():
        bare = [f.source for f in members if not f.structure.cell.any()]
        if bare and len(members) >= 5 and len(bare) <= 0.3 * len(members):
            odd += bare
    if odd:
        findings.append(
            Finding(
                "cell-missing",
                "warning",
                "frames without Lattice among frames of the same atoms with one",
                f"{len(odd)} frames: {listed(tuple(odd))}",
                "add their Lattice; " + LEAVE_OUT,
                tuple(odd),
                leave_out=True,
            )
        )
    return findings


def _spheres(frame: Frame) -> float:
    """Return the volume in A^3 of spheres with the covalent radii of the atoms."""
    radii = np.array([covalent_radius(z) for z in frame.structure.numbers.tolist()])
    return float(4.0 / 3.0 * np.pi * (radii**3).sum())


def _full_but_open(frame: Frame) -> bool:
    structure = frame.structure
    if structure.pbc.any() or structure.volume == 0.0:
        return False
    return frame.stress is not None or structure.volume < _DENSE * _spheres(frame)


def _volumes(frames: Sequence[Frame]) -> list[Finding]:
    """Return cells too small for their atoms, beyond any pressure that is computed."""
    small = tuple(
        f.source
        for f in frames
        if f.structure.pbc.all() and f.structure.volume < 0.12 * _spheres(f)
    )
    if not small:
        return []
    return [
        Finding(
            "volume",
            "error",
            "cells are far too small for their atoms",
            f"{len(small)} frames have less than 0.12 of the volume of covalent spheres",
            "check the unit of the Lattice beside that of the positions; " + LEAVE_OUT,
            small,
            leave_out=True,
        )
    ]
