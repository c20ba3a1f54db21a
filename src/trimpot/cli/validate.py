"""The command ``trimpot validate``."""

from __future__ import annotations

import typer

from trimpot.cli.judging_options import (
    Atoms,
    Checks,
    DataFiles,
    FitE0,
    Long,
    Models,
    Only,
    Processes,
    Structures,
    SuiteName,
    Time,
)
from trimpot.cli.options import Json, Output, Settings, Threads, Traceback, Where, fields
from trimpot.cli.printing import example, print_result

BAD = 3
"""Exit code: done, but a model is not as it should be."""

EPILOG = example(
    "trimpot validate output/model.trimpot --output judged",
    "trimpot validate output/model.trimpot eam.lammps.yaml --suite tungsten \\",
    "    --data test.xyz --time --output judged",
    "trimpot validate output/model.trimpot --structures structures.extxyz \\",
    "    --only derivatives --only nve-drift",
)


def validate(
    models: Models,
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
    output: Output = None,
    processes: Processes = 0,
    threads: Threads = 0,
    as_json: Json = False,
    traceback: Traceback = False,  # noqa: ARG001 - read by main
) -> None:
    """Judge models: physical checks, properties of a suite, errors on data, costs.

    The first model is judged, others stand beside it. Every check has a bound and a grade:
    A to C passed, D to F did not. With --output writes everything and report.html there;
    what is there already is not measured again. Exit code 3: a mandatory check failed, or a
    property of the first model is off or could not be measured.
    """
    from trimpot.cli.terminal import Terminal
    from trimpot.config import EvaluationSettings, apply_overrides, build
    from trimpot.validation.checks import CheckSettings
    from trimpot.verbs.validating import validate as run

    reading = build(EvaluationSettings, apply_overrides({}, settings or ()))
    with Terminal() as terminal:
        done = run(
            models,
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
        from trimpot.cli.shown_judged import show_validation

        show_validation(done)
    if not done.passed:
        raise typer.Exit(BAD)
