"""Solid beside liquid in one box: how it is made, and what becomes of it in LAMMPS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from trimpot.engines.lammps.stages import Stage
from trimpot.validation.properties.in_lammps import barostat, started_at, thermostat

if TYPE_CHECKING:
    from collections.abc import Callable

    from trimpot.contract import FloatArray
    from trimpot.engines.lammps.stages import Simulation, Stretch
    from trimpot.validation.properties.crystal_order import SlabOrder

    Verdict = Literal["both", "solid", "liquid"]

HOT = 1.6
"""Temperature at which a half is melted, over that of the trial; again by this factor."""

HOTTEST_TRIES = 3

MOLTEN = 0.25
"""How solid the melted half may still look."""

CRYSTALLINE = 0.4
"""|S| above which the trial's crystal is one."""

LEAST_SHARE = 0.12
"""Of each phase; at about two slabs of fourteen an interface meets the other."""

FRAMES_PER_PIECE = 2


@dataclass(frozen=True)
class Durations:
    """How long the parts of a try take, ps.

    Attributes
    ----------
    equilibration : float
        Of the crystal at the trial's temperature.
    melt : float
        In the heat; as long to cool, and as long to settle.
    piece : float
        Of the coexistence; between pieces, both phases are looked for.
    """

    equilibration: float
    melt: float
    piece: float

    def preparation(self) -> float:
        """Return how long a try takes before the coexistence."""
        return self.equilibration + 3.0 * self.melt


@dataclass(frozen=True)
class Trial:
    """A try: where, from which temperature, for how long.

    Attributes
    ----------
    name : str
        Of its stages.
    start_k : float
        Temperature of the start.
    pieces : int
        Of the coexistence.
    """

    name: str
    start_k: float
    pieces: int


@dataclass(frozen=True)
class Course:
    """What became of a try.

    Attributes
    ----------
    verdict : Verdict
        "both" phases are there at the end, or only one of them: "solid", "liquid".
    time_ps, temperature_k : (k,) float64
        Of the coexistence; without times where there was none: the trial's.
    pressure_gpa : (k, 3) float64
        Along the axes.
    share_ps, share : (m,) float64
        Times at which the box was looked at, and how much of it was solid.
    """

    verdict: Verdict
    time_ps: FloatArray
    temperature_k: FloatArray
    pressure_gpa: FloatArray
    share_ps: FloatArray
    share: FloatArray


