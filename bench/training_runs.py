"""Runs of ``trimpot train`` as a user starts them, and what they took."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from machine import busy_seconds

import trimpot

TRIMPOT = Path(sys.executable).with_name("trimpot")
DATA = Path(__file__).parents[2] / "shared" / "data"


@dataclass(frozen=True)
class Usage:
    """What one process took, from its start to its end.

    Attributes
    ----------
    wall, cpu : float
        Seconds; ``cpu`` is user and system time of all threads.
    peak_gb : float
        Largest resident memory, 1e9 bytes.
    others : float or None
        Share of the machine's cores that other processes took meanwhile, 0 to 1.
    """

    wall: float
    cpu: float
    peak_gb: float
    others: float | None


@dataclass(frozen=True)
class Training:
    """One training run.

    Attributes
    ----------
    usage : Usage
        Of the whole command: read, fit, errors of all frames, figures, pages.
    fit_seconds : float
        Wall seconds from the start of the command to the solution: imports, reading,
        rows, cross-validation, solve.
    solve_seconds : float
        The last part of it: from the Gram blocks to the solution.
    n_coefficients, choices : int
    strengths : dict
        kappa, ridge, curvature that the cross-validation chose.
    errors : dict
        errors.json; empty after a refit.
    """

    usage: Usage
    fit_seconds: float
    solve_seconds: float
    n_coefficients: int
    choices: int
    strengths: dict[str, float]
    errors: dict[str, dict]

    def error(self, quantity: str, measure: str = "rmse", group: str = "all") -> float:
        """Return an error on the test frames in the unit of errors.json."""
        grouping = "all" if group == "all" else "config_type"
        for row in self.errors["test"]["rows"]:
            if (row["quantity"], row["grouping"], row["group"]) == (
                quantity,
                grouping,
                group,
            ):
                return row[measure]
        return float("nan")


def run(command: list[str]) -> tuple[Usage, list[tuple[float, str]]]:
    """Return what a command took, and its messages with the seconds when each came."""
    busy = busy_seconds()
    start = time.perf_counter()
    messages = []
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        messages.extend(
            (time.perf_counter() - start, line.rstrip()) for line in process.stderr
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - start
    if process.returncode != 0:
        last = "\n".join(text for _, text in messages[-20:])
        raise RuntimeError(f"{' '.join(command)} failed:\n{last}")
    cpu = used.ru_utime + used.ru_stime
    peak = used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    others = None
    if busy is not None:
        others = max(0.0, (busy_seconds() - busy - cpu) / (wall * os.cpu_count()))
    return Usage(wall, cpu, peak / 1e9, others), messages


def train(config: Path, folder: Path, *options: str) -> Training:
    """Return a run of ``trimpot train CONFIG --set output=FOLDER OPTIONS``."""
    if "--refit" not in options:
        # blocks of an earlier run would be reused, and the rows cost nothing
        (folder / "blocks.safetensors").unlink(missing_ok=True)
    usage, messages = run(
        [str(TRIMPOT), "train", str(config), "--set", f"output={folder}", *options]
    )
    facts = trimpot.load(folder / "model.trimpot").provenance
    errors = folder / "errors.json"
    chosen = _second(messages, "chosen from")
    return Training(
        usage,
        chosen,
        chosen - _second(messages, "Gram blocks kept", "fit to the Gram blocks"),
        facts["fit"]["conditions"]["n_coefficients"],
        facts["cross_validation"]["choices"],
        facts["fit"]["strengths"],
        json.loads(errors.read_text()) if errors.is_file() else {},
    )


def shown_strengths(training: Training) -> str:
    """Return kappa / ridge / curvature for a table."""
    s = training.strengths
    return f"{s['kappa']:g} / {s['ridge']:g} / {s['curvature']:g}"


def write_config(folder: Path, text: str) -> Path:
    """Write a configuration into a folder, made if missing; return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "config.in.yaml"
    path.write_text(text)
    return path


def _second(messages, *beginnings: str) -> float:
    """Return when the first message with one of these beginnings came."""
    return next(second for second, text in messages if text.startswith(beginnings))
