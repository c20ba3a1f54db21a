"""One comparison: a potential and its rivals on one structure."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING

from trimpot.benchmarks.floors import Floor, Peaks, floor
from trimpot.benchmarks.parts import Counts, counts, shares
from trimpot.benchmarks.running import RunSettings
from trimpot.benchmarks.subjects import Measurement, Ours, interleaved
from trimpot.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from trimpot.benchmarks.starting import Start
    from trimpot.benchmarks.subjects import Subject
    from trimpot.contract import Potential

SHARE_REPEATS = 3
"""Repeats of the runs that tell the share of each part, at most."""

FEWEST_FOR_MEMORY = 10_000
"""Atoms below which what a process held before hides what the atoms add."""


@dataclass(frozen=True)
class Case:
    """What was measured on one structure.

    Attributes
    ----------
    title : str
        The model, for people.
    structure : str
        What it ran on, for people.
    atoms, threads : int
        Size, and threads of every subject; 0 where they differ.
    counts : Counts
        Neighbours and triplets per atom.
    measurements : tuple of Measurement
        Trimpot first, then rivals.
    reference : str
        The subject that ratios refer to: the last of Trimpot's own.
    shares : mapping
        us/atom/step of each part, by the name of the subject.
    floors : mapping
        By the name of the subject.
    memory : mapping
        Bytes per atom of large structures, by the name of the subject: what the first
        force calls add to a fresh process; for LAMMPS what it says it allocated.
    """

    title: str
    structure: str
    atoms: int
    threads: int
    counts: Counts
    measurements: tuple[Measurement, ...]
    reference: str
    shares: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    floors: Mapping[str, Floor] = field(default_factory=dict)
    memory: Mapping[str, float] = field(default_factory=dict)

    def measurement(self, name: str) -> Measurement:
        """Return the runs of a subject."""
        return next(m for m in self.measurements if m.name == name)

    def energy_differences(self) -> dict[str, float]:
        """Return how far subjects of the same potential are from the first, eV/atom."""
        first, *others = [m for m in self.measurements if m.same_potential]
        start = first.runs[0].first_energy
        return {m.name: (m.runs[0].first_energy - start) / self.atoms for m in others}

    def to_dict(self) -> dict[str, object]:
        """Return plain values, with the spreads that tables show."""
        plain = asdict(self)
        plain["energy_differences"] = self.energy_differences()
        reference = self.measurement(self.reference)
        for m, row in zip(self.measurements, plain["measurements"], strict=True):
            row["us_per_atom_step"] = asdict(m.microseconds(self.atoms))
            row["ratio"] = asdict(m.ratio(reference))
        return plain


def measure_case(
    title: str,
    potential: Potential,
    start: Start,
    subjects: Sequence[Subject],
    settings: RunSettings,
    *,
    peaks: Peaks | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Case:
    """Return the interleaved runs of all subjects, and what explains the own ones.

    Parameters
    ----------
    title
        The model, for people.
    potential
        What the subjects of Trimpot evaluate; counted and taken apart.
    start
        The state from which every run starts.
    subjects
        Subjects of Trimpot first; the last of them is the reference of ratios.
    settings
        Steps, repeats, skin, time step.
    peaks
        Of this machine; without them there are no floors.
    progress
        Told how many runs are done, and of how many.
    """
    state = start.state
    measurements = interleaved(subjects, state, settings, progress=progress)
    own = [m.name for m in measurements if m.ours]
    if not own:
        raise InputError("a comparison needs at least one subject of Trimpot")
    here = [s for s in subjects if isinstance(s, Ours) and s.potential is potential]
    counted = counts(potential, state.structure, settings.skin)
    fewer = replace(settings, repeats=min(SHARE_REPEATS, settings.repeats))
    floors = {s.name: floor(counted, peaks, s.precision) for s in here if peaks is not None}
    return Case(
        title=title,
        structure=start.description,
        atoms=len(state),
        threads=max([1, *(s.threads for s in here)]),
        counts=counted,
        measurements=measurements,
        reference=own[-1],
        shares={
            s.name: shares(
                potential, state, fewer, precision=s.precision, threads=s.threads
            )
            for s in here
        },
        floors={name: found for name, found in floors.items() if found is not None},
        memory=_memory(measurements, len(state)),
    )


def with_memory(case: Case, runs: Sequence[Measurement]) -> Case:
    """Return a case with the memory of runs in fresh processes added."""
    return replace(case, memory={**_memory(runs, case.atoms), **case.memory})


def _memory(measurements: Sequence[Measurement], n_atoms: int) -> dict[str, float]:
    found = {}
    for m in measurements:
        known = [run.memory for run in m.runs if run.memory is not None]
        if known and n_atoms >= FEWEST_FOR_MEMORY:
            found[m.name] = max(known) / n_atoms
    return found
