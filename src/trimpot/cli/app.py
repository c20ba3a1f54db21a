"""The command ``trimpot``: each verb parses, calls one function and prints.

Exit codes: 0 done; 3 done, but data have errors, a relaxation did not converge or a model
that ``validate`` judges is not as it should be; 2 wrong usage, input or settings; 1 a fault
of Trimpot itself; 130 and 143 stopped from outside.
"""

from __future__ import annotations

import signal
import sys
import threading
import traceback as traceback_module
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from trimpot.cli import (
    bench,
    check_data,
    compare,
    init,
    interchange,
    lammps,
    learn,
    md,
    relax,
    report,
    serve,
    singlepoint,
    suites,
    validate,
)
from trimpot.cli.options import (
    Config,
    Json,
    Model,
    Output,
    Settings,
    Threads,
    Traceback,
    Where,
    fields,
)
from trimpot.cli.printing import example as _example
from trimpot.cli.printing import print_result as _print
from trimpot.errors import TrimpotError
from trimpot.instruction_sets import check_environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import FrameType

USAGE, INTERNAL, INTERRUPTED, TERMINATED = 2, 1, 130, 143

app = typer.Typer(
    name="trimpot",
    help="Ultra-fast machine-learned interatomic potentials: train, judge and run.",
    epilog="Example: trimpot train examples/tungsten-uf23.yaml",
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.command(
    epilog=_example(
        "trimpot train examples/tungsten-uf23.yaml --set output=runs/w \\",
        "    --set model.terms.1.cutoff=4.25 --set data.path=frames.xyz",
        "trimpot train examples/tungsten-uf23.yaml --set output=runs/chosen \\",
        "    --set 'choose.model.terms.1.cutoff=[4.25, 4.75, 5.25]'",
    )
)
def train(
    config: Config,
    settings: Settings = None,
    refit: Annotated[
        bool,
        typer.Option("--refit", help="Fit again with other strengths, without data."),
    ] = False,
    print_config: Annotated[
        bool,
        typer.Option(
            "--print-config",
            help="Print all settings with defaults and stop.",
        ),
    ] = False,
    as_json: Json = False,
    traceback: Traceback = False,  # noqa: ARG001 - read by main
) -> None:
    """Train a potential from reference data and judge it.

    Writes OUTPUT/model.trimpot, errors, figures, model card and report.html. All keys of
    CONFIG: docs/reference/configuration.md. Of the settings listed under choose,
    cross-validation on the training frames takes the best. model.kind mlanet trains a
    network (needs PyTorch); a run that was stopped goes on when it is started again.
    """
    from trimpot.config import load_config, to_plain, to_yaml

    resolved = load_config(config, settings or ())
    if print_config:
        _print(to_plain(resolved) if as_json else to_yaml(resolved).rstrip())
        return
    from trimpot import verbs
    from trimpot.cli.shown import show_training, training_document
    from trimpot.cli.terminal import Terminal

    verb = verbs.refit if refit else verbs.train
    with Terminal() as terminal:
        result = verb(resolved, watcher=terminal)
    if as_json:
        _print(training_document(result))
    else:
        show_training(result)


@app.command(
    epilog=_example(
        "trimpot evaluate output/model.trimpot test.xyz --output judged \\",
        "    --where config_type=surface --set keys.energy=REF_energy",
    )
)
def evaluate(
    model: Model,
    data: Annotated[list[str], typer.Argument(metavar="DATA...", help="Files, patterns.")],
    output: Output = None,
    where: Where = None,
    settings: Settings = None,
    threads: Threads = 0,
    as_json: Json = False,
    traceback: Traceback = False,  # noqa: ARG001 - read by main
) -> None:
    """Print errors of a potential on data: overall, per group and element."""
    from trimpot import verbs
    from trimpot.cli.shown import show_evaluation
    from trimpot.cli.terminal import Terminal
    from trimpot.config import EvaluationSettings, apply_overrides, build

    reading = build(EvaluationSettings, apply_overrides({}, settings or ()))
    with Terminal() as terminal:
        result = verbs.evaluate(
            model,
            data,
            output=output,
            keys=reading.keys,
            rules=reading.rules,
            where=fields(where or []),
            threads=threads,
            watcher=terminal,
        )
    if as_json:
        folder = None if result.output is None else str(result.output)
        foretold = result.judgement.reliability
        document = {"errors": result.tables.to_dict(), "output": folder}
        if foretold is not None:
            document["uncertainty"] = foretold.to_dict()
        _print(document)
    else:
        show_evaluation(result)


@app.command(epilog=_example("trimpot show output/model.trimpot --output card"))
def show(
    model: Model,
    output: Output = None,
    as_json: Json = False,
    traceback: Traceback = False,  # noqa: ARG001 - read by main
) -> None:
    """Print the model card of a potential; with --output, draw its curves."""
    from trimpot import verbs

    result = verbs.show(model, output=output)
    _print(result.facts if as_json else result.card.rstrip())
    if result.output is not None:
        print(f"card and figures: {result.output}", file=sys.stderr)  # noqa: T201


app.command(epilog=init.EPILOG)(init.init)
app.command("check-data", epilog=check_data.EPILOG)(check_data.check_data)
app.command(epilog=md.EPILOG)(md.md)
app.command(epilog=compare.EPILOG)(compare.compare)
app.command(epilog=learn.EPILOG)(learn.learn)
app.command(epilog=relax.EPILOG)(relax.relax)
app.command(epilog=singlepoint.EPILOG)(singlepoint.singlepoint)
app.command(epilog=serve.EPILOG)(serve.serve)
app.command(epilog=validate.EPILOG)(validate.validate)
app.command(epilog=report.EPILOG)(report.report)
app.command(epilog=suites.EPILOG)(suites.suites)
app.command(epilog=bench.EPILOG)(bench.bench)
app.command(epilog=interchange.EXPORT_EPILOG)(interchange.export)
app.command("import", epilog=interchange.IMPORT_EPILOG)(interchange.import_)
app.add_typer(lammps.app)


@app.command(epilog=_example("trimpot info --json"))
def info(
    as_json: Json = False,
    traceback: Traceback = False,  # noqa: ARG001 - read by main
) -> None:
    """Print versions, processor, memory, optional parts; test the compiled core."""
    from trimpot.verbs.machine import machine_report, report_lines

    report = machine_report()
    _print(report if as_json else "\n".join(report_lines(report)))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        with _stopping_cleanly():
            check_environment()
            app(given, prog_name="trimpot")
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else INTERNAL
    except (TrimpotError, OSError) as error:  # OSError: a file or disk, not a fault
        return _report(error, given, USAGE)
    except Exception as error:  # noqa: BLE001 - the last resort of a program
        return _report(error, given, INTERNAL)
    return 0


@contextmanager
def _stopping_cleanly() -> Iterator[None]:
    """Let a run that is stopped from outside remove its partial files first."""
    codes = {signal.SIGINT: INTERRUPTED, signal.SIGTERM: TERMINATED}

    def stop(number: int, _frame: FrameType | None) -> None:
        print("stopped", file=sys.stderr)  # noqa: T201
        raise SystemExit(codes[signal.Signals(number)])

    if threading.current_thread() is not threading.main_thread():
        yield  # signals belong to the host
        return
    before = {number: signal.signal(number, stop) for number in codes}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _report(error: Exception, arguments: Sequence[str], code: int) -> int:
    """Print an error in one block; with --json also as a document on stdout."""
    kind = type(error).__name__
    if "--traceback" in arguments or code == INTERNAL:
        traceback_module.print_exception(error)
    if code == INTERNAL:
        text = (
            f"internal error ({kind}): {error}\nThis is a fault of Trimpot; please report "
            "it with the lines above and the command"
        )
    else:
        text = f"error: {error}"
    print(text, file=sys.stderr)  # noqa: T201
    if "--json" in arguments:
        _print({"error": {"kind": kind, "message": str(error)}})
    return code


if __name__ == "__main__":
    sys.exit(main())
