"""Runs the benchmarks one after the other and keeps what they print.

    python bench/run.py [--output DIR] [NAME ...]

A benchmark that lacks something (LAMMPS, a potential file) says so and counts as passed.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
BENCHMARKS = {
    "neighbors": [],
    "uf23_vs_lammps": ["--output", "{folder}"],
}
"""Script beside this one, and its arguments."""


def run(name: str, output: Path) -> int:
    """Print and keep the output of one benchmark; return its exit status."""
    folder = output / name
    folder.mkdir(parents=True, exist_ok=True)
    arguments = [word.format(folder=folder) for word in BENCHMARKS[name]]
    print(f"\n## {name}\n", flush=True)
    command = [sys.executable, str(HERE / f"{name}.py"), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        lines = []
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(line)
    (folder / "output.txt").write_text("".join(lines))
    return process.returncode


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", default=list(BENCHMARKS))
    parser.add_argument("--output", type=Path, default=Path("runs/bench"))
    settings = parser.parse_args()
    unknown = set(settings.names) - set(BENCHMARKS)
    if unknown:
        parser.error(
            f"unknown: {', '.join(sorted(unknown))}; choose {', '.join(BENCHMARKS)}"
        )
    return max(run(name, settings.output) for name in settings.names)


if __name__ == "__main__":
    sys.exit(main())
