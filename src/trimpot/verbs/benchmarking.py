"""The verb ``bench``: what a potential costs here, beside pair styles of LAMMPS."""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from trimpot.benchmarks import RunSettings, measure_case
from trimpot.benchmarks.cases import FEWEST_FOR_MEMORY, with_memory
from trimpot.benchmarks.floors import measure_peaks
from trimpot.benchmarks.lammps import INSTALL, find_lmp, lammps_version
from trimpot.benchmarks.rivals import GENERIC, RivalContext, rival, rival_of_file
from trimpot.benchmarks.starting import (
    start_from_crystal,
    start_from_structure,
    timestep_for,
)
from trimpot.benchmarks.subjects import Ours, OursAfresh, interleaved
from trimpot.engines.following import follow
from trimpot.errors import InputError
from trimpot.files import load, save, write_text
from trimpot.files.uf3 import read_uf3
from trimpot.reports.document import TextTable, markdown_table
from trimpot.reports.style import save_figure
from trimpot.reports.timing_figures import CostCurve, plot_cases, plot_costs
from trimpot.reports.timings import (
    case_lines,
    parts_table,
    peak_line,
    time_table,
    unit_costs,
)
from trimpot.splines.potential import SplinePotential
from trimpot.verbs.machine import machine_facts
from trimpot.verbs.plain import finite_plain
from trimpot.verbs.watching import Silent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from trimpot.benchmarks.cases import Case
    from trimpot.benchmarks.floors import Peaks
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


@dataclass(frozen=True)
class BenchResult:
    """What was measured.

    Attributes
    ----------
    cases : tuple of Case
        One per size and number of threads.
    peaks : Peaks
        Of this machine, one thread.
    facts : dict
        Machine, versions, settings.
    notes : tuple of str
        What was left out, and why.
    output : Path or None
        Folder of results.json, results.md and figures, if they were written.
    """

    cases: tuple[Case, ...]
    peaks: Peaks
    facts: dict[str, object]
    notes: tuple[str, ...]
    output: Path | None = None

    @property
    def tables(self) -> tuple[TextTable, ...]:
        """Times of each case, then parts, floors and unit costs of all."""
        rest = (parts_table(self.cases), unit_costs(self.cases))
        return (*(time_table(case) for case in self.cases), *(t for t in rest if t))

    def to_dict(self) -> dict[str, object]:
        """Return plain values."""
        return {
            "facts": self.facts,
            "peaks": asdict(self.peaks),
            "notes": list(self.notes),
            "cases": [case.to_dict() for case in self.cases],
        }


