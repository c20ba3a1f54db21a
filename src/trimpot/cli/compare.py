"""The command ``trimpot compare``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trimpot.cli.completing import potential_files
from trimpot.cli.options import Json, Output, Settings, Threads, Traceback, Where, fields
from trimpot.cli.printing import example, print_result

EPILOG = example(
    "trimpot compare runs/a/model.trimpot runs/b/model.trimpot --data test.xyz \\",
    "    --time --output compared",
)


def compare(
    models: Annotated[
        list[Path],
        typer.Argument(
            metavar="MODEL...",
            help="Potential files: NAME.trimpot, or .uf3 and .json of uf3.",
            autocompletion=potential_files,
        ),
    ],
    data: Annotated[
        list[str],
        typer.Option("--data", metavar="FILE", help="File or pattern; may be repeated."),
    ],
    output: Output = None,
    time: Annotated[
        bool, typer.Option("--time", help="Time force calls of each model here, in turn.")
    ] = False,
    atoms: Annotated[
        int, typer.Option(min=1, help="Atoms of the crystal that is timed.")
    ] = 2000,
    where: Where = None,
    settings: Settings = None,
    threads: Threads = 0,
    as_json: Json = False,
    traceback: Traceback = False,  # noqa: ARG001 - read by main
) -> None:
    """Compare models on the same frames: errors, per group too, size, time.

    With --output: compare.json, compare.md and figures.
    """
    from trimpot import verbs
    from trimpot.cli.shown import show_comparison
    from trimpot.cli.terminal import Terminal
    from trimpot.config import EvaluationSettings, apply_overrides, build

    reading = build(EvaluationSettings, apply_overrides({}, settings or ()))
    with Terminal() as terminal:
        result = verbs.compare(
            models,
            data,
            output=output,
            keys=reading.keys,
            rules=reading.rules,
            where=fields(where or []),
            time=time,
            atoms=atoms,
            threads=threads,
            watcher=terminal,
        )
    if as_json:
        print_result(result.to_dict())
    else:
        show_comparison(result)
