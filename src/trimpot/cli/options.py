"""Arguments and options that several verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Model = Annotated[
    Path, typer.Argument(metavar="MODEL", help="Potential file, NAME.trimpot.")
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change a setting; may be repeated."),
]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="DIR", help="Write tables and figures here."),
]
Threads = Annotated[int, typer.Option(min=0, help="Threads; 0: all available cores.")]
Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON document; messages go to stderr.")
]
Traceback = Annotated[
    bool, typer.Option("--traceback", help="Show where in the code an error arose.")
]
