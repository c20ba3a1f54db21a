"""One run of long dynamics: from a frame through a thermostat to what is measured."""

from __future__ import annotations

import math
import os
import re
import time
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import keeping
import machine
import numpy as np
from ase import Atoms
from dynamics_sets import (
    SYSTEMS,
    Facts,
    System,
    bonded,
    counted,
    distances,
    distribution,
    kinds,
)

import trimpot
from trimpot.engines.md import precision_of, run
from trimpot.engines.md_settings import MdSettings
from trimpot.engines.md_statistics import FEWEST, drift
from trimpot.envelopes.settings import EnvelopeSettings
from trimpot.errors import NonFiniteResultError, StoppedRunError

LONGEST, SHORTEST, HOTTEST = 2.0, 0.6, 3.0
"""Of the longest bond and the shortest distance of the data, and of the temperature."""

WARMTH = 20
"""Samples whose mean temperature counts: that of few atoms fluctuates."""

ENSEMBLES = {"NVE": "nve", "NVT": "langevin"}
ORDER = "order"
"""In place of an ensemble: constant energy with the whole step and with half of it."""

NOISE = 1_000_000
"""Added to the seed of the thermostat while a run is measured: other noise than before."""


@dataclass(frozen=True)
class Task:
    """All that a run follows from.

    Attributes
    ----------
    set, potential : str
        Names; of the system, and of the potential on pages.
    file, digest : str
        Of the potential, and what it is.
    kind : str
        ``NVE``, ``NVT`` or ``order``.
    seed : int
        Of frame, velocities and noise.
    heating_ps, ps : float
        With the thermostat before anything is measured, and measured.
    timestep_fs, sample_fs : float
        Of a step; between two looks at energies and distances.
    precision : str
        double or mixed.
    """

    set: str
    potential: str
    file: str
    digest: str
    kind: str
    seed: int
    heating_ps: float
    ps: float
    timestep_fs: float
    sample_fs: float
    precision: str

    @property
    def name(self) -> str:
        """What it is called while it runs."""
        return f"{self.set}, {self.potential}, {self.kind} {self.seed}"

    @property
    def steps(self) -> int:
        """Number of steps."""
        whole = steps_of(self.ps, self.timestep_fs)
        return steps_of(self.heating_ps, self.timestep_fs) + whole * (
            3 if self.kind == ORDER else 1
        )

    def place(self, output: Path) -> Path:
        """Return the folder of its result."""
        facts = {k: v for k, v in asdict(self).items() if k not in ("potential", "file")}
        key = keeping.key(facts, LONGEST, SHORTEST, HOTTEST, WARMTH)
        words = "-".join(re.findall(r"\w+", self.potential))
        return output / self.set / words / f"{self.kind}-{self.seed}-{key}"


def steps_of(picoseconds: float, timestep_fs: float) -> int:
    """Return the number of steps, at least one."""
    return max(1, round(1000.0 * picoseconds / timestep_fs))


class Watch:
    """Collects energies and distances of a run, and stops it where it is unstable.

    Attributes
    ----------
    rows : list of tuple
        Time in fs, total energy in eV/atom and temperature in K.
    counts : (b,) float64
        Distances by interval.
    """

    def __init__(self, system: System, facts: Facts, start: Atoms, interval: int) -> None:
        self.system, self.facts, self.interval = system, facts, interval
        r = distances(start.positions, facts.cell)
        self._bonds = bonded(facts.numbers, r)
        self._counted = counted(system, facts.numbers)
        self.rows: list[tuple[float, float, float]] = []
        self.counts = np.zeros(len(system.edges) - 1)

    @property
    def looks(self) -> int:
        """How many distances were looked at."""
        return len(self.rows) * int(self._counted.sum())

    def record(self, atoms: Atoms, sample) -> None:
        """Take a moment; an unstable one raises StoppedRunError."""
        r = distances(atoms.positions, self.facts.cell)
        self.rows.append((sample.time_fs, sample.total, sample.temperature_k))
        reason = self._heat() or self._broken(r) or self._crowded(r)
        if reason:
            raise StoppedRunError(reason)
        self.counts += np.histogram(r[self._counted], self.system.edges)[0]

    def _heat(self) -> str | None:
        usual = np.mean([row[2] for row in self.rows[-WARMTH:]])
        if usual <= HOTTEST * self.system.temperature_k:
            return None
        return f"{usual:.0f} K"

    def _broken(self, r) -> str | None:
        over = self._bonds & (r > LONGEST * self.facts.longest)
        return self._named(r, over, "bond")

    def _crowded(self, r) -> str | None:
        return self._named(r, r < SHORTEST * self.facts.shortest, "pair")

    def _named(self, r, which, what: str) -> str | None:
        if not which.any():
            return None
        place = int(which.argmax())
        return f"{what} {kinds(self.facts.numbers)[place]} of {r[place]:.2f} A"


