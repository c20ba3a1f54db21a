"""The command ``trimpot learn``."""

from __future__ import annotations

from typing import Annotated

import typer

from trimpot.cli.options import Config, Json, Output, Settings, Traceback
from trimpot.cli.printing import example, print_result

EPILOG = example(
    "trimpot learn examples/tungsten-uf2.yaml --set output=runs/w",
    "trimpot learn config.yaml --fractions 1/16,1/8,1/4,1/2,1 --repeats 5 --output curve",
)


def learn(
    config: Config,
    settings: Settings = None,
    fractions: Annotated[
        str,
        typer.Option(metavar="X,X,...", help="Parts of the training frames, up to 1."),
    ] = "1/32,1/16,1/8,1/4,1/2,1",
    repeats: Annotated[
        int, typer.Option(min=1, help="Random parts of every size below 1.")
    ] = 3,
    output: Output = None,
    as_json: Json = False,
    traceback: Traceback = False,  # noqa: ARG001 - read by main
) -> None:
    """Draw errors against the number of training frames, to see what more data bring.

    Writes learning.csv, learning.json, learning.md and a figure to OUTPUT/learning of
    CONFIG, or to --output. A run that was stopped goes on where it was.
    """
    from trimpot import verbs
    from trimpot.cli.shown import show_learning
    from trimpot.cli.terminal import Terminal

    with Terminal() as terminal:
        result = verbs.learn(
            config,
            settings or (),
            fractions=numbers(fractions),
            repeats=repeats,
            output=output,
            watcher=terminal,
        )
    if as_json:
        print_result(result.to_dict())
    else:
        show_learning(result)


def numbers(text: str) -> list[float]:
    """Return the numbers of ``1/4,0.5,1``."""
    try:
        return [_number(word) for word in text.split(",") if word.strip()]
    except (ValueError, ZeroDivisionError):
        raise typer.BadParameter(
            f"--fractions {text!r}: expected numbers like 1/4,1/2,1"
        ) from None


def _number(word: str) -> float:
    above, _, below = word.partition("/")
    return float(above) / float(below or 1.0)
