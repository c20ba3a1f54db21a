"""The command ``trimpot check-data``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trimpot.cli.options import Json, Output, Settings, Threads, Traceback
from trimpot.cli.printing import example, print_result

FAULTS = 3
"""Exit code where the data have errors."""

EPILOG = example(
    "trimpot check-data data.extxyz --output checked",
    "trimpot check-data data.extxyz --set data.rules.stress_unit=kbar --clean good.extxyz",
    "trimpot check-data train.yaml",
)


def check_data(
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILES...", help="Files, patterns, or one CONFIG.yaml."),
    ],
    output: Output = None,
    clean: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write all frames without a fault here."),
    ] = None,
    settings: Settings = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Warnings count as errors (exit code 3).")
    ] = False,
    no_fit: Annotated[
        bool, typer.Option("--no-fit", help="No quick fit: faster, finds less.")
    ] = False,
    threads: Threads = 0,
    as_json: Json = False,
    traceback: Traceback = False,  # noqa: ARG001 - read by main
) -> None:
    """Say what is in reference data, what is wrong with them, and what cures it.

    Exit code 3 where there are errors. Settings are those of a configuration:
    data.keys, data.rules, data.where, data.format.
    """
    from trimpot import verbs
    from trimpot.cli.shown import show_check
    from trimpot.cli.terminal import Terminal
    from trimpot.config import data_settings

    data = data_settings(files, settings or ())
    with Terminal() as terminal:
        result = verbs.check_data(
            [*data.path, *data.test],
            output=output,
            clean=clean,
            keys=data.keys,
            rules=data.rules,
            where=data.where or None,
            format=data.format,
            E0s=data.E0s,
            fit=not no_fit,
            threads=threads,
            watcher=terminal,
        )
    if as_json:
        print_result(result.to_dict())
    else:
        show_check(result)
    if result.failed(strict=strict):
        raise typer.Exit(FAULTS)