def bench(
    model: str | Path | Potential,
    comparison: Comparison = Comparison(),
    *,
    structure: str | Path | Structure | None = None,
    output: str | Path | None = None,
    watcher: Watcher = Silent(),  # noqa: B008 - has no state
) -> BenchResult:
    """Return time, memory and floors of a potential's force calls, and of rivals.

    All run at constant energy from the same positions and velocities with the same skin
    and time step, in turn. Without ``lmp`` there are no rivals, which is said.

    Parameters
    ----------
    model
        A potential, or the path of its file (.trimpot or .uf3).
    comparison
        Sizes, threads, precisions, rivals, runs.
    structure
        A structure or its file; without one a crystal of the elements is built
        (``benchmarks.crystals``) and brought to 300 K.
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
    name = Path(model).stem if isinstance(model, str | Path) else "potential"
    bench_ = _Bench(potential, name, comparison, watcher, _structure(structure))
    cases = tuple(
        bench_.case(n_atoms, threads)
        for threads in comparison.threads
        for n_atoms in comparison.atoms
    )
    facts = machine_facts() | {
        "model": name,
        "lammps": lammps_version(bench_.lmp) if bench_.lmp else None,
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
        names = [n for n in self.comparison.rivals if n not in (AUTO, NONE)]
        found = [rival(n, context, lmp=self.lmp, ranks=threads) for n in names]
        if AUTO in self.comparison.rivals:
            made = (
                (name, partial(rival, name, context, lmp=self.lmp, ranks=threads))
                for name in GENERIC
            )
            found += self._able(made, start, runs)
        found += [
            rival_of_file(style, path, self.potential.species, lmp=self.lmp, ranks=threads)
            for style, path in self.comparison.files
        ]
        return found

    def _able(
        self,
        made: Iterable[tuple[str, Callable[[], LammpsStyle]]],
        start: Start,
        runs: RunSettings,
    ) -> list[LammpsStyle]:
        """Return the rivals that can be made and run; note the others once."""
        found = []
        trial = replace(runs, steps=1, warmup=0)
        for name, make in made:
            if name in self.refused:
                continue
            try:
                subject = make()
                subject.run(start.state, trial)
            except InputError as error:
                self.refused.add(name)
                self._note(f"LAMMPS {name} left out: {error}")
            else:
                found.append(subject)
        return found

    def _with_memory(
        self, case: Case, start: Start, own: Sequence[Ours], runs: RunSettings
    ) -> Case:
        """Add the memory of each own subject, measured in a fresh process."""
        if case.atoms < FEWEST_FOR_MEMORY or not isinstance(
            self.potential, SplinePotential
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
    return read_uf3(model) if Path(model).suffix == ".uf3" else load(model)


def _structure(given: str | Path | Structure | None) -> Structure | None:
    if not isinstance(given, str | Path):
        return given
    from ase.io import read

    from trimpot.engines.ase import structure_from_atoms

    if not Path(given).is_file():
        raise InputError(f"the structure file {given} does not exist")
    # without an index this is one Atoms, whatever the stubs say
    return structure_from_atoms(read(given))  # type: ignore[arg-type]


def write_results(result: BenchResult, folder: Path) -> None:
    """Write results.json, results.md, figures/times.png and, for several sizes, scaling."""
    folder.mkdir(parents=True, exist_ok=True)
    plain = json.dumps(finite_plain(result.to_dict()), indent=1, allow_nan=False)
    write_text(folder / "results.json", plain + "\n")
    write_text(folder / "results.md", results_markdown(result))
    save_figure(plot_cases(result.cases), folder / "figures" / "times", ("png",))
    curves = scaling_curves(result.cases)
    if curves:
        figure = plot_costs(curves, x_label="atoms")
        save_figure(figure, folder / "figures" / "scaling", ("png",))


def scaling_curves(cases: Sequence[Case]) -> list[CostCurve]:
    """Return us/atom/step over atoms of each subject that ran at several sizes."""
    curves = []
    for threads in dict.fromkeys(case.threads for case in cases):
        group = sorted((c for c in cases if c.threads == threads), key=lambda c: c.atoms)
        for name in dict.fromkeys(m.name for case in group for m in case.measurements):
            having = [c for c in group if name in {m.name for m in c.measurements}]
            if len(having) > 1:
                label = name if threads == 1 else f"{name}, {threads} threads"
                costs = tuple(c.measurement(name).microseconds(c.atoms) for c in having)
                ours = having[0].measurement(name).ours
                sizes = tuple(c.atoms for c in having)
                curves.append(CostCurve(label, sizes, costs, background=not ours))
    return curves


def results_markdown(result: BenchResult) -> str:
    """Return the tables of a result with what explains them."""
    parts = [f"# What {result.facts['model']} costs"]
    facts = [f"- {name}: {value}" for name, value in result.facts.items()]
    facts += [f"- {note}" for note in result.notes]
    parts.append("\n".join([*facts, f"- {peak_line(result.peaks)}"]))
    for table, case in zip(result.tables, result.cases, strict=False):
        parts += [f"**{table.title}**", markdown_table(table)]
        parts.append("\n".join(f"- {line}" for line in case_lines(case)))
    for table in result.tables[len(result.cases) :]:
        parts += [f"**{table.title}**", markdown_table(table)]
    return "\n\n".join(parts) + "\n"
