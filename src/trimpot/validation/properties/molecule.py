"""A molecule in motion: does it stay together, and are its bonds as long as they should be.

The sign of a break is that of Fu et al., "Forces are not Enough", TMLR 2023: a bond that
is 0.5 A longer or shorter than at rest.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from trimpot.errors import InputError
from trimpot.validation.properties.bonds import (
    BondJudge,
    BondLengths,
    bonds_of,
    difference,
    edges_of,
    histograms,
)
from trimpot.validation.properties.case import silent
from trimpot.validation.properties.frame_files import frames_of
from trimpot.validation.properties.judges import Limits, Nearest, Temperature
from trimpot.validation.properties.outcome import Curve, Outcome, Value, guarded
from trimpot.validation.properties.relaxing import energy_per_atom
from trimpot.validation.properties.several_runs import check_positive, steps_of
from trimpot.validation.properties.stress_results import (
    closest,
    counted,
    failure_of,
    notes_of,
)
from trimpot.validation.properties.watching import (
    LOOK,
    check_time,
    quiet_settings,
    time_step_fs,
    watched,
)
from trimpot.validation.subjects import moving_potential

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ase import Atoms

    from trimpot.contract import FloatArray
    from trimpot.engines.md_settings import MdSettings
    from trimpot.validation.properties.bonds import Bonds
    from trimpot.validation.properties.case import Case, Phase, Report
    from trimpot.validation.properties.watching import WatchedRun
    from trimpot.validation.subjects import Subject

VERSION = 1

TAKES = ("molecule",)

MOST_REFERENCES = 2000
"""Reference frames that are read."""

SETTLED = 0.1
"""Share of a run before bond lengths are collected."""


@dataclass(frozen=True)
class MoleculeLimits(Limits):
    """``Limits`` of a molecule: a reaction may heat it more than a crystal."""

    hottest: float = 10.0


@dataclass(frozen=True)
class Settings:
    """Temperatures, length, and what ends a run.

    Attributes
    ----------
    temperatures : tuple of float
        Of the Langevin thermostat, K; the last is that of the reference frames.
    picoseconds : float
        Length of a run.
    runs : int
        Runs at each temperature, with seeds from 0 on.
    change : float
        Change of a bond (A) at which the molecule has broken.
    reference : str or None
        A file with frames of the molecule in motion, atoms in the same order, such as MD
        with the reference method. From the working folder.
    timestep_fs : float or None
        None: at most 0.5 fs, shorter for light atoms.
    friction_per_ps : float
        Of the thermostat.
    limits : MoleculeLimits
        What ends a run besides.
    """

    temperatures: tuple[float, ...] = (300.0, 500.0)
    picoseconds: float = 5.0
    runs: int = 3
    change: float = 0.5
    reference: str | None = None
    timestep_fs: float | None = None
    friction_per_ps: float = 5.0
    limits: MoleculeLimits = field(default_factory=MoleculeLimits)


def check(phase: Phase, settings: Settings) -> None:
    """Refuse runs without length or temperature, and references of something else.

    Raises
    ------
    InputError
        If there are such.
    """
    if not settings.temperatures:
        raise InputError("molecule: found no temperatures, expected at least one in K")
    check_positive(
        "molecule",
        runs=settings.runs,
        picoseconds=settings.picoseconds,
        temperatures=min(settings.temperatures),
        change=settings.change,
    )
    _references(phase.conventional(), settings)


@guarded
def measure(
    subject: Subject, case: Case, settings: Settings, report: Report = silent
) -> Outcome:
    """Run the molecule at each temperature, several times.

    Bonds are pairs nearer than 1.25 times the sum of covalent radii in the given structure;
    their lengths at rest are those given, or means over the reference frames.

    Values: ``runs``, ``stable_runs``, ``survived``, ``stable_ps`` (mean over runs);
    ``largest_bond_change`` (A); ``closest`` (A); ``extrapolated``, the share of looks at
    which an atom was beyond the training data; ``bond_error``, where there is a reference:
    the integral of |p - q| over densities of bond lengths, mean over kinds of bonds, from 0
    (the same) to 2. Curves: ``bonds_A-B`` at the last temperature, with a second column of
    the reference.
    """
    check(case.phase, settings)
    start = case.phase.conventional()
    energy_per_atom(start, subject.calculator())  # what cannot be evaluated is no break
    bonds = bonds_of(start)
    references = [bonds.of(frame) for frame in _references(start, settings)]
    if references:
        bonds = replace(bonds, lengths=np.mean(references, axis=0))
    found = _Found([], [], [], [])
    every = [(t, seed) for t in settings.temperatures for seed in range(settings.runs)]
    steps = len(every) * _dynamics(start, settings, settings.temperatures[0], 0).steps
    check_time(moving_potential(subject), start, steps, settings.limits)
    for temperature, seed in every:
        dynamics = _dynamics(start, settings, temperature, seed)
        _add_run(found, subject, start, bonds, settings, dynamics)
        report(len(found.runs) / len(every))
    values = counted(found.runs) | closest(found.nearest)
    change = max(judge.found for judge in found.judges)
    values["largest_bond_change"] = Value(change, "A")
    curves, error = _distributions(bonds, found, settings, references)
    if error is not None:
        values["bond_error"] = Value(error, "")
    places = dict(zip(map(id, found.runs), (t for t, _ in every), strict=True))

    def place(run: WatchedRun) -> str:
        return f"{places[id(run)]:,.0f} K"

    told = (f"{len(bonds.names)} bonds, {dynamics.timestep_fs:.3g} fs",)
    notes = (*told, *notes_of(found.runs, place))
    failure = failure_of(found.runs, place)
    return Outcome(values, curves, asdict(settings), notes, failure, ())


@dataclass
class _Found:
    """Runs, and what was collected in each."""

    runs: list[WatchedRun]
    nearest: list[Nearest]
    judges: list[BondJudge]
    lengths: list[BondLengths]


def _add_run(
    found: _Found,
    subject: Subject,
    start: Atoms,
    bonds: Bonds,
    settings: Settings,
    dynamics: MdSettings,
) -> None:
    temperature = dynamics.temperature_k or 0.0
    found.nearest.append(Nearest(settings.limits))
    found.judges.append(BondJudge(bonds, settings.change))
    found.lengths.append(BondLengths(bonds, LOOK))
    judges = (
        found.nearest[-1],
        found.judges[-1],
        Temperature(settings.limits, lambda _: temperature),
    )
    outputs = (found.lengths[-1],)
    potential = moving_potential(subject)
    found.runs.append(watched(potential, start, dynamics, judges, outputs))


def _dynamics(
    start: Atoms, settings: Settings, temperature: float, seed: int
) -> MdSettings:
    hottest = max(settings.temperatures)
    timestep = settings.timestep_fs or min(0.5, time_step_fs(start, hottest))
    return quiet_settings(
        ensemble="langevin",
        temperature_k=temperature,
        timestep_fs=timestep,
        steps=steps_of(settings.picoseconds, timestep),
        friction_per_ps=settings.friction_per_ps,
        seed=seed,
    )


def _references(start: Atoms, settings: Settings) -> list[Atoms]:
    if settings.reference is None:
        return []
    frames = frames_of(settings.reference, "molecule: reference", MOST_REFERENCES)
    if any(not np.array_equal(frame.numbers, start.numbers) for frame in frames):
        raise InputError(
            f"molecule: reference: {settings.reference} has frames with other atoms than "
            f"the phase ({start.get_chemical_formula()}), expected the same in the same "
            "order"
        )
    return frames


def _distributions(
    bonds: Bonds, found: _Found, settings: Settings, references: Sequence[FloatArray]
) -> tuple[dict[str, Curve], float | None]:
    """Return curves of the last temperature, and their distance from the reference."""
    lengths = []
    for one in found.lengths[-settings.runs :]:
        lengths += one.collected[round(SETTLED * len(one.collected)) :]
    if not lengths:
        return {}, None
    edges = edges_of(bonds, [*lengths, *references])
    ours = histograms(bonds, lengths, edges)
    theirs = histograms(bonds, references, edges) if references else {}
    curves = {}
    for kind, mine in ours.items():
        density = mine.density
        if references:
            density = np.stack([density, theirs[kind].density], axis=1)
        curves[f"bonds_{kind}"] = Curve(
            mine.middles, density, "bond length (A)", "density (1/A)"
        )
    return curves, difference(ours, theirs) if references else None