@dataclass(frozen=True)
class Part:
    """A run of one ensemble: where it came to, what was seen, why it ended early."""

    atoms: Atoms | None
    watch: Watch
    seconds: float
    cpu_seconds: float
    steps: int
    ended: str | None


def moved(task: Task, facts: Facts, potential, atoms: Atoms, ensemble: str, ps: float):
    """Return a run as ``trimpot md`` makes it, with one thread and a watch."""
    system = SYSTEMS[task.set]
    interval = max(1, round(task.sample_fs / task.timestep_fs))
    settings = MdSettings(
        ensemble=ensemble,
        temperature_k=system.temperature_k,
        timestep_fs=task.timestep_fs,
        steps=steps_of(ps, task.timestep_fs),
        seed=task.seed,
        log_interval=interval,
        structure_interval=0,
        equilibration=0.0,  # the thermostat did it
        precision=task.precision,
        threads=1,
    )
    watch = Watch(system, facts, atoms, interval)
    start, busy = time.perf_counter(), time.process_time()
    ended, last, done = None, None, settings.steps
    try:
        last = run(potential, atoms, settings, outputs=[watch]).atoms
    except (NonFiniteResultError, StoppedRunError) as error:
        ended = str(error)
        done = (len(watch.rows) - 1) * interval
    seconds, cpu = time.perf_counter() - start, time.process_time() - busy
    return Part(last, watch, seconds, cpu, max(0, done), ended)


def heated(task: Task, facts: Facts, potential) -> Part:
    """Return the run with a thermostat, from a frame and new velocities."""
    s = facts.start(task.seed)
    atoms = Atoms(s.numbers, s.positions, cell=s.cell, pbc=s.pbc)
    return moved(task, facts, potential, atoms, "langevin", task.heating_ps)


def energies(part: Part) -> dict[str, float | None]:
    """Return the line through the total energy and what is around it, meV/atom."""
    time_fs, total, warmth = np.array(part.watch.rows).T
    found = {"temperature_k": float(warmth.mean())}
    if len(total) < FEWEST or not np.isfinite(total).all():
        return found | dict.fromkeys(("drift", "drift_error", "fluctuation"))
    line = drift(time_fs, total)
    return found | {
        "drift": line.slope,
        "drift_error": line.error,
        "fluctuation": line.fluctuation,
    }


def unstable(task: Task, part: Part, *, heating: bool) -> dict[str, object]:
    """Return when and why a run ended early."""
    time_ps = part.steps * task.timestep_fs / 1000.0
    return {"heating": heating, "time_ps": time_ps, "reason": part.ended}


def measured(task: Task, facts: Facts, potential, atoms: Atoms, folder: Path) -> dict:
    """Return what a run shows; its energies go to a file."""
    own = replace(task, seed=task.seed + NOISE)
    part = moved(own, facts, potential, atoms, ENSEMBLES[task.kind], task.ps)
    system, watch = SYSTEMS[task.set], part.watch
    curve = distribution(system, facts.cell, watch.counts, max(1, watch.looks))
    rows = np.array(watch.rows)
    np.savez_compressed(
        folder / "energies.npz",
        time_fs=rows[:, 0],
        total=rows[:, 1],
        temperature=rows[:, 2],
    )
    return {
        "unstable": None if part.ended is None else unstable(task, part, heating=False),
        "done_ps": part.steps * task.timestep_fs / 1000.0,
        "steps_per_second": part.steps / part.seconds,
        "steps_per_cpu_second": part.steps / part.cpu_seconds,
        "samples": len(rows),
        "curve": curve.tolist(),
        **energies(part),
    }


