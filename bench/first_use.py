"""From nothing to dynamics on one's own frames: every command a new user types, timed.

    python bench/first_use.py [--output DIR] [--write-docs] [--data FILE]

Makes a fresh virtual environment in DIR, installs the source tree with pip, and runs
check-data, init, train, evaluate and md on a plain copy of the frames.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pages
import training_runs
from ase.build import bulk
from ase.io import write

import trimpot

DEFAULT = training_runs.DATA / "mlearn" / "Si_training.extxyz.xz"
ROOT = Path(__file__).parents[1]
LIMIT_MINUTES, LIMIT_COMMANDS = 10, 6


def commands(folder: Path) -> list[list[str]]:
    """Return what a user types, in order."""
    here = str(folder / "venv" / "bin" / "trimpot")
    model = "output/model.trimpot"
    return [
        [str(folder / "venv" / "bin" / "pip"), "install", "--quiet", str(ROOT)],
        [here, "check-data", "own.extxyz"],
        [here, "init", "own.extxyz"],
        [here, "train", "config.yaml", "--set", "output=output"],
        [here, "evaluate", model, "own.extxyz", "--output", "judged"],
        [
            *(here, "md", model, "crystal.cif", "--supercell", "5x5x5"),
            *("--temperature", "300", "--ensemble", "langevin", "--output", "run"),
            *("--steps", "2000"),
        ],
    ]


def timed(command: list[str], folder: Path) -> tuple[float, str]:
    """Return the seconds of a command and the last line that it printed."""
    start = time.perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr[-3000:]}")
    lines = done.stdout.strip().splitlines()
    return time.perf_counter() - start, lines[-1] if lines else ""


def prepare(folder: Path, data: Path) -> None:
    """Make an empty environment, the frames as plain text, and a crystal to run."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
    import lzma

    with lzma.open(data) as packed, (folder / "own.extxyz").open("wb") as plain:
        shutil.copyfileobj(packed, plain)
    element = trimpot.read(data).frames[0].structure.numbers[0]
    name = {14: "Si", 29: "Cu", 74: "W"}[int(element)]
    write(folder / "crystal.cif", bulk(name, cubic=True))


def table(rows) -> str:
    """Return commands with their times."""
    total = sum(seconds for _, seconds in rows)
    lines = [[f"`{text}`", f"{seconds:.0f} s"] for text, seconds in rows]
    lines.append([f"{len(rows)} commands", f"**{total / 60:.1f} minutes**"])
    return pages.table(["command", "time"], lines)


def shown(command: list[str]) -> str:
    """Return a command as a user types it."""
    text = " ".join(Path(w).name if "/bin/" in w else w for w in command)
    return text.replace(str(ROOT), ".")


def main(argv=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("runs/bench/first_use"))
    parser.add_argument("--write-docs", action="store_true", help="Renew the page.")
    parser.add_argument("--data", type=Path, default=DEFAULT)
    settings = parser.parse_args(argv)
    if not settings.data.exists():
        print(f"skipped: no file {settings.data}")
        return 0
    folder = settings.output.resolve() / "work"
    prepare(folder, settings.data.resolve())
    rows = [(shown(c), timed(c, folder)[0]) for c in commands(folder)]
    rmse = json.loads((folder / "output" / "errors.json").read_text())["test"]["rows"]
    errors = {r["quantity"]: r["rmse"] for r in rmse if r["grouping"] == "all"}
    run = json.loads((folder / "run" / "summary.json").read_text())
    text = "\n".join(
        [
            pages.facts([]),
            table(rows),
            f"RMSE on the test frames: energy {errors['energy']:.2f} meV/atom, forces "
            f"{errors['forces']:.1f} meV/A. Dynamics: {run['atoms']} atoms, 2 ps, largest "
            f"grade {run['grades']['largest']:.2f}.",
        ]
    )
    pages.keep(settings.output, "first-use", text, rows, write_docs=settings.write_docs)
    return 0


if __name__ == "__main__":
    sys.exit(main())
