"""Microseconds per atom and step of models, measured in one run."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from trimpot.benchmarks import RunSettings
from trimpot.benchmarks.lammps import LammpsStyle
from trimpot.benchmarks.starting import (
    Start,
    start_from_crystal,
    start_from_structure,
    timestep_for,
)
from trimpot.benchmarks.subjects import Ours, interleaved
from trimpot.engines.ase import structure_from_atoms
from trimpot.engines.following import fastest_precision
from trimpot.engines.lammps.finding import the_lmp
from trimpot.engines.singlepoint import check_species, symbol
from trimpot.errors import EngineError, InputError, NonFiniteResultError, TrimpotError
from trimpot.validation.subjects import potential_of
from trimpot.verbs.kept_parts import KeptParts, key_of
from trimpot.verbs.machine import cpu_model

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trimpot.benchmarks.subjects import Subject as Timed
    from trimpot.contract import Structure
    from trimpot.engines.lammps.calculator import PairLines
    from trimpot.validation.suites import Suite
    from trimpot.verbs.judged_models import GivenModel
    from trimpot.verbs.watching import Watcher

RUNS = RunSettings(steps=30, repeats=5)

SMALL = 100_000
"""Bytes up to which a file is looked through for names of others."""


@dataclass(frozen=True)
class Costs:
    """What dynamics costs on one core.

    Attributes
    ----------
    timed_on : str
        Crystal, temperature, threads, arithmetic.
    microseconds : mapping
        Median, lowest and highest us/atom/step by name.
    failures : tuple of str
        Models that could not be timed, and why.
    """

    timed_on: str
    microseconds: dict[str, tuple[float, float, float]]
    failures: tuple[str, ...] = ()


def costs_of(
    models: Sequence[GivenModel],
    suite: Suite | None,
    atoms: int,
    kept: KeptParts,
    watcher: Watcher,
) -> Costs:
    """Return times of force calls with upkeep of lists, all models in turn, or kept ones.

    Potentials run in this process, in their fastest arithmetic, pair styles in LAMMPS,
    other calculators as ASE calls them. A crystal of the first phase of the suite, or of
    the elements of the model with the fewest.

    Models that cannot run it, and why, are in ``failures``; then nothing is kept.
    """
    place = None if suite is None else _first_crystal(suite)
    keys = [model.subject.key for model in models]
    where = None if place is None else (place.positions.tolist(), place.cell.tolist())
    key = key_of(keys, where, atoms, asdict(RUNS), cpu_model())
    before = kept.found("times", key)
    if before is not None:
        watcher.note("times: kept")
        numbers = cast("dict[str, list[float]]", before["microseconds"])
        return Costs(
            str(before["timed_on"]),
            {name: (us[0], us[1], us[2]) for name, us in numbers.items()},
        )
    try:
        found = _measured(models, place, atoms, watcher)
    except (EngineError, InputError, NonFiniteResultError) as error:
        return Costs("", {}, (f"times: {_in_one_line(error)}",))
    if not found.failures:
        kept.keep("times", key, asdict(found))
    return found


def _in_one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]


def _first_crystal(suite: Suite) -> Structure | None:
    """Return the cell of the first phase that is a crystal, if one is."""
    cells = (one.phase.conventional() for one in suite.properties.values())
    first = next((atoms for atoms in cells if atoms.pbc.all()), None)
    return None if first is None else structure_from_atoms(first)


def _measured(
    models: Sequence[GivenModel], place: Structure | None, atoms: int, watcher: Watcher
) -> Costs:
    start = _start(models, place, atoms)
    runs = RunSettings(
        RUNS.steps, repeats=RUNS.repeats, timestep_fs=timestep_for(start.state.structure)
    )
    timed: list[Timed] = []
    failures = []
    for model in models:
        try:
            check_species(start.state.structure.numbers, model.subject.species)
            timed.append(_timed(model, start, runs))
        except TrimpotError as error:
            failures.append(f"times of {model.name}: {_in_one_line(error)}")
    measured = interleaved(
        timed,
        start.state,
        runs,
        progress=lambda done, total: watcher.progress("times", done, total),
    )
    spreads = {m.name: m.microseconds(len(start.state)) for m in measured}
    kinds = sorted({t.precision for t in timed if isinstance(t, Ours)})
    ours = f", {' and '.join(kinds)} precision in Trimpot" if kinds else ""
    return Costs(
        f"{len(start.state)} atoms, {start.description}, one core{ours}",
        {name: (s.median, s.low, s.high) for name, s in spreads.items()},
        tuple(failures),
    )


def _start(models: Sequence[GivenModel], place: Structure | None, atoms: int) -> Start:
    """Return a thermal state, brought there by the first model that can."""
    if place is None:
        fewest = min(models, key=lambda m: (len(m.subject.species), not m.ours))
        return start_from_crystal(potential_of(fewest.subject), atoms)
    wanted = set(place.numbers.tolist())
    able = [m for m in models if wanted <= set(m.subject.species)] or list(models)
    first = next((m for m in able if m.ours), able[0])
    start = start_from_structure(potential_of(first.subject), place, atoms)
    elements = "-".join(dict.fromkeys(map(symbol, place.numbers.tolist())))
    edge = float(np.linalg.norm(place.cell[0]))
    what = f"{elements} of the suite (a = {edge:.4g} A), {start.state.temperature_k:.0f} K"
    return Start(start.state, what)


def _timed(model: GivenModel, start: Start, runs: RunSettings) -> Timed:
    lines = model.subject.lammps
    if lines is None:
        potential = potential_of(model.subject)
        return Ours(model.name, potential, fastest_precision(potential), 1)
    style = LammpsStyle(
        model.name, the_lmp(), lines.species, _anywhere(lines), _files(lines)
    )
    return style.paced(start.state, runs)


def _anywhere(lines: PairLines) -> tuple[str, ...]:
    """Return lines with whole paths where they name files by a path."""
    folder = lines.folder
    if folder is None:
        return lines.lines
    return tuple(
        " ".join(
            str((folder / word).resolve())
            if "/" in word and (folder / word).is_file()
            else word
            for word in line.split()
        )
        for line in lines.lines
    )


def _files(lines: PairLines) -> dict[str, bytes]:
    """Return the files that lines name, and those that these name."""
    if lines.folder is None:
        return {}
    found: dict[str, bytes] = {}
    words = {word for line in lines.lines for word in line.split()}
    while words:
        paths = {w: lines.folder / w for w in words if "/" not in w and w not in found}
        new = {w: path.read_bytes() for w, path in paths.items() if path.is_file()}
        found |= new
        texts = [c.decode("utf-8", "replace") for c in new.values() if len(c) < SMALL]
        words = {word for text in texts for word in text.split()}
    return found
