"""The command ``trimpot md``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trimpot.cli.options import Json, Model, Threads, Traceback
from trimpot.cli.printing import example, print_result

EPILOG = example(
    "trimpot md output/model.trimpot W.cif --supercell 6x6x6 --temperature 3000 \\",
    "    --ensemble langevin --steps 20000 --output hot",
    "trimpot md output/model.trimpot hot/final.extxyz --steps 100000 --output hot-nve",
)


# Defaults that are shown here stand in engines.md_settings, which takes long to import;
# a test compares them.
def md(
    model: Model,
    structure: Annotated[
        Path, typer.Argument(metavar="STRUCTURE", help="A file that ASE reads.")
    ],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="DIR", help="Folder of a new run."),
    ] = Path("md"),
    temperature: Annotated[
        float | None,
        typer.Option(help="K; nve does without if the structure has velocities."),
    ] = None,
    ensemble: Annotated[
        str | None, typer.Option(help="nve or langevin.", show_default="nve")
    ] = None,
    steps: Annotated[
        int | None, typer.Option(help="Number of steps.", show_default="1000")
    ] = None,
    timestep: Annotated[
        float | None, typer.Option(help="Time step in fs.", show_default="1.0")
    ] = None,
    friction: Annotated[
        float | None,
        typer.Option(help="Of the Langevin thermostat, 1/ps.", show_default="10.0"),
    ] = None,
    precision: Annotated[
        str | None, typer.Option(help="auto, double or mixed.", show_default="auto")
    ] = None,
    supercell: Annotated[
        str, typer.Option(metavar="NXxNYxNZ", help="Copies of the cell.")
    ] = "1x1x1",
    index: Annotated[
        int, typer.Option(help="Which structure of the file; -1: the last.")
    ] = -1,
    seed: Annotated[
        int | None, typer.Option(help="Of velocities and noise.", show_default="0")
    ] = None,
    log_interval: Annotated[
        int | None, typer.Option(help="Steps between log lines.", show_default="10")
    ] = None,
    trajectory_interval: Annotated[
        int | None,
        typer.Option(help="Steps between frames; 0: none.", show_default="100"),
    ] = None,
    threads: Threads = 0,
    as_json: Json = False,
    traceback: Traceback = False,  # noqa: ARG001 - read by main
) -> None:
    """Run molecular dynamics of a structure.

    Writes OUTPUT/log.csv, trajectory.extxyz, final.extxyz and summary.json. Stops when an
    energy or a force is not finite.
    """
    from trimpot.cli.terminal import Terminal
    from trimpot.engines.md_settings import MdSettings
    from trimpot.verbs.dynamics import md as run_md
    from trimpot.verbs.dynamics import md_document, md_lines

    given = {
        "temperature_k": temperature,
        "ensemble": ensemble,
        "steps": steps,
        "timestep_fs": timestep,
        "friction_per_ps": friction,
        "precision": precision,
        "seed": seed,
        "log_interval": log_interval,
        "trajectory_interval": trajectory_interval,
        "threads": threads,
    }
    chosen = {name: value for name, value in given.items() if value is not None}
    settings = MdSettings(**chosen)  # type: ignore[arg-type]  # it checks every value
    with Terminal() as terminal:
        done = run_md(
            model,
            structure,
            settings,
            output=output,
            index=index,
            supercell=counts(supercell),
            watcher=terminal,
        )
    print_result(md_document(done) if as_json else "\n".join(md_lines(done)))


def counts(text: str) -> tuple[int, int, int]:
    """Return the three counts of ``NXxNYxNZ``."""
    parts = text.lower().split("x")
    if len(parts) != 3 or not all(part.strip().isdecimal() for part in parts):
        raise typer.BadParameter(f"{text!r}: expected NXxNYxNZ, such as 4x4x4")
    x, y, z = (int(part) for part in parts)
    return x, y, z
