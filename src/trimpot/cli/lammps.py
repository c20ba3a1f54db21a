"""The commands ``trimpot lammps build`` and ``trimpot lammps run``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trimpot.cli.options import Json, Traceback
from trimpot.cli.printing import example, print_result

BUILD_EPILOG = example(
    "trimpot lammps build",
    "trimpot lammps build --lammps-include ~/lammps/src --mpicxx /usr/bin/mpicxx",
)
RUN_EPILOG = example(
    "trimpot export output/model.trimpot --to lammps --output w-lammps",
    "cd w-lammps && trimpot lammps run in.lammps -n 4 -- -var steps 5000",
)

Lmp = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="Executable of LAMMPS.", show_default="the one that is found"
    ),
]
Include = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Headers of LAMMPS: src of its sources, or include of an installation.",
        show_default="of the package lammps",
    ),
]
Compiler = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="C++ compiler for MPI programs.",
        show_default="the mpicxx that is found",
    ),
]

app = typer.Typer(
    name="lammps",
    help="Use potentials in LAMMPS: pair_style trimpot.",
    epilog="Example: trimpot lammps run in.lammps -n 4",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command(epilog=BUILD_EPILOG)
def build(
    lammps_include: Include = None,
    mpicxx: Compiler = None,
    lmp: Lmp = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Put it here too, NAMEplugin.so.",
            show_default="only into the cache",
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Compile it even if it is there.")
    ] = False,
    as_json: Json = False,
    traceback: Traceback = False,  # noqa: ARG001 - read by main
) -> None:
    """Build the plugin that gives LAMMPS the pair style trimpot, and say how to use it.

    It is compiled once for each LAMMPS, compiler and release of Trimpot, and kept in the
    user's cache ($XDG_CACHE_HOME or ~/.cache, folder trimpot/lammps).
    """
    from trimpot.verbs.lammps import (
        BuildSettings,
        build_document,
        build_lines,
        build_plugin,
    )

    settings = BuildSettings(include=lammps_include, compiler=mpicxx, lmp=lmp)
    done = build_plugin(settings, output=output, force=force)
    print_result(build_document(done) if as_json else "\n".join(build_lines(done)))


@app.command(epilog=RUN_EPILOG)
def run(
    file: Annotated[Path, typer.Argument(metavar="INPUT", help="Input of LAMMPS.")],
    arguments: Annotated[
        list[str] | None,
        typer.Argument(metavar="[-- ARGUMENTS]", help="Further arguments of lmp."),
    ] = None,
    ranks: Annotated[int, typer.Option("--ranks", "-n", min=1, help="MPI processes.")] = 1,
    lmp: Lmp = None,
    mpiexec: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Launcher of MPI programs.",
            show_default="the one of this LAMMPS",
        ),
    ] = None,
    lammps_include: Include = None,
    mpicxx: Compiler = None,
    traceback: Traceback = False,  # noqa: ARG001 - read by main
) -> None:
    """Run an input of LAMMPS that says pair_style trimpot; build the plugin if needed.

    The output is that of LAMMPS, and so is the exit code. Ctrl-C ends all processes.
    """
    from trimpot.cli.terminal import Terminal
    from trimpot.verbs.lammps import BuildSettings, run_lammps

    code = run_lammps(
        file,
        ranks=ranks,
        lmp=lmp,
        mpiexec=mpiexec,
        build=BuildSettings(include=lammps_include, compiler=mpicxx),
        arguments=arguments or (),
        watcher=Terminal(),
    )
    raise typer.Exit(code)
