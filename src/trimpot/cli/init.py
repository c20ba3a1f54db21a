"""The command ``trimpot init``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trimpot.cli.options import Json, Threads, Traceback
from trimpot.cli.printing import example, print_result

EPILOG = example(
    "trimpot init frames.xyz && trimpot train config.yaml",
    "trimpot init 'bulk/*.xyz' surfaces.xyz test.xyz --recipe fast --output fast.yaml",
)


# Defaults that are shown here stand in verbs.initializing, which takes long to import; a
# test compares them.
def init(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILES...",
            help="Files, patterns; names with test or valid hold test frames.",
        ),
    ],
    recipe: Annotated[
        str,
        typer.Option(
            help="accurate; balanced and fast have cheaper terms; plain can be exported."
        ),
    ] = "accurate",
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The file to write.")
    ] = Path("config.yaml"),
    force: Annotated[
        bool, typer.Option("--force", help="Replace the file if it exists.")
    ] = False,
    threads: Threads = 0,
    as_json: Json = False,
    traceback: Traceback = False,  # noqa: ARG001 - read by main
) -> None:
    """Write a configuration chosen from the data, with the reason for every setting.

    Files, keys, split, E0s, cutoffs in the gaps of the radial distribution, knots, terms:
    it trains as it is.
    """
    from trimpot.cli.terminal import Terminal
    from trimpot.verbs.initializing import init as choose_settings

    with Terminal() as terminal:
        result = choose_settings(
            files,
            recipe=recipe,
            output=output,
            force=force,
            threads=threads,
            watcher=terminal,
        )
    if as_json:
        print_result(result.to_dict())
    else:
        print_result(f"{result.text}\nwritten to {output}")
