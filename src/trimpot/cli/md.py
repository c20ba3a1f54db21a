"""The command ``trimpot md``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, get_args

import typer

from trimpot.cli.completing import engines, ensembles, potential_files, precisions
from trimpot.cli.options import Json, Traceback
from trimpot.cli.printing import example, print_result

EPILOG = example(
    "trimpot md output/model.trimpot W.cif --supercell 6x6x6 --temperature 3000 \\",
    "    --ensemble langevin --steps 20000 --output hot",
    "trimpot md output/model.trimpot hot/final.extxyz --steps 100000 --output hot-nve",
    "trimpot md output/model.trimpot hot/final.extxyz --ensemble npt --pressure 0 \\",
    "    --temperature 3000:4500 --steps 100000 --output melting",
    "trimpot md output/model.trimpot W.cif --engine lammps --ranks 4 --temperature 300",
    "trimpot md --resume melting",
)


# Defaults that are shown here stand in engines.md_settings, which takes long to import;
# a test compares them.
def md(
    model: Annotated[
        Path | None,
        typer.Argument(
            metavar="MODEL",
            help="Potential file, NAME.trimpot.",
            autocompletion=potential_files,
        ),
    ] = None,
    structure: Annotated[
        Path | None,
        typer.Argument(metavar="STRUCTURE", help="A file that ASE reads."),
    ] = None,
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="DIR", help="Folder of a new run."),
    ] = Path("md"),
    resume: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Go on from the last checkpoint of a run; needs no MODEL and STRUCTURE. "
            "Only --steps, --stop-grade, --threads and --ranks may change.",
        ),
    ] = None,
    ensemble: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="nve (constant energy), langevin or nvt (constant temperature), npt "
            "(constant pressure too, cell keeps its shape), npt-full (cell changes shape).",
            show_default="nve",
            autocompletion=ensembles,
        ),
    ] = None,
    temperature: Annotated[
        str | None,
        typer.Option(
            metavar="K[:K]",
            help="K, or FROM:TO, linear over the run; nve does without if the structure "
            "has velocities.",
        ),
    ] = None,
    pressure: Annotated[
        str | None,
        typer.Option(
            metavar="GPA[:GPA]",
            help="GPa, or FROM:TO, linear over the run; positive compresses. npt only.",
        ),
    ] = None,
    steps: Annotated[
        int | None, typer.Option(help="Number of steps.", show_default="1000")
    ] = None,
    timestep: Annotated[
        float | None, typer.Option(help="Time step in fs.", show_default="1.0")
    ] = None,
    friction: Annotated[
        float | None,
        typer.Option(help="Of langevin, 1/ps.", show_default="10.0"),
    ] = None,
    thermostat_time: Annotated[
        float | None,
        typer.Option(help="Of nvt, npt, npt-full, fs.", show_default="100.0"),
    ] = None,
    barostat_time: Annotated[
        float | None,
        typer.Option(help="Of npt, npt-full, fs.", show_default="1000.0"),
    ] = None,
    precision: Annotated[
        str | None,
        typer.Option(
            help="auto, double or mixed.", show_default="auto", autocompletion=precisions
        ),
    ] = None,
    supercell: Annotated[
        str, typer.Option(metavar="NXxNYxNZ", help="Copies of the cell.")
    ] = "1x1x1",
    index: Annotated[
        int, typer.Option(help="Which structure of the file; -1: the last.")
    ] = -1,
    seed: Annotated[
        int | None, typer.Option(help="Of velocities and noise.", show_default="0")
    ] = None,
    log_interval: Annotated[
        int | None, typer.Option(help="Steps between log lines.", show_default="10")
    ] = None,
    trajectory_interval: Annotated[
        int | None,
        typer.Option(help="Steps between frames; 0: none.", show_default="100"),
    ] = None,
    trajectory_format: Annotated[
        str | None,
        typer.Option(help="extxyz or extxyz.gz (compressed).", show_default="extxyz"),
    ] = None,
    checkpoint_interval: Annotated[
        int | None,
        typer.Option(
            help="Steps between checkpoints, what a killed run loses at most; 0: none.",
            show_default="1000",
        ),
    ] = None,
    structure_interval: Annotated[
        int | None,
        typer.Option(
            help="Steps between looks at distances and displacements; 0: none.",
            show_default="500",
        ),
    ] = None,
    grade_interval: Annotated[
        int | None,
        typer.Option(
            help="Steps between looks at extrapolation grades; 0: never.",
            show_default="so many that they take a fifth of the time",
        ),
    ] = None,
    warn_grade: Annotated[
        float | None,
        typer.Option(help="Structures above are saved.", show_default="1.0"),
    ] = None,
    stop_grade: Annotated[
        str | None,
        typer.Option(
            metavar="X", help="The run stops above; never: it does not.", show_default="3.0"
        ),
    ] = None,
    engine: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="embedded, or lammps: LAMMPS takes the steps, on --ranks processes.",
            show_default="embedded",
            autocompletion=engines,
        ),
    ] = None,
    ranks: Annotated[
        int | None,
        typer.Option(min=1, help="MPI processes of lammps.", show_default="1"),
    ] = None,
    lmp: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Executable of LAMMPS.", show_default="the one found"
        ),
    ] = None,
    mpiexec: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Launcher of MPI.", show_default="the one of LAMMPS"
        ),
    ] = None,
    lammps_include: Annotated[
        str | None,
        typer.Option(
            metavar="DIR", help="Headers of LAMMPS.", show_default="of the package"
        ),
    ] = None,
    mpicxx: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Compiler of MPI programs.", show_default="the one found"
        ),
    ] = None,
    figures: Annotated[bool, typer.Option(help="Draw figures at the end.")] = True,
    threads: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Threads (lammps: of each process); 0: all available cores.",
            show_default="0",
        ),
    ] = None,
    as_json: Json = False,
    traceback: Traceback = False,  # noqa: ARG001 - read by main
) -> None:
    """Run molecular dynamics of a structure, or let a run go on.

    Writes OUTPUT/log.csv, trajectory.extxyz, checkpoint.trimpot-md, final.extxyz, rdf.csv,
    msd.csv, summary.json and figures. Stops when an energy or a force is not finite, or
    when atoms are too far from the training data.
    """
    from trimpot.cli.terminal import Terminal
    from trimpot.engines.lammps.settings import LammpsSettings
    from trimpot.engines.md_settings import MdSettings
    from trimpot.verbs.dynamics import md as run_md
    from trimpot.verbs.dynamics import md_document, md_lines
    from trimpot.verbs.md_resuming import resume_md

    start_k, end_k = ramp(temperature, "--temperature")
    start_gpa, end_gpa = ramp(pressure, "--pressure")
    given = {
        "ensemble": ensemble,
        "temperature_k": start_k,
        "temperature_end_k": end_k,
        "pressure_gpa": start_gpa,
        "pressure_end_gpa": end_gpa,
        "steps": steps,
        "timestep_fs": timestep,
        "friction_per_ps": friction,
        "thermostat_time_fs": thermostat_time,
        "barostat_time_fs": barostat_time,
        "precision": precision,
        "seed": seed,
        "log_interval": log_interval,
        "trajectory_interval": trajectory_interval,
        "trajectory_format": trajectory_format,
        "checkpoint_interval": checkpoint_interval,
        "structure_interval": structure_interval,
        "grade_interval": grade_interval,
        "warn_grade": warn_grade,
        "threads": threads,
    }
    chosen: dict[str, object] = {k: v for k, v in given.items() if v is not None}
    chosen |= grade(stop_grade)
    copies = counts(supercell)
    programs = {
        "ranks": ranks,
        "lmp": lmp,
        "mpiexec": mpiexec,
        "include": lammps_include,
        "compiler": mpicxx,
    }
    given_programs = {k: _placed(v) for k, v in programs.items() if v is not None}
    check_engine(engine, given_programs, resumed=resume is not None)
    with Terminal() as terminal:
        if resume is not None:
            done = resume_md(
                resume,
                model=model,
                structure=structure,
                supercell=copies,
                changes=chosen,
                engine=engine,  # type: ignore[arg-type]  # checked above
                programs=given_programs,
                figures=figures,
                watcher=terminal,
            )
        elif model is None or structure is None:
            raise typer.BadParameter(
                "expected MODEL and STRUCTURE for a new run, or --resume DIR"
            )
        else:
            done = run_md(
                model,
                structure,
                MdSettings(**chosen),  # type: ignore[arg-type]  # it checks every value
                output=output,
                index=index,
                supercell=copies,
                lammps=LammpsSettings(**given_programs) if engine == "lammps" else None,  # type: ignore[arg-type]
                figures=figures,
                watcher=terminal,
            )
    print_result(md_document(done) if as_json else "\n".join(md_lines(done)))


def check_engine(engine: str | None, programs: dict[str, object], *, resumed: bool) -> None:
    """Refuse unknown engines, and options of LAMMPS without it."""
    from trimpot.verbs.md_engines import EngineName

    names = get_args(EngineName)
    if engine not in (None, *names):
        raise typer.BadParameter(f"--engine is {engine!r}: expected {' or '.join(names)}")
    if programs and engine != "lammps" and not (resumed and engine is None):
        raise typer.BadParameter(
            "--ranks, --lmp, --mpiexec, --lammps-include and --mpicxx belong to --engine "
            "lammps; add it, or leave them out"
        )


def _placed(value: object) -> object:
    """Return an absolute path for one that exists: a run may go on from elsewhere."""
    if isinstance(value, str) and Path(value).exists():
        return str(Path(value).absolute())
    return value


def counts(text: str) -> tuple[int, int, int]:
    """Return the three counts of ``NXxNYxNZ``."""
    parts = text.lower().split("x")
    if len(parts) != 3 or not all(part.strip().isdecimal() for part in parts):
        raise typer.BadParameter(f"{text!r}: expected NXxNYxNZ, such as 4x4x4")
    x, y, z = (int(part) for part in parts)
    return x, y, z


def ramp(text: str | None, option: str) -> tuple[float | None, float | None]:
    """Return the numbers of ``FROM:TO``, or of one alone."""
    if text is None:
        return None, None
    try:
        values = [float(part) for part in text.split(":")]
    except ValueError:
        values = []
    if len(values) not in (1, 2):
        raise typer.BadParameter(
            f"{option} is {text!r}: expected a number, or FROM:TO such as 300:3000"
        )
    return values[0], values[1] if len(values) == 2 else None


def grade(text: str | None) -> dict[str, float | None]:
    """Return the setting of ``--stop-grade``, if it is given."""
    if text is None:
        return {}
    if text == "never":
        return {"stop_grade": None}
    try:
        return {"stop_grade": float(text)}
    except ValueError:
        raise typer.BadParameter(
            f"--stop-grade is {text!r}: expected a number or never"
        ) from None
