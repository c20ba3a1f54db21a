"""The command ``trimpot report``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trimpot.cli.completing import model_files
from trimpot.cli.judging_options import (
    Atoms,
    Checks,
    DataFiles,
    FitE0,
    Long,
    Only,
    Processes,
    Structures,
    SuiteName,
    Time,
)
from trimpot.cli.options import Json, Settings, Threads, Traceback, Where, fields
from trimpot.cli.printing import example, print_result

EPILOG = example(
    "trimpot report judged",
    "trimpot report output/model.trimpot eam.lammps.yaml --suite tungsten \\",
    "    --data test.xyz --time --output judged",
)


def report(
    what: Annotated[
        list[Path],
        typer.Argument(
            metavar="DIR|MODEL...",
            help="A folder of validate --output; or models, as validate takes them.",
            autocompletion=model_files,
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="DIR", help="Folder for models; judged by default."
        ),
    ] = None,
    structures: Structures = None,
    suite: SuiteName = None,
    data: DataFiles = None,
    where: Where = None,
    settings: Settings = None,
    fit_e0: FitE0 = False,
    time: Time = False,
    atoms: Atoms = 2000,
    checks: Checks = None,
    only: Only = None,
    long: Long = False,
    processes: Processes = 0,
    threads: Threads = 0,
    as_json: Json = False,
    traceback: Traceback = False,  # noqa: ARG001 - read by main
) -> None:
    """Make one page of a judgement: report.html, for a browser, without a network.

    Of a folder nothing is measured again, only drawn; of models everything is measured
    that is not in the folder yet, as validate does.
    """
    from trimpot import verbs
    from trimpot.cli.terminal import Terminal
    from trimpot.config import EvaluationSettings, apply_overrides, build
    from trimpot.validation.checks import CheckSettings

    reading = build(EvaluationSettings, apply_overrides({}, settings or ()))
    with Terminal() as terminal:
        done = verbs.report(
            what,
            structures or (),
            CheckSettings(threads=threads),
            suite=suite,
            data=data or (),
            keys=reading.keys,
            rules=reading.rules,
            where=fields(where or []),
            fit_e0=fit_e0,
            time=time,
            atoms=atoms,
            checks=checks,
            only=only or (),
            long=long,
            output=output,
            processes=processes,
            watcher=terminal,
        )
    if as_json:
        print_result(done.to_dict())
    else:
        from trimpot.cli.shown_judged import show_report

        show_report(done)
