"""Arguments and options that several verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trimpot.cli.completing import configuration_files, potential_files

if TYPE_CHECKING:
    from collections.abc import Sequence

Config = Annotated[
    Path,
    typer.Argument(metavar="CONFIG", help="YAML file.", autocompletion=configuration_files),
]

Model = Annotated[
    Path,
    typer.Argument(
        metavar="MODEL",
        help="Potential file, NAME.trimpot.",
        autocompletion=potential_files,
    ),
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
Where = Annotated[
    list[str] | None,
    typer.Option(
        "--where", metavar="FIELD=VALUE", help="Only such frames; may be repeated."
    ),
]


def fields(texts: Sequence[str]) -> dict[str, list[str]] | None:
    """Return the values of FIELD=VALUE options; a repeated field allows each value."""
    wanted: dict[str, list[str]] = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign:
            raise typer.BadParameter(f"{text!r}: expected FIELD=VALUE")
        wanted.setdefault(name, []).append(value)
    return wanted or None
