"""The verb ``bench``: what a potential costs here, beside pair styles of LAMMPS."""

from __future__ import annotations

import tempfile
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from trimpot.benchmarks import RunSettings, measure_case
from trimpot.benchmarks.cases import FEWEST_FOR_MEMORY, with_memory
from trimpot.benchmarks.floors import measure_peaks
from trimpot.benchmarks.rivals import GENERIC, RivalContext, rival, rival_of_file
from trimpot.benchmarks.starting import (
    start_from_crystal,
    start_from_structure,
    timestep_for,
)
from trimpot.benchmarks.subjects import Ours, OursAfresh, interleaved
from trimpot.engines.following import follow
from trimpot.engines.lammps.finding import INSTALL, find_lmp, lammps_facts
from trimpot.errors import InputError
from trimpot.files import load, save
from trimpot.files.uf3 import read_uf3, read_uf3_json
from trimpot.networks.potential import NetworkPotential
from trimpot.splines.potential import SplinePotential
from trimpot.verbs.benchmark_results import BenchResult, write_results
from trimpot.verbs.machine import machine_facts
from trimpot.verbs.watching import Silent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from trimpot.benchmarks.cases import Case
    from trimpot.benchmarks.lammps import LammpsStyle
    from trimpot.benchmarks.starting import Start
    from trimpot.contract import Potential, Precision, Structure
    from trimpot.verbs.watching import Watcher

ATOMS = (2000, 16000)
PRECISIONS: tuple[Precision, ...] = ("double", "mixed")
AUTO, NONE = "auto", "none"


@dataclass(frozen=True)
class Comparison:
    """Beside what a potential is timed, and how.

    Attributes
    ----------
    atoms : tuple of int
        Sizes; a given structure is repeated to at least these.
    threads : tuple of int
        Numbers of threads; LAMMPS gets as many MPI processes.
    precisions : tuple of str
        "double", "mixed"; one that the potential lacks is left out and said.
    rivals : tuple of str
        "auto" (all that need no file and can be made of the potential), "none", or names
        of ``benchmarks.rivals.GENERIC``.
    files : tuple of (str, path)
        Pair styles with their potential files.
    runs : RunSettings or None
        Steps, repeats, skin, time step; None: defaults, the step by the elements.
    """

    atoms: tuple[int, ...] = ATOMS
    threads: tuple[int, ...] = (1,)
    precisions: tuple[Precision, ...] = PRECISIONS
    rivals: tuple[str, ...] = (AUTO,)
    files: tuple[tuple[str, Path], ...] = ()
    runs: RunSettings = field(default_factory=RunSettings)

    def __post_init__(self) -> None:
        """Refuse empty choices and names that no rival has."""
        if not (self.atoms and self.threads and self.precisions):
            raise InputError("give at least one number of atoms, threads and one precision")
        if min(self.atoms) < 1 or min(self.threads) < 1:
            raise InputError(
                f"atoms {self.atoms} and threads {self.threads}: expected at least 1"
            )
        unknown = set(self.rivals) - {AUTO, NONE, *GENERIC}
        if unknown:
            raise InputError(
                f"unknown rivals {', '.join(sorted(unknown))}; choose auto, none or of "
                f"{', '.join(GENERIC)}; styles with a file: --rival STYLE=FILE"
            )


def bench(
    model: str | Path | Potential,
    comparison: Comparison = Comparison(),
    *,
    structure: str | Path | Structure | None = None,
    name: str | None = None,
    output: str | Path | None = None,
    watcher: Watcher = Silent(),  # noqa: B008 - has no state
) -> BenchResult:
    """Return time, memory and floors of a potential's force calls, and of rivals.

    All run at constant energy from the same positions and velocities with the same skin
    and time step, in turn. Without ``lmp`` there are no rivals, which is said.

    Parameters
    ----------
    model
        A potential, or the path of its file (.trimpot; .uf3 and .json of uf3 too).
    comparison
        Sizes, threads, precisions, rivals, runs.
    structure
        A structure or its file; without one a crystal of the elements is built
        (``benchmarks.crystals``) and brought to 300 K.
    name
        Of the model in tables; without one that of its file.
    output
        Folder for results.json, results.md and figures; made if missing.
    watcher
        Told what is left out and how far the work is.

    Raises
    ------
    InputError, FileFormatError
        For files that cannot be used, or a rival that was asked for and cannot run.
    """
    potential = _potential(model)
    if name is None:
        name = Path(model).stem if isinstance(model, str | Path) else "potential"
    bench_ = _Bench(potential, name, comparison, watcher, _structure(structure))
    cases = tuple(
        bench_.case(n_atoms, threads)
        for threads in comparison.threads
        for n_atoms in comparison.atoms
    )
    facts = machine_facts() | {
        "model": name,
        "lammps": lammps_facts(bench_.lmp).version if bench_.lmp else None,
        "runs": asdict(comparison.runs),
    }
    result = BenchResult(cases, bench_.peaks, facts, tuple(bench_.notes))
    if output is None:
        return result
    result = replace(result, output=Path(output))
    write_results(result, Path(output))
    return result


