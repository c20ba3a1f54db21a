"""Time several profiles of several peers on several structures, one process each.

    python bench/peers/run.py --python mace=ENV/bin/python --python nequip=ENV/bin/python \
        --structures DIR --output FILE.jsonl [--profiles ...] [--cutoffs 5 6] ...

Options that this script does not know go to the drivers. A run that fails leaves a line
with its error.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
DRIVERS = {
    "mace": "mace",
    "nequip": "nequip",
    "allegro": "nequip",
    "sevennet": "sevennet",
    "mlanet": "mlanet",
}
"""First word of a profile, and whose driver runs it."""
PROFILES = [
    "mlanet",
    "mlanet-radial",
    "mace-64x0e",
    "mace-64x0e+64x1o",
    "nequip-l0",
    "nequip-l1",
    "nequip-l2",
    "allegro-l1",
    "sevennet-l1",
]


def run(python: str, profile: str, arguments: list[str], threads: str) -> str:
    """Return the JSON line of one driver; its error where there is none."""
    driver = DRIVERS[profile.split("-")[0]]
    pools = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    command = [python, str(HERE / f"{driver}_driver.py"), "--profile", profile, *arguments]
    done = subprocess.run(
        [*command, "--threads", threads],
        env={**os.environ, **dict.fromkeys(pools, threads)},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode == 0 and lines:
        return lines[-1]
    error = done.stderr.strip().splitlines()[-3:]
    return json.dumps({"profile": profile, "arguments": arguments, "error": error})


def summary(line: str) -> str:
    """Return the main numbers of a JSON line as a row."""
    record = json.loads(line)
    if "error" in record:
        return f"{record['profile']:<22} {' | '.join(record['error'])[:200]}"
    name = Path(record["structure"]).stem
    form = "compiled" if record["compile"] else "plain"
    numbers = [record["force_us_per_atom"], record["force_peak_mib"]]
    for size in record["batches"].split(","):
        if size:
            numbers += [record[f"train{size}_us_per_atom"], record[f"train{size}_peak_mib"]]
    row = " ".join(f"{number:9.1f}" for number in numbers)
    return (
        f"{record['profile']:<22} {name:<9} {record['cutoff']:.1f} {form:<8} "
        f"{record['threads']} {record['edges']:>7} {record['parameters']:>8} {row}"
    )


def main() -> None:
    """Run the combinations one after the other."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", action="append", required=True, metavar="DRIVER=PATH")
    parser.add_argument("--structures", type=Path, required=True)
    parser.add_argument("--names", nargs="+", default=["cu64", "water192", "cu512"])
    parser.add_argument("--profiles", nargs="+", default=PROFILES)
    parser.add_argument("--cutoffs", nargs="+", default=["5"])
    parser.add_argument("--threads", nargs="+", default=["1"])
    parser.add_argument("--output", type=Path, required=True)
    chosen, others = parser.parse_known_args()
    pythons = dict(text.split("=", 1) for text in chosen.python)
    profiles = [p for p in chosen.profiles if DRIVERS[p.split("-")[0]] in pythons]
    print("profile structure cutoff form threads edges parameters, then us/atom and MiB")
    combinations = itertools.product(chosen.names, chosen.cutoffs, chosen.threads, profiles)
    for name, cutoff, threads, profile in combinations:
        structure = str(chosen.structures / f"{name}.extxyz")
        arguments = ["--structure", structure, "--cutoff", cutoff, *others]
        line = run(pythons[DRIVERS[profile.split("-")[0]]], profile, arguments, threads)
        with chosen.output.open("a") as file:
            file.write(line + "\n")
        print(summary(line))
        sys.stdout.flush()


if __name__ == "__main__":
    main()
