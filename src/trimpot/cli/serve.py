"""The command ``trimpot serve``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trimpot.cli.completing import kernel_precisions
from trimpot.cli.options import Json, Model, Threads, Traceback
from trimpot.cli.printing import example, print_result

EPILOG = example(
    "trimpot serve output/model.trimpot W.extxyz --port 31415",
    "trimpot serve output/model.trimpot W.extxyz --unix tungsten --threads 1",
)


# Defaults that are shown here stand in engines.ipi_connection; a test compares them.
def serve(
    model: Model,
    structure: Annotated[
        Path,
        typer.Argument(
            metavar="STRUCTURE", help="A file that ASE reads: the atoms of the driver."
        ),
    ],
    host: Annotated[
        str | None,
        typer.Option(help="Where the driver listens.", show_default="localhost"),
    ] = None,
    port: Annotated[
        int | None, typer.Option(help="Its port.", show_default="31415")
    ] = None,
    unix: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Its Unix socket instead, /tmp/ipi_NAME; a path if it has a slash.",
        ),
    ] = None,
    wait: Annotated[
        float, typer.Option(help="Seconds to wait for a driver that starts later.")
    ] = 30.0,
    precision: Annotated[
        str, typer.Option(help="double or mixed.", autocompletion=kernel_precisions)
    ] = "double",
    index: Annotated[
        int, typer.Option(help="Which structure of the file; -1: the last.")
    ] = -1,
    threads: Threads = 0,
    as_json: Json = False,
    traceback: Traceback = False,  # noqa: ARG001 - read by main
) -> None:
    """Serve a potential to a driver that moves atoms: i-PI, ASE, any with its protocol.

    Connects to the driver and answers until it ends. Elements, periodic directions and
    total charge are those of STRUCTURE; positions and cell come from the driver, for the
    same atoms in the same order.
    """
    from trimpot.cli.terminal import Terminal
    from trimpot.verbs.serving import Address, served_document, served_lines
    from trimpot.verbs.serving import serve as run

    given = {"host": host, "port": port, "unix": unix}
    if unix is not None and (host is not None or port is not None):
        raise typer.BadParameter("expected --unix, or --host and --port, not both")
    chosen = {name: value for name, value in given.items() if value is not None}
    with Terminal() as terminal:
        served = run(
            model,
            structure,
            Address(**chosen),  # type: ignore[arg-type]  # it checks every value
            index=index,
            precision=precision,  # type: ignore[arg-type]  # checked there too
            threads=threads,
            wait=wait,
            watcher=terminal,
        )
    print_result(served_document(served) if as_json else "\n".join(served_lines(served)))
