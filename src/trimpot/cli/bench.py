"""The verb ``bench`` on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trimpot.cli.options import Json, Output, Traceback
from trimpot.cli.printing import example, print_result

if TYPE_CHECKING:
    from collections.abc import Sequence

EPILOG = example(
    "trimpot bench output/model.trimpot --atoms 2000 --output cost \\",
    "    --rival eam/alloy=W.eam.alloy",
)


def bench(
    model: Annotated[
        Path,
        typer.Argument(
            metavar="MODEL", help="Potential file: NAME.trimpot, or .uf3 and .json of uf3."
        ),
    ],
    structure: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Structure to run on; without one a crystal of the elements at 300 K.",
        ),
    ] = None,
    atoms: Annotated[
        str, typer.Option(metavar="N,N,...", help="Numbers of atoms.")
    ] = "2000,16000",
    threads: Annotated[
        str,
        typer.Option(metavar="N,N,...", help="Threads; LAMMPS gets as many MPI processes."),
    ] = "1",
    precision: Annotated[
        str, typer.Option(metavar="P,P", help="double, mixed.")
    ] = "double,mixed",
    rivals: Annotated[
        str,
        typer.Option(
            metavar="NAME,...",
            help="auto, none, or of uf3, table, lj/cut, lj/cut/opt, morse, morse/opt.",
        ),
    ] = "auto",
    rival: Annotated[
        list[str] | None,
        typer.Option(
            "--rival",
            metavar="STYLE=FILE",
            help="Pair style with its file, as eam/alloy=W.eam.alloy; may be repeated.",
        ),
    ] = None,
    repeats: Annotated[int, typer.Option(min=1, help="Runs of each subject.")] = 5,
    steps: Annotated[int, typer.Option(min=1, help="Timed steps of a run.")] = 100,
    output: Output = None,
    as_json: Json = False,
    traceback: Traceback = False,  # noqa: ARG001 - read by main
) -> None:
    """Time the force calls of a potential here, beside pair styles of LAMMPS.

    Runs at constant energy from the same state, in turn. With --output: results.json,
    results.md, figures.
    """
    from trimpot.benchmarks.running import RunSettings
    from trimpot.cli.shown import show_bench
    from trimpot.cli.terminal import Terminal
    from trimpot.verbs.benchmarking import Comparison
    from trimpot.verbs.benchmarking import bench as measure

    comparison = Comparison(
        atoms=_numbers(atoms, "--atoms"),
        threads=_numbers(threads, "--threads"),
        precisions=tuple(_words(precision)),  # type: ignore[arg-type]  # checked by follow
        rivals=tuple(_words(rivals)),
        files=tuple(_style_and_file(text) for text in rival or ()),
        runs=RunSettings(steps=steps, repeats=repeats),
    )
    with Terminal() as terminal:
        result = measure(
            model, comparison, structure=structure, output=output, watcher=terminal
        )
    if as_json:
        print_result(result.to_dict())
    else:
        show_bench(result)


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _numbers(text: str, option: str) -> tuple[int, ...]:
    words: Sequence[str] = _words(text)
    if not words or not all(word.isdigit() and int(word) > 0 for word in words):
        raise typer.BadParameter(
            f"{option} {text!r}: expected whole numbers like 2000,16000"
        )
    return tuple(int(word) for word in words)


def _style_and_file(text: str) -> tuple[str, Path]:
    style, sign, name = text.partition("=")
    if not sign or not name:
        raise typer.BadParameter(f"--rival {text!r}: expected STYLE=FILE")
    return style, Path(name)
