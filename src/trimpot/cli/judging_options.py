"""Options that ``validate`` and ``report`` share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trimpot.cli.completing import check_names, model_files, suites

Models = Annotated[
    list[Path],
    typer.Argument(
        metavar="MODEL...",
        help="NAME.trimpot, NAME.lammps.yaml (a pair style), .uf3 or .json of uf3.",
        autocompletion=model_files,
    ),
]
Structures = Annotated[
    Path | None,
    typer.Option(
        "--structures",
        metavar="FILE",
        help="A file that ASE reads, to check on as well.",
    ),
]
SuiteName = Annotated[
    str | None,
    typer.Option(
        "--suite",
        metavar="NAME|FILE",
        help="Measure the properties of this suite.",
        autocompletion=suites,
    ),
]
DataFiles = Annotated[
    list[str] | None,
    typer.Option(
        "--data", metavar="FILE", help="Errors on this file or pattern; may be repeated."
    ),
]
FitE0 = Annotated[
    bool,
    typer.Option(
        "--fit-e0", help="Fit a constant per element to the energies of each model."
    ),
]
Time = Annotated[
    bool, typer.Option("--time", help="Time dynamics on one core, all models in turn.")
]
Atoms = Annotated[int, typer.Option(min=1, help="Atoms of the crystal that is timed.")]
Checks = Annotated[
    bool | None,
    typer.Option(
        "--checks/--no-checks",
        help="Physical checks of all models, or of none; by default of potentials only.",
    ),
]
Only = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME",
        help="Only this check, family or property; may be repeated.",
        autocompletion=check_names,
    ),
]
Long = Annotated[
    bool, typer.Option("--long", help="Also properties that take long, such as melting.")
]
Processes = Annotated[
    int, typer.Option(min=0, help="Properties measured at once; 0: one per core.")
]