def orders(task: Task, facts: Facts, potential, atoms: Atoms) -> dict:
    """Return energies of runs with the whole step and with half of it, from one start."""
    steps = []
    for timestep_fs in (task.timestep_fs, 0.5 * task.timestep_fs):
        own = replace(task, timestep_fs=timestep_fs)
        part = moved(own, facts, potential, atoms, ENSEMBLES["NVE"], task.ps)
        if part.ended is not None:
            return {"unstable": unstable(own, part, heating=False), "steps": steps}
        steps.append({"timestep_fs": timestep_fs, **energies(part)})
    return {"unstable": None, "steps": steps}


def about(potential) -> dict[str, object]:
    """Return what tells a network from others: settings, training, test error."""
    facts, envelope = potential.provenance, potential.settings.envelope
    rows = facts.get("errors", {}).get("test", {}).get("rows", [])
    errors = [
        row["rmse"]
        for row in rows
        if (row["quantity"], row["grouping"]) == ("forces", "all")
    ]
    usual = asdict(EnvelopeSettings())
    changed = {} if envelope is None else asdict(envelope)
    return {
        "cutoff": potential.settings.cutoff,
        "l_max": potential.settings.l_max,
        "screened": envelope is not None,
        "envelope": {k: v for k, v in changed.items() if v != usual[k]},
        "training_seconds": facts.get("config", {}).get("training", {}).get("seconds"),
        "training_threads": facts.get("config", {}).get("threads"),
        "forces_rmse": errors[0] if errors else None,
    }


def done(task: Task, facts: Facts, folder: Path, processes: int) -> dict:
    """Return the record of a run, made while at most so many ran."""
    begun = time.perf_counter()
    potential = trimpot.load(task.file)
    first = heated(task, facts, potential)
    if first.ended is not None:
        found = {"unstable": unstable(task, first, heating=True), "done_ps": 0.0}
    elif task.kind == ORDER:
        found = orders(task, facts, potential, first.atoms)
    else:
        found = measured(task, facts, potential, first.atoms, folder)
    found_on = machine.describe()
    return {
        "task": asdict(task) | {"file": Path(task.file).name},
        "potential": about(potential),
        "seconds": time.perf_counter() - begun,
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "machine": {k: v for k, v in found_on.items() if k != "load before the run"},
        "processes": processes,
        "load": os.getloadavg()[0],
        **found,
    }


def kept(task: Task, facts: Facts, output: Path, processes: int) -> dict:
    """Return the record of a run; make it if there is none."""
    return keeping.kept(
        task.place(output), lambda folder: done(task, facts, folder, processes)
    )


def usual_precision(potential, asked: str) -> str:
    """Return the arithmetic of dynamics: what is asked for, or what ``md`` would take."""
    return precision_of(potential, MdSettings(temperature_k=300.0, precision=asked))


def line(task: Task, record: dict) -> str:
    """Return a run in words."""
    if (broken := record["unstable"]) is not None:
        when = "heating, " if broken["heating"] else ""
        return f"unstable at {when}{broken['time_ps']:.2f} ps: {broken['reason']}"
    if task.kind == ORDER:
        return ", ".join(
            f"{s['timestep_fs']:g} fs {number(s['fluctuation'], '.2e')}"
            for s in record["steps"]
        )
    return (
        f"{record['temperature_k']:.0f} K, {record['steps_per_second']:.0f} steps/s, "
        f"{record['steps_per_cpu_second']:.0f} per CPU second, "
        f"{record['seconds']:.0f} s"
    )


def number(value: float | None, form: str) -> str:
    """Return a number as text, or a dash."""
    return "-" if value is None or not math.isfinite(value) else f"{value:{form}}"
