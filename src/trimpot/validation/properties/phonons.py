"""Phonons by finite displacements (phonopy): bands, density of states, reference points."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from ase import Atoms
from threadpoolctl import threadpool_limits

from trimpot.errors import InputError, MissingPartError
from trimpot.validation.properties.case import silent
from trimpot.validation.properties.outcome import Curve, Outcome, Value, guarded

if TYPE_CHECKING:
    from ase.calculators.calculator import Calculator

    from trimpot.contract import FloatArray
    from trimpot.validation.properties.case import Case, Phase, Report
    from trimpot.validation.subjects import Subject

VERSION = 1

POINTS = {
    "bcc": {
        "G": (0, 0, 0),
        "H": (0.5, -0.5, 0.5),
        "P": (0.25, 0.25, 0.25),
        "N": (0, 0, 0.5),
    },
    "fcc": {"G": (0, 0, 0), "X": (0.5, 0, 0.5), "U": (0.625, 0.25, 0.625)}
    | {"K": (0.375, 0.375, 0.75), "L": (0.5, 0.5, 0.5), "W": (0.5, 0.25, 0.75)},
    "sc": {"G": (0, 0, 0), "X": (0, 0.5, 0), "M": (0.5, 0.5, 0), "R": (0.5, 0.5, 0.5)},
    "hcp": {"G": (0, 0, 0), "M": (0.5, 0, 0), "K": (1 / 3, 1 / 3, 0), "A": (0, 0, 0.5)}
    | {"L": (0.5, 0, 0.5), "H": (1 / 3, 1 / 3, 0.5)},
}
"""Points of high symmetry in units of the primitive reciprocal vectors.

References
----------
Y. Hinuma et al., Comput. Mater. Sci. 128, 140 (2017), 10.1016/j.commatsci.2016.10.015
"""

PATHS = {
    "bcc": "G-H-N-G-P-H,P-N",
    "fcc": "G-X-U,K-G-L-W-X",
    "sc": "G-X-M-G-R-X,R-M",
    "hcp": "G-M-K-G-A-L-H-A,L-M,H-K",
}

SAME_AS = {"diamond": "fcc", "zincblende": "fcc", "rocksalt": "fcc", "cesiumchloride": "sc"}

INSTALL = "pip install 'trimpot[phonopy]'"


@dataclass(frozen=True)
class ReferencePoint:
    """Frequencies that are known at one point of a path.

    Attributes
    ----------
    segment : int
        Segment of the path, from 0.
    at : float
        Share of the segment.
    frequencies : tuple of float
        THz.
    """

    segment: int
    at: float
    frequencies: tuple[float, ...]


@dataclass(frozen=True)
class Settings:
    """Supercell, displacement, path, mesh, reference.

    Attributes
    ----------
    repeat : tuple of int
        Primitive cells along each vector; (4, 4, 4) in the published tungsten protocol.
    displacement : float
        Angstrom; 0.05 in the published tungsten protocol.
    path : str or None
        Such as "G-H-N-G-P-H,P-N"; None: the usual one of the lattice.
    points : int
        Points per segment.
    mesh : int
        Points along each reciprocal vector for the density of states.
    imaginary : float
        Frequencies below its negative, THz, are imaginary modes.
    reference : tuple of ReferencePoint
        Known frequencies.
    """

    repeat: tuple[int, int, int] = (4, 4, 4)
    displacement: float = 0.05
    path: str | None = None
    points: int = 41
    mesh: int = 24
    imaginary: float = 0.05
    reference: tuple[ReferencePoint, ...] = ()


class Segment(NamedTuple):
    """A straight part of a path: names and fractional coordinates of its ends."""

    names: tuple[str, str]
    ends: tuple[FloatArray, FloatArray]


@guarded
def measure(
    subject: Subject, case: Case, settings: Settings, report: Report = silent
) -> Outcome:
    """Return phonons of the primitive cell at the lattice constant of the need ``lattice``.

    Values (THz): ``highest`` and ``lowest`` frequency on path and mesh, ``rmse`` over all
    sorted frequencies of the reference points. Curves: ``bands``, ``density`` of states,
    ``reference``. Imaginary frequencies are negative; one below ``-imaginary`` is a
    failure.

    Raises
    ------
    InputError
        If path or reference do not fit the lattice.
    MissingPartError
        If phonopy is not installed.
    """
    check(case.phase, settings)
    path = path_of(case.phase.lattice, settings.path)
    phonon = _phonon(case.phase.primitive(case.a0), subject.calculator(), settings, report)
    with threadpool_limits(1):
        bands = _bands(phonon, path, settings.points)
        curves = {"bands": bands, "density": _density(phonon, settings.mesh)}
        lowest = min(float(bands.y.min()), float(phonon.mesh.frequencies.min()))
        values = {
            "highest": Value(float(phonon.mesh.frequencies.max()), "THz"),
            "lowest": Value(lowest, "THz"),
        }
        if settings.reference:
            rmse, curve = _compared(phonon, path, bands, settings.reference)
            values["rmse"], curves["reference"] = Value(rmse, "THz"), curve
    failure = None
    if lowest < -settings.imaginary:
        failure = f"imaginary modes: the lowest frequency is {lowest:.2f} THz"
    notes = (f"supercell {'x'.join(map(str, settings.repeat))} of the primitive cell",)
    plain = asdict(settings) | {"path": settings.path or _usual(case.phase.lattice)}
    return Outcome(values, curves, plain, notes, failure)


def check(phase: Phase, settings: Settings) -> None:
    """Raise ``InputError`` unless path and reference fit the lattice."""
    _check_reference(settings, len(path_of(phase.lattice, settings.path)))


def path_of(lattice: str, path: str | None) -> list[Segment]:
    """Return the segments of a path.

    Raises
    ------
    InputError
        If the lattice has no known points, or not those of the path.
    """
    known = POINTS.get(SAME_AS.get(lattice, lattice))
    if known is None:
        raise InputError(
            "phonons: points of high symmetry are known for "
            f"{', '.join([*POINTS, *SAME_AS])}, found the lattice {lattice}; name the "
            "lattice of the phase"
        )
    segments = []
    for part in (path or _usual(lattice)).split(","):
        names = part.strip().split("-")
        unknown = [name for name in names if name not in known]
        if unknown or len(names) < 2:
            raise InputError(
                f"phonons: found {part.strip()!r} in the path, expected points "
                f"{', '.join(known)} joined by -, parts by a comma"
            )
        for start, stop in pairwise(names):
            ends = np.array(known[start], float), np.array(known[stop], float)
            segments.append(Segment((start, stop), ends))
    return segments


def _usual(lattice: str) -> str:
    return PATHS.get(SAME_AS.get(lattice, lattice), "")


def _check_reference(settings: Settings, n_segments: int) -> None:
    for point in settings.reference:
        if not (0 <= point.segment < n_segments and 0.0 <= point.at <= 1.0):
            raise InputError(
                f"phonons: found the reference point {point.at} of segment "
                f"{point.segment}, expected a share in [0, 1] of segments 0 to "
                f"{n_segments - 1}"
            )


def _phonon(
    primitive: Atoms, calculator: Calculator, settings: Settings, report: Report
) -> Any:  # noqa: ANN401 - phonopy has no types where it is not installed
    """Return phonopy's object with force constants, symmetrised."""
    try:
        from phonopy import Phonopy
        from phonopy.structure.atoms import PhonopyAtoms
    except ImportError as error:
        raise MissingPartError(f"phonons need phonopy ({error}); {INSTALL}") from error
    cell = PhonopyAtoms(
        numbers=primitive.numbers,
        cell=primitive.cell.array,
        scaled_positions=primitive.get_scaled_positions(),
    )
    phonon = Phonopy(
        cell, supercell_matrix=np.diag(settings.repeat), primitive_matrix=np.eye(3)
    )
    phonon.generate_displacements(distance=settings.displacement)
    supercells = phonon.supercells_with_displacements
    forces = []
    for k, moved in enumerate(supercells):
        atoms = Atoms(
            numbers=moved.numbers,
            positions=moved.positions,
            cell=moved.cell,
            pbc=True,
            calculator=calculator,
        )
        forces.append(atoms.get_forces())
        report(0.8 * (k + 1) / len(supercells))
    phonon.forces = np.array(forces)
    phonon.produce_force_constants()
    phonon.symmetrize_force_constants()
    return phonon


