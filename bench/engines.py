"""Whole steps of dynamics in LAMMPS: the plugin beside LAMMPS' own pair styles.

    python bench/engines.py [--rounds N] [--only CASE ...] [--output DIR] [--write-docs]

One executable runs all styles of a case in turn, from the same warm crystal (NVE, skin
1 A, default neigh_modify); times are those of whole steps by LAMMPS' clock, ratios are
medians of those of each round. Potentials are those of ../shared/potentials. With --kim
LMP MODEL a second executable runs the KIM model of W UF2,3 as well.
"""

from __future__ import annotations

import argparse
import re
import resource
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import keeping
import machine
import numpy as np
import pages
from engine_cases import (
    BIG,
    HALF,
    RANKS,
    SIZES,
    TWO,
    WEAK,
    Case,
    Style,
    cases,
    write_models,
)

from trimpot.engines.lammps.building import build_plugin
from trimpot.engines.lammps.running import Launch, environment

SKIN, LATTICE = 1.0, 3.165
"""Angstrom."""

REACH = 5.5 + SKIN
"""How wide the shell of ghosts is, angstrom."""

BYTES_PER_GHOST = 48
"""Positions to a ghost and its force back, each step."""

LATENCY_US, BYTES_PER_US = 1.5, 10_000.0
"""Of a message, and of a link between nodes (10 GB/s): assumptions."""

INPUT = """units metal
atom_style atomic
lattice {lattice}
region box block 0 {n[0]} 0 {n[1]} 0 {n[2]}
create_box 1 box
create_atoms 1 box
mass 1 {mass}
velocity all create 600 4928459 mom yes rot no dist gaussian
{pair}
neighbor 1.0 bin
timestep 0.001
fix 1 all nve
thermo {steps}
run {warmup}
run {steps}
"""
"""Atoms start at their sites with twice 300 K, half of which becomes potential energy."""


LOOP = re.compile(
    r"^Loop time of (\S+) on (\d+) procs for (\d+) steps with (\d+) atoms", re.M
)
PART = re.compile(r"^(Pair|Neigh|Comm|Modify)\s+\|[^|]*\|\s*(\S+)", re.M)
HELD = re.compile(r"Per MPI rank memory allocation .*= \S+ \| \S+ \| (\S+) Mbytes")


@dataclass(frozen=True)
class Kim:
    """Another executable that has a model by the KIM API."""

    lmp: str
    model: str
    mpiexec: str = "mpirun"


