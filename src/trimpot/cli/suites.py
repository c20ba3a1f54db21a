"""The command ``trimpot suites``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trimpot.cli.completing import suites as names
from trimpot.cli.options import Json, Traceback
from trimpot.cli.printing import example, print_result

EPILOG = example(
    "trimpot suites",
    "trimpot suites fcc-metal",
    "trimpot suites tungsten --copy mysuite",
)


def suites(
    name: Annotated[
        str | None,
        typer.Argument(metavar="[NAME]", help="Of one suite.", autocompletion=names),
    ] = None,
    copy: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Copy the suite there, to change it."),
    ] = None,
    as_json: Json = False,
    traceback: Traceback = False,  # noqa: ARG001 - read by main
) -> None:
    """List the suites of properties that validate --suite measures, or copy one.

    Of one suite, also what it measures. A copy is NAME.yaml with the structures that it
    names: change it, and give the file to validate --suite.
    """
    from trimpot import verbs

    done = verbs.suites(name, copy=copy)
    if as_json:
        print_result(done.to_dict())
        return
    from trimpot.cli.shown_judged import show_suites

    show_suites(done, whole=name is not None)
