"""Molecular dynamics whose steps LAMMPS takes; all else is that of the embedded engine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trimpot.engines.lammps.md_frames import Scene
from trimpot.engines.lammps.md_input import Segment, input_text, stops
from trimpot.engines.lammps.recording import Recorder
from trimpot.engines.lammps.running import ended, environment, started
from trimpot.engines.lammps.settings import pair_words
from trimpot.engines.lammps.thermo import Listener
from trimpot.engines.md import precision_of
from trimpot.engines.md_loop import gatherers, moment_of
from trimpot.engines.md_result import result_of
from trimpot.engines.md_speed import Pace
from trimpot.engines.md_start import check_atoms, check_forces_of, movable
from trimpot.engines.md_velocities import set_starting_velocities
from trimpot.errors import EngineError, NonFiniteResultError
from trimpot.files import save
from trimpot.files.lammps_plugin_example import MODEL, pair_lines
from trimpot.writing import make_folder, write_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ase import Atoms

    from trimpot.contract import Grader, Potential
    from trimpot.engines.lammps.settings import Ready
    from trimpot.engines.lammps.thermo import Row
    from trimpot.engines.md_loop import Output, Watcher
    from trimpot.engines.md_result import MdResult
    from trimpot.engines.md_settings import MdSettings
    from trimpot.engines.md_state import Keeper

START, INPUT, LOG = "start.data", "in.lammps", "log.lammps"

WORK = ".work-"
"""Begin of the names of folders that exist while LAMMPS runs."""

SHOWN_LINES = 15

NOT_FINITE = re.compile(r"non-?numeric|not (a )?finite|non-finite|\bnan\b", re.IGNORECASE)

TOO_FAST = re.compile(r"lost atoms|out of range atoms|atoms? .*missing", re.IGNORECASE)

BAD_START = "shorten the time step, or look at the start"


@dataclass(frozen=True)
class Host:
    """What runs LAMMPS, and where.

    Attributes
    ----------
    ready : Ready
        Programs and plugin.
    folder : Path
        Of input, start, restarts and log of LAMMPS; made if missing.
    """

    ready: Ready
    folder: Path


def run(
    potential: Potential,
    atoms: Atoms,
    settings: MdSettings,
    host: Host,
    *,
    outputs: Sequence[Output] = (),
    watcher: Watcher | None = None,
    grader: Grader | None = None,
    keeper: Keeper | None = None,
) -> MdResult:
    """Let LAMMPS move atoms; return what ``trimpot.engines.md.run`` returns.

    Parameters
    ----------
    potential
        One that can be stored.
    atoms, settings, outputs, watcher, grader, keeper
        As ``trimpot.engines.md.run``. Grades are looked at by this process, every
        ``grade_interval`` steps; None and 0: never.
    host
        What runs LAMMPS.

    Raises
    ------
    InputError, NonFiniteResultError, StoppedRunError, WriteError
        As ``trimpot.engines.md.run``.
    EngineError
        If LAMMPS fails or is killed, with its last words.
    """
    check_forces_of(potential, settings)
    if keeper is None or keeper.begun is None:
        check_atoms(atoms, settings, potential)
    make_folder(host.folder)
    _clean(host.folder)
    save(potential, host.folder / MODEL)
    grader = grader if settings.grade_interval else None
    recorder, read = _begin(
        atoms,
        settings,
        host,
        grader=grader,
        outputs=outputs,
        watcher=watcher,
        keeper=keeper,
    )
    row, last = _all_segments(recorder, host, read)
    return result_of(
        recorder.last_moment(row, last),
        recorder.collected,
        settings,
        recorder.gathered,
        speed=recorder.pace.speed(settings.steps),
        velocities=recorder.velocities,
        precision=precision_of(potential, settings),
    )


def _begin(
    atoms: Atoms,
    settings: MdSettings,
    host: Host,
    *,
    grader: Grader | None,
    outputs: Sequence[Output],
    watcher: Watcher | None,
    keeper: Keeper | None,
) -> tuple[Recorder, str]:
    """Return who records, and the command that reads where LAMMPS starts."""
    begun = None if keeper is None else keeper.begun
    moving = movable(atoms if begun is None else begun[0].atoms)
    if begun is None:
        velocities, step = set_starting_velocities(moving, settings), 0
    else:
        velocities, step = begun[0].velocities, begun[0].step
    if watcher is not None:
        watcher.note(velocities if begun is None else f"goes on from step {step}")
    recorder = Recorder(
        scene=Scene.of(moving),
        settings=settings,
        folder=host.folder,
        pace=Pace(len(moving), settings.timestep_fs, step=step, steps=settings.steps),
        volume_a3=float(moving.cell.volume) if begun is None else begun[0].volume_a3,
        velocities=velocities,
        done=step if begun is not None and begun[1] else -1,
        gathered=gatherers(moving, settings, grader, keeper, watcher),
        outputs=outputs,
        watcher=watcher,
        keeper=keeper,
    )
    restart = None
    if begun is not None:
        state, samples = begun
        recorder.collected.extend(samples)
        for name, part in recorder.gathered.parts().items():
            if name in state.analyses:  # a grader may be new
                part.restore(state.analyses[name])
        restart = state.integrator["lammps"].get("restart")
    if restart is not None:
        return recorder, f"read_restart {restart}"
    skewed = settings.ensemble == "npt-full"
    write_text(host.folder / START, recorder.scene.data(skewed=skewed))
    recorder.keep(step, moving, None)
    return recorder, f"read_data {START}"


def _all_segments(recorder: Recorder, host: Host, read: str) -> tuple[Row, Atoms]:
    """Let LAMMPS take all steps; return its last row and the atoms then."""
    first = recorder.pace.first
    row, last = None, None
    for stop in stops(recorder.settings, first):
        row, last = _one_segment(recorder, host, Segment(first, stop, read))
        first, read = stop, f"read_restart restart.{stop}"
    if row is None or last is None:
        raise EngineError("LAMMPS was given no steps")  # stops() has one at least
    return row, last


def _one_segment(recorder: Recorder, host: Host, segment: Segment) -> tuple[Row, Atoms]:
    launch, scene = host.ready.launch, recorder.scene
    words = pair_words(recorder.settings, launch.ranks)
    text = input_text(
        recorder.settings,
        segment,
        pair_lines(scene.names, words=words),
        boundary=scene.box.boundary,
    )
    write_text(host.folder / INPUT, text)
    with _work_folder(host.folder) as work:
        arguments = ["-in", INPUT, "-nocite", "-var", "work", work.name]
        command = launch.command([*arguments, "-log", f"{work.name}/{LOG}"])
        row = _listen(recorder, host, command, segment, work)
        last = recorder.take(row, work, last=True)
    if last is None:
        raise EngineError("LAMMPS left no last frame")  # take() reads it or raises
    return row, last


def _listen(
    recorder: Recorder, host: Host, command: list[str], segment: Segment, work: Path
) -> Row:
    """Record what LAMMPS prints until it ends; return its last row.

    A row is recorded when the next one is there: only then are the frames and restarts of
    its step complete, whichever of them LAMMPS writes first.

    Raises
    ------
    EngineError, NonFiniteResultError
        If it does not end well.
    """
    listener, row = Listener(), None
    env = environment(host.ready.plugin.path)
    with started(command, env, stdout=subprocess.PIPE, cwd=host.folder) as process:
        for line in process.stdout or ():
            heard = listener.hear(line)
            if isinstance(heard, str):
                if recorder.watcher is not None:
                    recorder.watcher.note(f"warning: LAMMPS: {heard}")
            elif heard is not None:
                if row is not None:
                    recorder.take(row, work)
                elif segment.first == recorder.pace.first:
                    recorder.pace.started = time.perf_counter()  # LAMMPS is ready now
                row = heard
            elif listener.ranks not in (None, host.ready.launch.ranks):
                raise EngineError(_foreign_mpi(host, listener.ranks))
        code = process.wait()
    if code == 0 and row is not None and row.step == segment.last:
        return row
    raise _failure(recorder.settings, code, listener, row)


def _failure(
    settings: MdSettings, code: int, listener: Listener, row: Row | None
) -> EngineError | NonFiniteResultError:
    """Return the error that says how LAMMPS ended."""
    when = "before its first step" if row is None else f"after {_when(settings, row)}"
    if NOT_FINITE.search(listener.error):
        return NonFiniteResultError(f"{when}: {listener.error}; {BAD_START}")
    tail = f"its last words:\n{listener.tail(SHOWN_LINES)}"
    if listener.error:
        hint = f"; {BAD_START}" if TOO_FAST.search(listener.error) else ""
        return EngineError(f"LAMMPS stopped {when}: {listener.error}{hint}; {tail}")
    return EngineError(f"LAMMPS was ended from outside {when} ({ended(code)}); {tail}")


def _when(settings: MdSettings, row: Row) -> str:
    return moment_of(settings, row.step)


def _foreign_mpi(host: Host, found: int | None) -> str:
    launch = host.ready.launch
    return (
        f"{launch.mpiexec} started {launch.ranks} processes of {launch.lmp}, but LAMMPS "
        f"found itself on {found}: they belong to different MPI libraries; name the "
        "mpiexec of this LAMMPS (--mpiexec FILE)"
    )


@contextmanager
def _work_folder(folder: Path) -> Iterator[Path]:
    """Make a folder for what LAMMPS writes on the way; only its log stays."""
    work = Path(tempfile.mkdtemp(prefix=WORK, dir=folder))
    try:
        yield work
    finally:
        with suppress(OSError):
            (work / LOG).replace(folder / LOG)
        shutil.rmtree(work, ignore_errors=True)


def _clean(folder: Path) -> None:
    """Remove work folders of killed runs; a LAMMPS that still writes there then fails."""
    for entry in os.scandir(folder):
        if entry.name.startswith(WORK):
            shutil.rmtree(entry.path, ignore_errors=True)