@dataclass(frozen=True)
class Coexistence:
    """Makes tries.

    Attributes
    ----------
    simulation : Simulation
        Of the perfect crystal, long along z.
    order : SlabOrder
        Tells solid from liquid.
    durations : Durations
        Of the parts.
    axes : str
        Of the barostat: "xy-z" or "xyz".
    seed : int
        Of velocities and thermostats.
    """

    simulation: Simulation
    order: SlabOrder
    durations: Durations
    axes: str
    seed: int

    def steps(self, pieces: int) -> int:
        """Return the steps of a try."""
        times = self.durations
        return self.simulation.steps(times.preparation() + pieces * times.piece)

    def run(self, trial: Trial, allowed: Callable[[], bool]) -> Course:
        """Return the course of a try.

        Parameters
        ----------
        trial
            Which.
        allowed
            Whether there is time for another piece.
        """
        crystal = self._crystal(trial)
        level = self._level(crystal)
        if level < CRYSTALLINE:
            return _nothing("liquid", trial.start_k)
        molten = self._melted(trial, crystal, level)
        if molten is None:
            return _nothing("solid", trial.start_k)
        return self._coexist(trial, self._released(trial, molten), level, allowed)

    def _crystal(self, trial: Trial) -> Stretch:
        dt, start_k = self.simulation.timestep_fs, trial.start_k
        steps = self.simulation.steps(self.durations.equilibration)
        commands = (
            started_at(2.0 * start_k, self.seed),
            barostat(self.axes, dt, more="drag 0.5"),
            thermostat((start_k, start_k), dt, self.seed),
        )
        rows, frames = _looks(steps, 4)
        stage = Stage(f"{trial.name}-crystal", steps, commands, None, rows, frames)
        return self.simulation.run(stage)

    def _level(self, stretch: Stretch) -> float:
        """Return |S| of the slabs of a crystal, averaged over the later frames."""
        frames = list(self.simulation.frames(stretch))
        return float(np.mean([self.order(atoms) for atoms in frames[len(frames) // 2 :]]))

    def _melted(self, trial: Trial, crystal: Stretch, level: float) -> Stretch | None:
        """Return the stage that melted the upper half, the lower held; None: none did."""
        hot_k = trial.start_k
        for k in range(HOTTEST_TRIES):
            hot_k *= HOT
            steps = self.simulation.steps(self.durations.melt)
            stage = Stage(
                f"{trial.name}-melt-{k}",
                steps,
                (*self._upper_half(crystal), *self._moves_upper((hot_k, hot_k))),
                crystal.folder.name,
                *_looks(steps, 1),
            )
            melted = self.simulation.run(stage)
            (last,) = self.simulation.frames(melted)
            upper = self.order.solid(last, level)[-(self.order.slabs // 2) :]
            if upper[1:-1].mean() < MOLTEN:
                cool = Stage(
                    f"{trial.name}-cool-{k}",
                    steps,
                    (*self._upper_half(None), *self._moves_upper((hot_k, trial.start_k))),
                    after=stage.name,
                )
                return self.simulation.run(cool)
        return None

    def _upper_half(self, crystal: Stretch | None) -> tuple[str, ...]:
        """Return commands that name the upper half; after a crystal, in its mean box."""
        if crystal is None:
            return ()  # the group comes with the restart file
        low = self.simulation.box.origin
        lengths = crystal.lengths_a[len(crystal.lengths_a) // 2 :].mean(axis=0)
        box = [
            f"{a} final {low[k]:.10g} {low[k] + lengths[k]:.10g}"
            for k, a in enumerate("xyz")
        ]
        middle = low[2] + 0.5 * lengths[2]
        return (
            f"change_box all {' '.join(box)} remap units box",
            f"region upper block INF INF INF INF {middle:.10g} INF units box",
            "group upper region upper",
        )

    def _moves_upper(self, temperatures_k: tuple[float, float]) -> tuple[str, ...]:
        """Return commands that move the upper half; the box grows along z about the other.

        Held atoms keep their velocities, so that the pressure is that of the whole box.
        """
        dt, cell = self.simulation.timestep_fs, self.simulation.atoms.cell.lengths()
        fixed = self.simulation.box.origin + np.array([0.5, 0.5, 0.25]) * cell
        place = " ".join(f"{x:.10g}" for x in fixed)
        more = f"dilate upper fixedpoint {place} drag 0.5"
        return (
            barostat("z", dt, "upper", more),
            thermostat(temperatures_k, dt, self.seed, "upper"),
        )

    def _released(self, trial: Trial, molten: Stretch) -> Stretch:
        """Return the stage in which all atoms move at the temperature of the trial."""
        dt, start_k = self.simulation.timestep_fs, trial.start_k
        commands = (
            "velocity all zero linear",
            barostat(self.axes, dt),
            thermostat((start_k, start_k), dt, self.seed),
        )
        steps = self.simulation.steps(self.durations.melt)
        stage = Stage(f"{trial.name}-settle", steps, commands, after=molten.folder.name)
        return self.simulation.run(stage)

    def _coexist(
        self, trial: Trial, begun: Stretch, level: float, allowed: Callable[[], bool]
    ) -> Course:
        steps = self.simulation.steps(self.durations.piece)
        commands = (barostat(self.axes, self.simulation.timestep_fs),)
        pieces: list[Stretch] = []
        shares: list[float] = []
        after, verdict = begun.folder.name, _verdict(0.5)
        while len(pieces) < trial.pieces and verdict == "both" and allowed():
            name = f"{trial.name}-both-{len(pieces):03d}"
            looks = _looks(steps, FRAMES_PER_PIECE)
            stage = Stage(name, steps, commands, after, *looks)
            pieces.append(self.simulation.run(stage))
            after = name
            frames = self.simulation.frames(pieces[-1])
            shares += [float(self.order.solid(atoms, level).mean()) for atoms in frames]
            verdict = _verdict(shares[-1])
        return self._course(verdict, pieces, shares)

    def _course(
        self, verdict: Verdict, pieces: list[Stretch], shares: list[float]
    ) -> Course:
        ps = self.simulation.timestep_fs / 1000.0
        steps = self.simulation.steps(self.durations.piece)
        rows = [k * steps + p.column("step") for k, p in enumerate(pieces)]
        _, looks = _looks(steps, FRAMES_PER_PIECE)
        times = [
            k * steps + np.arange(1, 1 + steps // looks) * looks for k in range(len(pieces))
        ]
        return Course(
            verdict,
            np.concatenate([np.zeros(0), *rows]) * ps,
            np.concatenate([np.zeros(0), *(p.temperature_k for p in pieces)]),
            np.concatenate([np.zeros((0, 3)), *(p.pressure_gpa for p in pieces)]),
            np.concatenate([np.zeros(0), *times]) * ps,
            np.array(shares),
        )


def _looks(steps: int, frames: int) -> tuple[int, int]:
    """Return intervals of rows and frames; frames come with rows."""
    rows = max(1, min(100, steps // (20 * frames)))
    return rows, max(1, steps // (rows * frames)) * rows


def _verdict(share: float) -> Verdict:
    if share < LEAST_SHARE:
        return "liquid"
    return "solid" if share > 1.0 - LEAST_SHARE else "both"


def _nothing(verdict: Verdict, start_k: float) -> Course:
    """Return the course of a try that ended before the coexistence."""
    none = np.zeros(0)
    return Course(verdict, none, np.array([start_k]), np.zeros((0, 3)), none, none)
