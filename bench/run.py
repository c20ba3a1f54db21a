"""Runs the benchmarks one after the other and keeps what they print.

    python bench/run.py [--output DIR] [--write-docs] [NAME ...]

Without names: all but those that take long (ablation, choices, drift, durability,
envelope_layers, first_use, init, many_species, network_dynamics, network_recipes, qm7,
rivals, safety, scaling, screening, uncertainty and validation). One that lacks something
(LAMMPS, a potential file, data) says so and counts as passed.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).parent
BENCHMARKS = {
    "neighbors": ["--output", "{folder}"],
    "kernels": ["--output", "{folder}"],
    "scaling": ["--output", "{folder}"],
    "ase_overhead": ["--output", "{folder}"],
    "drift": ["--output", "{folder}"],
    "tungsten": ["--output", "{folder}"],
    "mlearn": ["--output", "{folder}"],
    "many_species": ["--output", "{folder}"],
    "edges": ["--output", "{folder}"],
    "rivals": ["--output", "{folder}"],
    "choices": ["--output", "{folder}"],
    "init": ["--output", "{folder}"],
    "safety": ["--output", "{folder}"],
    "durability": ["--output", "{folder}"],
    "screening": ["--output", "{folder}"],
    "uncertainty": ["--output", "{folder}"],
    "first_use": ["--output", "{folder}"],
    "ablation": ["--output", "{folder}"],
    "network_recipes": ["--output", "{folder}"],
    "network_dynamics": ["--output", "{folder}"],
    "envelope_layers": ["--output", "{folder}"],
    "qm7": ["--output", "{folder}"],
    "validation": ["--output", "{folder}"],
}
"""Script beside this one, and its arguments."""

ON_REQUEST = {
    "choices",
    "drift",
    "durability",
    "init",
    "many_species",
    "rivals",
    "safety",
    "scaling",
    "screening",
    "uncertainty",
    "first_use",
    "ablation",
    "network_recipes",
    "network_dynamics",
    "envelope_layers",
    "qm7",
    "validation",
}
"""Only run when named."""

NEED_TORCH = {
    *("edges", "rivals", "ablation", "network_recipes", "network_dynamics"),
    *("envelope_layers", "qm7"),
}

WRITE_DOCS = {
    *("neighbors", "kernels", "scaling", "ase_overhead", "drift"),
    *("tungsten", "mlearn", "many_species", "edges", "rivals"),
    *("choices", "init", "safety", "screening", "durability"),
    *("uncertainty", "first_use", "ablation", "network_recipes", "network_dynamics"),
    "envelope_layers",
    "validation",
}
"""Those that can renew their page under docs/benchmarks."""


def run(name: str, output: Path, *, write_docs: bool) -> int:
    """Print and keep the output of one benchmark; return its exit status."""
    folder = output / name
    folder.mkdir(parents=True, exist_ok=True)
    arguments = [word.format(folder=folder) for word in BENCHMARKS[name]]
    if write_docs and name in WRITE_DOCS:
        arguments.append("--write-docs")
    print(f"\n## {name}\n", flush=True)
    if name in NEED_TORCH and find_spec("torch") is None:
        print("skipped: no PyTorch; pip install 'trimpot[torch]'")
        return 0
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
    usual = [name for name in BENCHMARKS if name not in ON_REQUEST]
    parser.add_argument("names", nargs="*", metavar="NAME", default=usual)
    parser.add_argument("--output", type=Path, default=Path("runs/bench"))
    parser.add_argument(
        "--write-docs", action="store_true", help="Renew the pages of docs/benchmarks."
    )
    settings = parser.parse_args()
    unknown = set(settings.names) - set(BENCHMARKS)
    if unknown:
        parser.error(
            f"unknown: {', '.join(sorted(unknown))}; choose {', '.join(BENCHMARKS)}"
        )
    return max(
        run(name, settings.output, write_docs=settings.write_docs)
        for name in settings.names
    )


if __name__ == "__main__":
    sys.exit(main())
