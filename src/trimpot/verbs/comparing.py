"""The verb ``compare``: several models side by side on the same frames."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trimpot.benchmarks import RunSettings
from trimpot.benchmarks.starting import start_from_crystal, timestep_for
from trimpot.benchmarks.subjects import Ours, interleaved
from trimpot.data import LabelKeys, ReadRules
from trimpot.engines.following import fastest_precision
from trimpot.engines.singlepoint import symbol
from trimpot.errors import InputError, TrimpotError
from trimpot.files import load, make_folder, write_text
from trimpot.files.release import release
from trimpot.files.uf3 import read_uf3, read_uf3_json
from trimpot.networks.potential import NetworkPotential
from trimpot.reports.comparison import (
    ComparedModel,
    comparison_table,
    group_tables,
    plot_cost,
    plot_overall,
)
from trimpot.reports.document import markdown_table
from trimpot.reports.groups import plot_group_errors
from trimpot.splines.potential import SplinePotential
from trimpot.validation.subjects import LAMMPS_SUFFIXES
from trimpot.verbs.evaluation import frames_of
from trimpot.verbs.judging import judge, write_figures
from trimpot.verbs.plain import finite_plain
from trimpot.verbs.watching import Silent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from trimpot.contract import Potential
    from trimpot.data import Frame
    from trimpot.data.frames import Scalar
    from trimpot.verbs.watching import Watcher

ATOMS = 2000
"""Atoms of the crystal on which models are timed."""

RUNS = RunSettings(steps=30, repeats=5)


@dataclass(frozen=True)
class CompareResult:
    """Errors, sizes and, if asked for, times of several models.

    Attributes
    ----------
    models : tuple of ComparedModel
        In the order given.
    timed_on : str
        What the times were measured on; empty without times.
    output : Path or None
        Folder of tables and figures, if they were written.
    """

    models: tuple[ComparedModel, ...]
    timed_on: str
    output: Path | None

    def to_dict(self) -> dict[str, object]:
        """Return plain values."""
        return {
            "trimpot": release(),
            "models": {
                m.name: {
                    "errors": m.tables.to_dict(),
                    "coefficients": m.coefficients,
                    "cutoff": m.cutoff,
                    "us_per_atom_step": None
                    if m.microseconds is None
                    else dict(zip(("median", "low", "high"), m.microseconds, strict=True)),
                }
                for m in self.models
            },
            "timed_on": self.timed_on or None,
            "output": None if self.output is None else str(self.output),
        }


def compare(
    models: Sequence[str | Path] | Mapping[str, str | Path | Potential],
    data: str | Path | Sequence[str | Path] | Sequence[Frame],
    *,
    output: str | Path | None = None,
    keys: LabelKeys = LabelKeys(),  # noqa: B008 - frozen
    rules: ReadRules = ReadRules(),  # noqa: B008 - frozen
    where: Mapping[str, Scalar | Sequence[Scalar]] | None = None,
    time: bool = False,
    atoms: int = ATOMS,
    threads: int = 0,
    watcher: Watcher = Silent(),  # noqa: B008 - has no state
) -> CompareResult:
    """Return error tables of several models on the same frames, with sizes and times.

    Parameters
    ----------
    models
        Paths of potential files (.trimpot; .uf3 and .json of uf3 too), or potentials or
        paths by name.
    data
        Files or patterns, or frames.
    output
        Folder for compare.json, compare.md and figures; made if missing.
    keys, rules, where
        As ``trimpot.read``.
    time
        Also time force calls, one thread each, in turn, in the fastest precision of each.
    atoms
        Atoms of the crystal for that, about.
    threads
        Threads of the evaluation of frames; 0 means all available cores.
    watcher
        Told what is read and how far the work is.

    Raises
    ------
    InputError, DataError, FileFormatError
        For files that cannot be used, or elements that a model does not know, naming it.
    """
    potentials = {name: loaded(model) for name, model in _named(models).items()}
    frames = frames_of(data, keys, rules, where, watcher)
    tables = {}
    for name, potential in potentials.items():
        try:
            judged = judge(potential, frames, name=name, threads=threads, watcher=watcher)
        except TrimpotError as error:
            raise type(error)(f"model {name}: {error}") from error
        tables[name] = judged.tables
    timed_on, times = _times(potentials, atoms, watcher) if time else ("", {})
    compared = tuple(
        ComparedModel(
            name, tables[name], potential.cutoff, _size(potential), times.get(name)
        )
        for name, potential in potentials.items()
    )
    result = CompareResult(compared, timed_on, None if output is None else Path(output))
    if result.output is not None:
        _write(result, make_folder(result.output))
    return result


def names_of(paths: Sequence[Path]) -> list[str]:
    """Return short names that differ: of the file, its folder, or the whole path.

    A file named model has the name of its folder.
    """
    for name in (_short, _folder, str):
        found = [name(path) for path in paths]
        if max(Counter(found).values()) == 1 and "" not in found:
            return found
    return [str(path) for path in paths]


def _stem(path: Path) -> str:
    lammps = next((s for s in LAMMPS_SUFFIXES if path.name.endswith(s)), None)
    return path.stem if lammps is None else path.name.removesuffix(lammps)


def _short(path: Path) -> str:
    return _folder(path) if path.stem == "model" else _stem(path)


def _folder(path: Path) -> str:
    """Return the folder of a file named model, which says nothing itself."""
    inside = path.resolve().parent.name
    return inside if path.stem == "model" else f"{inside}/{_stem(path)}"


def _named(
    models: Sequence[str | Path] | Mapping[str, str | Path | Potential],
) -> Mapping[str, str | Path | Potential]:
    if not models:
        raise InputError("nothing to compare: give at least one model")
    if isinstance(models, Mapping):
        return models
    paths = [Path(m) for m in ([models] if isinstance(models, str | Path) else models)]
    repeated = [str(p) for p, n in Counter(p.resolve() for p in paths).items() if n > 1]
    if repeated:
        raise InputError(f"{', '.join(repeated)} is given twice, expected different models")
    return dict(zip(names_of(paths), paths, strict=True))


def loaded(model: str | Path | Potential) -> Potential:
    """Return a potential, or that of a file: .trimpot, or .uf3 and .json of uf3.

    Raises
    ------
    InputError, FileFormatError
        If the file cannot be used.
    """
    if not isinstance(model, str | Path):
        return model
    readers = {".uf3": read_uf3, ".json": read_uf3_json}
    return readers.get(Path(model).suffix, load)(model)


def _size(potential: Potential) -> int | None:
    if isinstance(potential, NetworkPotential):
        return potential.n_weights
    if not isinstance(potential, SplinePotential):
        return None
    return sum(term.n_coefficients for term in potential.terms)


def _times(
    potentials: Mapping[str, Potential], atoms: int, watcher: Watcher
) -> tuple[str, dict[str, tuple[float, float, float]]]:
    """Return what was timed, and us/atom/step of each model, runs in turn."""
    fewest = min(potentials.values(), key=lambda p: len(p.species))
    for name, potential in potentials.items():
        missing = set(fewest.species) - set(potential.species)
        if missing:
            raise InputError(
                f"model {name} does not know {', '.join(map(symbol, sorted(missing)))}, so "
                "no crystal can be timed with all models; compare without time"
            )
    start = start_from_crystal(fewest, atoms)
    step = timestep_for(start.state.structure)
    runs = RunSettings(RUNS.steps, repeats=RUNS.repeats, timestep_fs=step)
    subjects = [
        Ours(name, potential, fastest_precision(potential), 1)
        for name, potential in potentials.items()
    ]
    measured = interleaved(
        subjects,
        start.state,
        runs,
        progress=lambda done, total: watcher.progress("times", done, total),
    )
    found = {m.name: m.microseconds(len(start.state)) for m in measured}
    kinds = ", ".join(sorted({s.precision for s in subjects}))
    what = f"{len(start.state)} atoms, {start.description}, one thread, {kinds} precision"
    return what, {name: (s.median, s.low, s.high) for name, s in found.items()}


def _write(result: CompareResult, folder: Path) -> None:
    """Write compare.json, compare.md and figures."""
    plain = json.dumps(finite_plain(result.to_dict()), indent=1)
    write_text(folder / "compare.json", plain + "\n")
    tables = [comparison_table(result.models), *group_tables(result.models)]
    parts = [f"**{t.title}**\n\n{markdown_table(t)}" for t in tables]
    if result.timed_on:
        parts.append(f"Times: {result.timed_on}.")
    write_text(folder / "compare.md", "\n\n".join(parts) + "\n")
    figures: dict[str, Figure] = {
        "overall": plot_overall(result.models),
        "errors_per_group": plot_group_errors({m.name: m.tables for m in result.models}),
    }
    if sum(m.microseconds is not None for m in result.models) > 1:
        figures["error_and_cost"] = plot_cost(result.models)
    write_figures(figures, folder)
