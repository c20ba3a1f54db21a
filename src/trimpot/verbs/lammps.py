"""The verbs ``lammps build`` and ``lammps run``: our kernels as a pair style of LAMMPS."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from trimpot.engines.lammps.building import PATH_VARIABLE, BuildSettings, build_plugin
from trimpot.engines.lammps.running import Launch, environment, run_through
from trimpot.errors import InputError
from trimpot.verbs.watching import Silent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trimpot.engines.lammps.building import Plugin
    from trimpot.verbs.watching import Watcher

__all__ = ["BuildSettings", "build_document", "build_lines", "build_plugin", "run_lammps"]


def run_lammps(
    file: str | Path,
    *,
    ranks: int = 1,
    lmp: str | Path | None = None,
    mpiexec: str | Path | None = None,
    build: BuildSettings = BuildSettings(),  # noqa: B008 - frozen
    arguments: Sequence[str] = (),
    watcher: Watcher = Silent(),  # noqa: B008 - has no state
) -> int:
    """Run an input of LAMMPS with ``pair_style trimpot``; return the exit code of lmp.

    Parameters
    ----------
    file
        The input.
    ranks
        MPI processes.
    lmp, mpiexec
        Programs; None: those that are found.
    build
        For which LAMMPS the plugin is built, if it has to be.
    arguments
        Further arguments of lmp.
    watcher
        Told if the plugin was built.

    Raises
    ------
    InputError
        If there is no such input.
    MissingPartError, EngineError, WriteError
        As ``build_plugin``.
    """
    if not Path(file).is_file():
        raise InputError(f"there is no input {file}; give the input file of LAMMPS")
    launch = Launch.of(ranks, lmp=lmp, mpiexec=mpiexec)
    plugin = build_plugin(replace(build, lmp=Path(launch.lmp)))
    if plugin.is_new:
        watcher.note(f"built the plugin of LAMMPS: {plugin.path}")
    command = launch.command(["-in", str(file), *arguments])
    return run_through(command, environment(plugin.path))


def build_document(plugin: Plugin) -> dict[str, object]:
    """Return the result as JSON wants it."""
    return {
        "plugin": str(plugin.path),
        "new": plugin.is_new,
        "headers": str(plugin.headers),
        "compiler": plugin.compiler,
    }


def build_lines(plugin: Plugin) -> list[str]:
    """Return the result as lines, with the ways to use it."""
    how = "built" if plugin.is_new else "is there already"
    folder = shlex.quote(str(plugin.path.parent))
    return [
        f"plugin of LAMMPS ({how}): {plugin.path}",
        f"against {plugin.headers}, with {plugin.compiler}",
        "use it, either of",
        "  trimpot lammps run in.lammps -n 4",
        f"  export {PATH_VARIABLE}={folder}    # every lmp then knows pair_style trimpot",
        f"  plugin load {plugin.path}    # a line of the input",
    ]
