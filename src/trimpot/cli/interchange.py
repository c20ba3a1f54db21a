"""The commands ``trimpot export`` and ``trimpot import``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trimpot.cli.completing import export_formats
from trimpot.cli.options import Json, Model, Traceback
from trimpot.cli.printing import example, print_result

EXPORT_EPILOG = example(
    "trimpot export output/model.trimpot --to lammps --output w --structure W.cif",
    "cd w && trimpot lammps run in.lammps -n 4",
    "trimpot export output/model.trimpot --to lammps-uf3 --output w-lammps",
    "cd w-lammps && lmp -in in.lammps",
)
IMPORT_EPILOG = example(
    "trimpot import W.uf3 --isolated-energies W=-5.1146",
    "trimpot import model_2and3.json --output tungsten.trimpot",
)


# Defaults that are shown here stand in files.lammps_table, which takes long to import;
# a test compares them.
def export(
    model: Model,
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="FORMAT",
            help="lammps, lammps-uf3, lammps-table or kim.",
            autocompletion=export_formats,
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="DIR",
            help="Folder to write.",
            show_default="NAME-FORMAT",
        ),
    ] = None,
    structure: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="What the input of lammps runs, a file that ASE reads.",
            show_default="a crystal of the elements",
        ),
    ] = None,
    core: Annotated[
        str, typer.Option(help="Repulsive core with lammps-uf3: table, drop or refuse.")
    ] = "table",
    inner: Annotated[
        float | None,
        typer.Option(help="First distance of tables, A.", show_default="0.5"),
    ] = None,
    points: Annotated[
        int | None,
        typer.Option(help="Points of tables.", show_default="as the bounds want"),
    ] = None,
    energy_bound: Annotated[
        float | None,
        typer.Option(help="Largest error of tables, eV per pair.", show_default="1e-06"),
    ] = None,
    force_bound: Annotated[
        float | None,
        typer.Option(help="Largest error of tables, eV/A.", show_default="0.0001"),
    ] = None,
    as_json: Json = False,
    traceback: Traceback = False,  # noqa: ARG001 - read by main
) -> None:
    """Write a potential for LAMMPS or KIM, with an input that runs it.

    lammps: any potential at full speed, with a plugin that trimpot lammps builds. Without
    plugin: lammps-uf3, pair and triplet splines; lammps-table, two-body potentials with
    measured interpolation errors. kim: for any simulator that knows KIM.
    """
    from trimpot.files.lammps_table import TableSettings
    from trimpot.verbs.exporting import export as run_export
    from trimpot.verbs.exporting import export_document, export_lines

    given = {
        "inner": inner,
        "points": points,
        "energy_bound": energy_bound,
        "force_bound": force_bound,
    }
    chosen = {name: value for name, value in given.items() if value is not None}
    done = run_export(
        model,
        to,  # type: ignore[arg-type]  # it checks the choices
        output=output,
        core=core,  # type: ignore[arg-type]
        table=TableSettings(**chosen),  # type: ignore[arg-type]
        structure=structure,
    )
    print_result(export_document(done) if as_json else "\n".join(export_lines(done)))


def import_(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="JSON file of uf3 or .uf3 file of LAMMPS."),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="NAME.trimpot",
            help="File to write.",
            show_default="name of FILE",
        ),
    ] = None,
    isolated_energies: Annotated[
        list[str] | None,
        typer.Option(
            "--isolated-energies",
            metavar="SYMBOL=EV",
            help="Energy of an isolated atom; may be repeated.",
        ),
    ] = None,
    as_json: Json = False,
    traceback: Traceback = False,  # noqa: ARG001 - read by main
) -> None:
    """Save a potential of the uf3 package or of LAMMPS' pair_style uf3 as NAME.trimpot."""
    from trimpot.verbs.importing import import_document, import_lines, import_potential

    energies = dict(map(_energy, isolated_energies)) if isolated_energies else None
    done = import_potential(file, output=output, isolated_energies=energies)
    print_result(import_document(done) if as_json else "\n".join(import_lines(done)))


def _energy(text: str) -> tuple[str, float]:
    """Return symbol and energy of SYMBOL=EV."""
    symbol, _, value = text.partition("=")
    try:
        return symbol.strip(), float(value)
    except ValueError:
        raise typer.BadParameter(f"{text!r}: expected SYMBOL=EV, such as W=-5.1") from None