def _frequencies(phonon: Any, q_points: FloatArray) -> FloatArray:  # noqa: ANN401
    """Return sorted frequencies (n, modes) in THz at fractional points (n, 3)."""
    phonon.run_qpoints(q_points)
    return np.sort(np.array(phonon.qpoints.frequencies), axis=1)


def _bands(phonon: Any, path: list[Segment], points: int) -> Curve:  # noqa: ANN401
    reciprocal = np.linalg.inv(np.asarray(phonon.primitive.cell)).T
    share = np.linspace(0.0, 1.0, points)[:, None]
    x, y, marks, before = [], [], [], 0.0
    for names, (start, stop) in path:
        length = float(np.linalg.norm((stop - start) @ reciprocal))
        y.append(_frequencies(phonon, start + share * (stop - start)))
        x.append(before + share[:, 0] * length)
        marks += [(before, names[0]), (before + length, names[1])]
        before += length
    return Curve(
        np.concatenate(x),
        np.concatenate(y),
        "wave vector (1/A)",
        "frequency (THz)",
        _joined(marks),
    )


def _joined(marks: list[tuple[float, str]]) -> tuple[tuple[float, str], ...]:
    """Return one mark per place; two names where a path breaks."""
    joined: list[tuple[float, str]] = []
    for place, name in marks:
        if joined and abs(joined[-1][0] - place) < 1e-9:
            if joined[-1][1] != name:
                joined[-1] = (place, f"{joined[-1][1]}|{name}")
        else:
            joined.append((place, name))
    return tuple(joined)


def _density(phonon: Any, mesh: int) -> Curve:  # noqa: ANN401
    phonon.run_mesh([mesh] * 3, is_gamma_center=True)
    phonon.run_total_dos()
    found = phonon.total_dos
    return Curve(
        np.array(found.frequency_points),
        np.array(found.dos),
        "frequency (THz)",
        "density of states (1/THz)",
    )


def _compared(
    phonon: Any,  # noqa: ANN401
    path: list[Segment],
    bands: Curve,
    reference: tuple[ReferencePoint, ...],
) -> tuple[float, Curve]:
    """Return the RMSE over reference points, THz, and these as a curve over the path."""
    ends = [path[p.segment].ends for p in reference]
    q = np.array([a + p.at * (b - a) for p, (a, b) in zip(reference, ends, strict=True)])
    expected = np.sort(np.array([p.frequencies for p in reference]), axis=1)
    found = _frequencies(phonon, q)
    if expected.shape != found.shape:
        raise InputError(
            f"phonons: reference points have {expected.shape[1]} frequencies, expected "
            f"{found.shape[1]}, three per atom of the primitive cell"
        )
    per_segment = bands.x.reshape(len(path), -1)
    x = [
        per_segment[p.segment, 0]
        + p.at * (per_segment[p.segment, -1] - per_segment[p.segment, 0])
        for p in reference
    ]
    rmse = float(np.sqrt(np.mean((found - expected) ** 2)))
    return rmse, Curve(np.array(x), expected, bands.x_name, bands.y_name)
