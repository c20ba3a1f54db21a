"""Dimers, trimers and a crystal, squeezed and stretched."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from trimpot.validation.checks.samples import STRETCHES
from trimpot.validation.checks.verdict import Family, Measured, Spec, worst
from trimpot.validation.scaling_scans import check_compression, check_expansion, scaled_scan
from trimpot.validation.scans import (
    TRIMER_ANGLES_DEGREES,
    check_repulsion,
    dimer_scan,
    trimer_scan,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trimpot.contract import FloatArray
    from trimpot.validation.checks.judged import Judged
    from trimpot.validation.checks.verdict import Found
    from trimpot.validation.scans import Scan

START, STEP = 0.2, 0.02
"""Of bond lengths, angstrom."""

SMALL_FORCE = 0.01
"""eV/A below which a sign does not count."""

SMALLEST_SCALE, LARGEST_SCALE = 0.3, 1.6


def dimers(judged: Judged) -> Mapping[str, Found]:
    """Scan every pair of species."""
    scans = _dimers(judged)
    return {
        "dimer-repulsion": worst([_repelling(scan, below) for scan, below in scans]),
        "dimer-force-flips": worst([_flips(scan, below) for scan, below in scans]),
    }


def trimers(judged: Judged) -> Mapping[str, Found]:
    """Scan trios of species in three geometries."""
    scans = _trimers(judged)
    return {
        "trimer-repulsion": worst([_repelling(scan, below) for scan, below in scans]),
        "trimer-force-flips": worst([_flips(scan, below) for scan, below in scans]),
    }


def _lengths(judged: Judged) -> FloatArray:
    return np.arange(START, judged.potential.cutoff + STEP, STEP)


def _dimers(judged: Judged) -> list[tuple[Scan, float]]:
    r = _lengths(judged)
    return [
        (dimer_scan(judged.potential, a, b, r), judged.known.shortest_of(a, b))
        for a, b in judged.pairs
    ]


def _trimers(judged: Judged) -> list[tuple[Scan, float]]:
    r, scans = _lengths(judged), []
    for trio in judged.trios:
        centre, a, b = trio
        ends = ((centre, a), (centre, b), (a, b))
        below = min(judged.known.shortest_of(*pair) for pair in ends)
        for geometry in TRIMER_ANGLES_DEGREES:
            scan = trimer_scan(judged.potential, trio, r, geometry=geometry)
            scans.append((scan, below))
    return scans


def _repelling(scan: Scan, below: float) -> Measured:
    check = check_repulsion(scan, max(below, scan.r[1] + 1e-9))
    return Measured(check.value, f"{scan.name} {check.detail}")


def _flips(scan: Scan, below: float) -> Measured:
    """Signs within the data beyond one turn from repulsion to attraction."""
    within = (scan.r >= below) & (np.abs(scan.force) > SMALL_FORCE)
    signs, r = np.sign(scan.force[within]), scan.r[within]
    places = [b for (s, _), (t, b) in pairwise(zip(signs, r, strict=True)) if s != t]
    where = ", ".join(f"{place:.2f}" for place in places[:4])
    detail = f"{scan.name}, signs change at {where} A" if places else scan.name
    return Measured(float(max(0, len(places) - 1)), detail)


def crystal(judged: Judged) -> Mapping[str, Found]:
    """Scale the lengths of the rattled crystal around those at rest."""
    low = max(SMALLEST_SCALE, 0.5 / judged.samples.nearest)
    scale = np.arange(low, LARGEST_SCALE, 0.02)
    scan = scaled_scan(judged.potential, judged.samples.crystal, scale, name="crystal")
    start = scan.lowest(float(STRETCHES[0]), float(STRETCHES[-1]))
    compression, expansion = check_compression(scan, start), check_expansion(scan, start)
    return {
        "compression": Measured(compression.value, compression.detail),
        "expansion": Measured(expansion.value, expansion.detail),
    }


DIMERS = (
    Spec(
        "dimer-repulsion",
        "dimers below the data that attract, or repel less than farther out",
        "points",
        0.0,
        "Two atoms that come closer than in the data fall onto each other: hot or dense "
        "dynamics collapses.",
    ),
    Spec(
        "dimer-force-flips",
        "changes of sign of a dimer's force within the data, beyond one",
        "",
        1.0,
        "A dimer has several minima: the curve follows noise, or data of dimers are "
        "missing.",
        mandatory=False,
    ),
)

TRIMERS = (
    Spec(
        "trimer-repulsion",
        "trimers below the data that attract, or repel less than farther out",
        "points",
        0.0,
        "Three atoms that come closer than in the data fall onto each other: the many-body "
        "part overrules the repulsion.",
    ),
    Spec(
        "trimer-force-flips",
        "changes of sign of a trimer's force within the data, beyond one",
        "",
        2.0,
        "A trimer has several minima: the curve follows noise, or data of small clusters "
        "are missing.",
        mandatory=False,
    ),
)

CRYSTAL = (
    Spec(
        "compression",
        "fall of the energy of a crystal on the way in",
        "eV/atom",
        0.05,
        "A compressed crystal has a state of lower energy at unphysical density, into "
        "which dynamics at high pressure falls.",
        mandatory=False,
    ),
    Spec(
        "expansion",
        "fall of the energy of a crystal on the way out",
        "eV/atom",
        0.05,
        "A stretched crystal has a second well: surfaces, voids and vapour are wrong.",
        mandatory=False,
    ),
)

FAMILIES = (
    Family("repulsion", DIMERS, dimers),
    Family("repulsion", TRIMERS, trimers),
    Family("repulsion", CRYSTAL, crystal),
)
"""Made one by one: where dimers fail, trimers may not."""