def run(case: Case, style: Style, folder: Path, lmp: str | None = None) -> dict:
    """Return microseconds per atom and step, and what LAMMPS says of parts and memory."""
    text = INPUT.format(
        lattice=case.lattice,
        n=style.cells or (case.repeats,) * 3,
        mass=case.mass,
        pair="\n".join(style.lines),
        warmup=max(1, style.steps // 10),
        steps=style.steps,
    )
    (folder / "in.lmp").write_text(text)
    launch = Launch.of(style.ranks, lmp=lmp)
    done = subprocess.run(
        launch.command(["-in", "in.lmp", "-log", "none"]),
        cwd=folder,
        env=environment(build_plugin().path),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise SystemExit((done.stdout + done.stderr)[-3000:])
    seconds, _, steps, atoms = LOOP.findall(done.stdout)[-1]
    parts = {k: float(v) for k, v in PART.findall(done.stdout)[-4:]}
    scale = 1e6 / int(steps) / int(atoms)
    return {
        "us": float(seconds) * scale,
        "parts": {k: v * scale for k, v in parts.items()},
        "said_mib": float(HELD.findall(done.stdout)[-1]),
        "peak_kib": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss,
        "atoms": int(atoms),
    }


def measured(case: Case, rounds: int, kim: Kim | None) -> dict:
    """Return all rounds of a case by style."""
    found: dict[str, list] = {name: [] for name in case.styles}
    with tempfile.TemporaryDirectory() as where, machine.Neighbours() as beside:
        folder = Path(where)
        write_models(folder)
        for _ in range(rounds):
            for name, style in case.styles.items():
                found[name].append(run(case, style, folder))
            if kim is not None:
                style = f"pair_style kim {kim.model}"
                for name, words in (("KIM mixed", "W mixed 1 1"), ("KIM double", "W")):
                    pair = Style((style, f"pair_coeff * * {words}"))
                    found.setdefault(name, []).append(run(case, pair, folder, kim.lmp))
    return {"rounds": found, "others": beside.others}


def ratio(found: dict, name: str, first: str) -> tuple[float, float, float]:
    """Return median, least and most of time over that of the first style."""
    rounds = found["rounds"]
    each = [a["us"] / b["us"] for a, b in zip(rounds[name], rounds[first], strict=True)]
    return statistics.median(each), min(each), max(each)


def text_of(name: str, case: Case, found: dict) -> str:
    """Return the table of a case, and what became of its targets."""
    lines, verdicts = [], []
    for style, rounds in found["rounds"].items():
        us = statistics.median(one["us"] for one in rounds)
        pair = statistics.median(one["parts"]["Pair"] for one in rounds)
        middle, least, most = ratio(found, style, case.first)
        lines.append(
            [style, f"{us:.3f}", f"{pair:.3f}", f"{middle:.2f}", f"{least:.2f}-{most:.2f}"]
        )
    for style, target in case.targets.items():
        middle = ratio(found, style, case.first)[0]
        word = "met" if middle >= target else "**missed**"
        verdicts.append(
            f"{style} over {case.first}: {middle:.2f} (target {target:g}: {word})"
        )
    head = ["style", "step, µs/atom", "of it Pair", f"over {case.first}", "range"]
    busy = (
        f"; other work took {found['others']:.0%} of the machine" if found["others"] else ""
    )
    said = f"{name}, {case.atoms:,} atoms{busy}\n\n{pages.table(head, lines)}\n"
    said += {BIG: memory_text, RANKS: weak_text, SIZES: model_text}.get(name, no_text)(
        found
    )
    return said + ("; ".join(verdicts) + ".\n" if verdicts else "")


def no_text(_: dict) -> str:
    """Return nothing more."""
    return ""


def memory_text(found: dict) -> str:
    """Return bytes per atom of a rank."""
    one = found["rounds"][TWO][0]
    atoms = one["atoms"] / 2
    return (
        f"Memory of a rank: {1024 * one['peak_kib'] / atoms:,.0f} bytes per atom of it at "
        f"the peak, all of LAMMPS included; LAMMPS says "
        f"{2**20 * one['said_mib'] / atoms:,.0f}.\n"
    )


def weak_text(found: dict) -> str:
    """Return how much of its speed a rank keeps beside another one."""
    middle = ratio(found, HALF, TWO)[0] / WEAK
    return f"As many atoms per rank on two ranks as on one: {middle:.0%} of its speed.\n"


def ghosts(n: float) -> float:
    """Return the number of ghosts around a cube of n atoms of W."""
    edge = LATTICE * (n / 2.0) ** (1.0 / 3.0)
    return n * ((edge + 2.0 * REACH) ** 3 / edge**3 - 1.0)


def model_text(found: dict) -> str:
    """Return a model of cost, t = a n + b n_ghosts, and what it says of many ranks."""
    sizes, times = [], []
    for rounds in found["rounds"].values():
        n = rounds[0]["atoms"]
        sizes.append([n, ghosts(n)])
        times.append(n * statistics.median(one["us"] for one in rounds))
    matrix = np.array(sizes) / np.array(times)[:, None]  # relative errors count alike
    (a, b), *_ = np.linalg.lstsq(matrix, np.ones(len(times)), rcond=None)
    worst = np.abs(matrix @ [a, b] - 1.0).max()
    lines = []
    for n in (250, 1_000, 4_000, 32_000, 250_000):
        here, wire = a * n + b * ghosts(n), ghosts(n) * BYTES_PER_GHOST / BYTES_PER_US
        step = here + wire + 12 * LATENCY_US
        lines.append(
            [
                f"{n:,}",
                f"{ghosts(n) / n:.2f}",
                f"{ghosts(n) * BYTES_PER_GHOST / 1024:,.0f}",
                f"{step:,.0f}",
                f"{1e6 / step * 0.0864:,.1f}",
                f"{a * n / step:.0%}",
            ]
        )
    head = ["atoms per rank", "ghosts per atom", "KiB per step and rank"]
    head += ["step, µs", "ns/day at 1 fs", "of the speed without ghosts"]
    return (
        f"Fit of these sizes on one rank: {a:.3f} µs per atom and {b:.4f} µs per ghost, "
        f"within {worst:.0%}. On paper, with twelve messages of {LATENCY_US:g} µs and "
        f"{BYTES_PER_US / 1000:g} GB/s per rank between nodes (assumed, not measured), for "
        "any number of ranks, because each has six neighbours:\n\n"
        f"{pages.table(head, lines)}\n"
    )


def main(argv=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("runs/bench/engines"))
    parser.add_argument("--rounds", type=int, default=5)
    known = cases()
    parser.add_argument("--only", nargs="+", choices=list(known), default=list(known))
    parser.add_argument("--kim", nargs=2, metavar=("LMP", "MODEL"))
    parser.add_argument("--write-docs", action="store_true", help="Renew the page.")
    options = parser.parse_args(argv)
    texts, record = [], {}
    for name in options.only:
        case = known[name]
        kim = Kim(*options.kim) if options.kim and name == "W UF2,3" else None
        rounds = 1 if name == BIG else options.rounds

        def measure(_: Path, case=case, kim=kim, rounds=rounds) -> dict:
            return measured(case, rounds, kim)

        key = keeping.key(case, rounds, options.kim, build_plugin().path.parent.name)
        record[name] = keeping.kept(
            options.output / f"{name.replace(' ', '-')}-{key}", measure
        )
        texts.append(text_of(name, case, record[name]))
    text = f"{pages.facts([])}- rounds: {options.rounds}, styles in turn\n\n" + "\n".join(
        texts
    )
    pages.keep(options.output, "engines", text, record, write_docs=options.write_docs)
    return 0


if __name__ == "__main__":
    sys.exit(main())
