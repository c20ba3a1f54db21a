"""The command ``trimpot relax``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trimpot.cli.completing import cell_moves, optimizers
from trimpot.cli.options import Json, Model, Threads, Traceback
from trimpot.cli.printing import example, print_result

NOT_CONVERGED = 3
"""Exit code: everything is written, but a structure did not converge."""

EPILOG = example(
    "trimpot relax output/model.trimpot POSCAR --cell full --output relaxed",
    "trimpot relax output/model.trimpot many.extxyz --fmax 0.001 --write relaxed.cif \\",
    "    --index 0 --cell volume --pressure 10 --output squeezed",
)


# Defaults that are shown here stand in engines.relaxation_settings; a test compares them.
def relax(
    model: Model,
    structure: Annotated[
        Path, typer.Argument(metavar="STRUCTURE", help="A file that ASE reads.")
    ],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="DIR", help="Folder of a new run."),
    ] = Path("relaxed"),
    fmax: Annotated[
        float | None,
        typer.Option(help="Converged below this force, eV/A.", show_default="0.01"),
    ] = None,
    cell: Annotated[
        str | None,
        typer.Option(
            metavar="MOVES",
            help="What of the cell moves: none, volume, shape or full.",
            show_default="none",
            autocompletion=cell_moves,
        ),
    ] = None,
    pressure: Annotated[
        float | None,
        typer.Option(help="Target, GPa, where the volume moves.", show_default="0.0"),
    ] = None,
    smax: Annotated[
        float | None,
        typer.Option(
            help="Where the cell moves: converged below this stress, GPa.",
            show_default="0.02",
        ),
    ] = None,
    steps: Annotated[
        int | None, typer.Option(help="Most steps of a structure.", show_default="1000")
    ] = None,
    optimizer: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="lbfgs, bfgs or fire.",
            show_default="lbfgs",
            autocompletion=optimizers,
        ),
    ] = None,
    symmetry: Annotated[
        bool, typer.Option("--symmetry", help="Keep the space group (needs spglib).")
    ] = False,
    index: Annotated[
        int | None,
        typer.Option(
            help="Only this structure of the file; -1: the last.", show_default="all"
        ),
    ] = None,
    write: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write the results here too; the suffix says the format: relaxed.cif.",
        ),
    ] = None,
    trajectory_interval: Annotated[
        int | None,
        typer.Option(help="Steps between frames of the path; 0: none.", show_default="1"),
    ] = None,
    threads: Threads = 0,
    as_json: Json = False,
    traceback: Traceback = False,  # noqa: ARG001 - read by main
) -> None:
    """Relax the structures of a file: atoms, and the cell if it may move.

    Writes OUTPUT/final.extxyz, trajectory.extxyz (the path), log.csv and summary.json.
    Exit code 3: a structure did not converge. Stops when an energy or a force is not
    finite.
    """
    from trimpot.cli.terminal import Terminal
    from trimpot.engines.relaxation_settings import RelaxSettings
    from trimpot.verbs.relaxing import relax as run
    from trimpot.verbs.relaxing import relax_document, relax_lines

    given = {
        "fmax": fmax,
        "smax_gpa": smax,
        "cell": cell,
        "pressure_gpa": pressure,
        "steps": steps,
        "optimizer": optimizer,
        "symmetry": symmetry,
        "trajectory_interval": trajectory_interval,
        "threads": threads,
    }
    chosen = {name: value for name, value in given.items() if value is not None}
    settings = RelaxSettings(**chosen)  # type: ignore[arg-type]  # it checks every value
    with Terminal() as terminal:
        done = run(
            model,
            structure,
            settings,
            output=output,
            index=index,
            write=write,
            watcher=terminal,
        )
    print_result(relax_document(done) if as_json else "\n".join(relax_lines(done)))
    if not done.converged:
        raise typer.Exit(NOT_CONVERGED)
