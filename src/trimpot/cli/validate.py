"""The command ``trimpot validate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trimpot.cli.completing import check_names
from trimpot.cli.options import Json, Model, Output, Threads, Traceback
from trimpot.cli.printing import example, print_result

FAILED = 1
"""Exit code: a mandatory check failed."""

EPILOG = example(
    "trimpot validate output/model.trimpot --output judged",
    "trimpot validate output/model.trimpot structures.extxyz --only derivatives \\",
    "    --only nve-drift",
)


def validate(
    model: Model,
    structures: Annotated[
        Path | None,
        typer.Argument(
            metavar="[STRUCTURES]", help="A file that ASE reads, to check on as well."
        ),
    ] = None,
    output: Output = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Only this check or family; may be repeated.",
            autocompletion=check_names,
        ),
    ] = None,
    threads: Threads = 0,
    as_json: Json = False,
    traceback: Traceback = False,  # noqa: ARG001 - read by main
) -> None:
    """Check that a potential is physics: derivatives, symmetries, smoothness, dynamics.

    Every check has a bound and a grade: A to C passed, D to F did not. Exit code 1: a
    mandatory check failed. With --output writes checks.json and checks.md.
    """
    from trimpot.cli.terminal import Terminal
    from trimpot.validation.checks import CheckSettings
    from trimpot.verbs.validating import validate as run

    with Terminal() as terminal:
        done = run(
            model,
            structures or (),
            CheckSettings(threads=threads),
            output=output,
            only=only or (),
            watcher=terminal,
        )
    if as_json:
        print_result(done.to_dict())
    else:
        from trimpot.cli.shown import show_validation

        show_validation(done)
    if not done.passed:
        raise typer.Exit(FAILED)