class _Bench:
    """What the cases of one call share: subjects that can run, and what was left out."""

    def __init__(
        self,
        potential: Potential,
        name: str,
        comparison: Comparison,
        watcher: Watcher,
        structure: Structure | None,
    ) -> None:
        self.potential, self.name = potential, name
        self.comparison, self.watcher = comparison, watcher
        self.structure = structure
        self.notes: list[str] = []
        self.precisions = self._possible_precisions()
        self.lmp = self._lmp()
        self.peaks = measure_peaks()
        self.refused: set[str] = set()

    def case(self, n_atoms: int, threads: int) -> Case:
        """Return the comparison at one size."""
        start = self._start(n_atoms)
        runs = self._runs(start)
        own = [Ours(f"Trimpot {p}", self.potential, p, threads) for p in self.precisions]
        rivals = self._rivals(start, runs, threads)
        case = measure_case(
            self.name,
            self.potential,
            start,
            [*own, *rivals],
            runs,
            peaks=self.peaks if threads == 1 else None,
            progress=lambda done, total: self.watcher.progress(
                f"{len(start.state):,} atoms", done, total
            ),
        )
        return self._with_memory(case, start, own, runs)

    def _start(self, n_atoms: int) -> Start:
        if self.structure is None:
            return start_from_crystal(self.potential, n_atoms)
        step = timestep_for(self.structure)
        return start_from_structure(
            self.potential, self.structure, n_atoms, timestep_fs=step
        )

    def _runs(self, start: Start) -> RunSettings:
        step = min(self.comparison.runs.timestep_fs, timestep_for(start.state.structure))
        return replace(self.comparison.runs, timestep_fs=step)

    def _possible_precisions(self) -> tuple[Precision, ...]:
        possible = []
        for precision in self.comparison.precisions:
            try:
                follow(self.potential, precision=precision)
            except InputError as error:
                self._note(f"{precision} precision left out: {error}")
            else:
                possible.append(precision)
        if not possible:
            raise InputError(f"no precision to time: {'; '.join(self.notes)}")
        return tuple(possible)

    def _lmp(self) -> str | None:
        wanted = self.comparison.rivals != (NONE,) or self.comparison.files
        if not wanted:
            return None
        lmp = find_lmp()
        if lmp is None:
            self._note(f"rivals left out: no lmp found; {INSTALL}")
        return lmp

    def _rivals(self, start: Start, runs: RunSettings, threads: int) -> list[LammpsStyle]:
        if self.lmp is None:
            return []
        if not start.state.structure.pbc.all():
            self._note("rivals left out: the structure is not periodic in all directions")
            return []
        context = RivalContext(self.potential, start.state.structure)
        made = {n: partial(rival, n, context, lmp=self.lmp, ranks=threads) for n in GENERIC}
        named = [made[n]() for n in self.comparison.rivals if n in GENERIC]
        named += [
            rival_of_file(style, path, self.potential.species, lmp=self.lmp, ranks=threads)
            for style, path in self.comparison.files
        ]
        found = [subject.paced(start.state, runs) for subject in named]
        if AUTO in self.comparison.rivals:
            found = [*self._able(made, start, runs), *found]
        return found

    def _able(
        self,
        made: Mapping[str, Callable[[], LammpsStyle]],
        start: Start,
        runs: RunSettings,
    ) -> list[LammpsStyle]:
        """Return the rivals that can be made and run; note the others once."""
        found = []
        for name, make in made.items():
            if name in self.refused:
                continue
            try:
                found.append(make().paced(start.state, runs))
            except InputError as error:
                self.refused.add(name)
                self._note(f"LAMMPS {name} left out: {error}")
        return found

    def _with_memory(
        self, case: Case, start: Start, own: Sequence[Ours], runs: RunSettings
    ) -> Case:
        """Add the memory of each own subject, measured in a fresh process."""
        if case.atoms < FEWEST_FOR_MEMORY or not isinstance(
            self.potential, SplinePotential | NetworkPotential
        ):
            return case
        once = replace(runs, steps=1, warmup=0, repeats=1)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "model.trimpot"
            save(self.potential, file)
            afresh = [OursAfresh(s.name, file, s.precision, s.threads) for s in own]
            return with_memory(case, interleaved(afresh, start.state, once))

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)
            self.watcher.note(text)


def _potential(model: str | Path | Potential) -> Potential:
    if not isinstance(model, str | Path):
        return model
    readers = {".uf3": read_uf3, ".json": read_uf3_json}
    return readers.get(Path(model).suffix, load)(model)


def _structure(given: str | Path | Structure | None) -> Structure | None:
    if not isinstance(given, str | Path):
        return given
    from ase.io import read

    from trimpot.engines.ase import structure_from_atoms

    if not Path(given).is_file():
        raise InputError(f"the structure file {given} does not exist")
    # without an index this is one Atoms, whatever the stubs say
    return structure_from_atoms(read(given))  # type: ignore[arg-type]
