"""Who takes the steps of a run: the embedded engine, or LAMMPS."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Literal, Protocol

from trimpot.engines.lammps.dynamics import Host
from trimpot.engines.lammps.dynamics import run as run_in_lammps
from trimpot.engines.lammps.settings import check_possible, made_ready
from trimpot.engines.md import run as run_embedded
from trimpot.engines.md_settings import MdSettings
from trimpot.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ase import Atoms

    from trimpot.contract import Grader, Potential
    from trimpot.engines.lammps.settings import LammpsSettings, Ready
    from trimpot.engines.md import MdResult, Output, Watcher
    from trimpot.engines.md_state import Keeper
    from trimpot.verbs import watching

EngineName = Literal["embedded", "lammps"]

PLACE = "lammps"
"""Folder of LAMMPS' files within that of a run."""


class Steps(Protocol):
    """Takes the steps of a run, as ``trimpot.engines.md.run`` does."""

    def __call__(
        self,
        potential: Potential,
        atoms: Atoms,
        settings: MdSettings,
        *,
        outputs: Sequence[Output] = (),
        watcher: Watcher | None = None,
        grader: Grader | None = None,
        keeper: Keeper | None = None,
    ) -> MdResult:
        """Take them, and return the result."""
        ...


def steps_of(engine: Ready | None, folder: Path) -> Steps:
    """Return who takes the steps of a run in a folder; None: the embedded engine."""
    if engine is None:
        return run_embedded
    return partial(run_in_lammps, host=Host(engine, folder / PLACE))


def prepared(
    potential: Potential,
    atoms: Atoms,
    settings: MdSettings,
    lammps: LammpsSettings,
    watcher: watching.Watcher,
) -> tuple[MdSettings, Ready]:
    """Return settings that LAMMPS can follow, and the programs; refuse all else.

    Raises
    ------
    InputError
        For what cannot be done there, with what to do instead.
    MissingPartError, EngineError, WriteError
        If LAMMPS or its plugin cannot be had.
    """
    check_possible(potential, atoms)
    _check_grades(settings)
    if settings.grade_interval is None:
        settings = replace(settings, grade_interval=0)
        watcher.note(
            "warning: LAMMPS does not look at extrapolation grades; give --grade-interval "
            "to have them looked at here"
        )
    ready = made_ready(lammps)
    if ready.plugin.is_new:
        watcher.note(f"built the plugin of LAMMPS: {ready.plugin.path}")
    processes = "1 MPI process" if lammps.ranks == 1 else f"{lammps.ranks} MPI processes"
    watcher.note(f"engine: {ready.launch.lmp}, {processes}")
    return settings, ready


def _check_grades(settings: MdSettings) -> None:
    """Refuse limits of grades that nobody looks at."""
    usual = MdSettings()
    changed = [
        name
        for name in ("warn_grade", "stop_grade")
        if getattr(settings, name) != getattr(usual, name)
    ]
    if changed and not settings.grade_interval:
        raise InputError(
            f"{' and '.join(changed)} given, but LAMMPS does not look at grades; give "
            "grade_interval too: this process then looks at the structures of such steps"
        )
