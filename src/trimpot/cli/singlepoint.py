"""The command ``trimpot singlepoint``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trimpot.cli.options import Json, Model, Settings, Threads, Traceback
from trimpot.cli.printing import example, print_result

EPILOG = example(
    "trimpot singlepoint output/model.trimpot POSCAR",
    "trimpot singlepoint output/model.trimpot frames.extxyz --output predicted.extxyz",
)


def singlepoint(
    model: Model,
    structures: Annotated[
        list[str],
        typer.Argument(metavar="STRUCTURE...", help="Files, patterns; all their frames."),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE.extxyz",
            help="Write the frames with energy, forces and stress.",
        ),
    ] = None,
    rows: Annotated[int, typer.Option(min=0, help="Most rows of the table; 0: all.")] = 40,
    settings: Settings = None,
    threads: Threads = 0,
    as_json: Json = False,
    traceback: Traceback = False,  # noqa: ARG001 - read by main
) -> None:
    """Print energy, largest force and pressure of structures, beside their labels.

    Structures need no labels. With --output, energies, energies per atom, forces and
    stresses are written in the names that ASE uses.
    """
    from dataclasses import asdict

    from trimpot import verbs
    from trimpot.cli.shown import show_single_points
    from trimpot.cli.terminal import Terminal
    from trimpot.config import EvaluationSettings, apply_overrides, build
    from trimpot.verbs.singlepoints import RULES

    defaults = {"rules": asdict(RULES)}
    reading = build(EvaluationSettings, apply_overrides(defaults, settings or ()))
    with Terminal() as terminal:
        result = verbs.singlepoint(
            model,
            structures,
            output=output,
            keys=reading.keys,
            rules=reading.rules,
            threads=threads,
            watcher=terminal,
        )
    if as_json:
        print_result(result.to_dict())
    else:
        show_single_points(result, rows)
