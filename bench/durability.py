"""Kills training and dynamics at random instants, and fills their disks.

    python bench/durability.py [--output DIR] [--kills N] [--write-docs]

Every killed run is started again until it ends. After each kill all files must be whole,
the next attempt must go on where the last one was, up to one interval, and the results must
be those of a run that nothing stopped, to the last bit. Full disks must end in one clear
message, keep the old results, and hinder nothing once there is room.

What DIR holds of an earlier run is taken from there (kills-NAME.json, disks.json): remove
it to measure anew.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from dataclasses import asdict
from pathlib import Path

import ase.io
import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "examples"))

import machine  # noqa: E402
import pages  # noqa: E402
import silicon_data  # noqa: E402
from durability_tables import text_of  # noqa: E402
from full_disks import Case, FullDisk, can_mount, fill_disks  # noqa: E402
from interrupted_runs import Job, emptied, run  # noqa: E402
from killing import Judge, Killed, kill_often  # noqa: E402
from lost_work import (  # noqa: E402
    begun,
    begun_pass,
    beyond_kept,
    different_beyond_rounding,
    different_but_times,
    different_files,
    fits_kept,
    seconds_of_pass,
    step_of_checkpoint,
)

STEPS, CHECKPOINT_STEPS = 2000, 100
"""Of the dynamics, and between its checkpoints; the default is 1000."""

WRITING = '"note": "writing'
INTERVAL = 0.05
"""Seconds between two writes of the sums in these runs; the default is 60."""

INTERVALS = (
    f"Intervals: {INTERVAL:g} s between two writes of the sums, or 20 times what one "
    f"takes; {CHECKPOINT_STEPS} steps between two checkpoints of the dynamics.\n"
)
COUNTS = {"bulk": 30, "strained": 30, "hot": 0, "vacancy": 20, "surface": 5}
CONFIGURATION = f"""\
data: {{path: ../si.extxyz}}
model:
  terms:
  - {{kind: pair, cutoff: 5.0, intervals: 25}}
  - {{kind: triplet, cutoff: 4.2, intervals: 7, intervals_jk: 8}}
fit: {{folds: 5, kappa: [0.5, 0.9], ridge: 1.0e-8, curvature: [1.0e-8, 1.0e-6]}}
output: out
threads: 1
checkpoint_seconds: {INTERVAL}
"""
FITS = 7
"""Of the learning curve: three of each size, one of all frames."""

TRAIN = ("train", "../train.yaml")
NO_FIGURES = ("--set", "figures=false")
CHOOSE = ("--set", "choose.model.terms.1.intervals=[4, 5, 6]")
JOBS = {
    "train": Job("training", (*TRAIN, *NO_FIGURES), "out", WRITING),
    "figures": Job("training with figures", TRAIN, "out", WRITING),
    "choose": Job("training with a choice", (*TRAIN, *CHOOSE, *NO_FIGURES), "out", WRITING),
    "learn": Job(
        "learning curve",
        ("learn", "../train.yaml", "--fractions", "1/4,1/2,1", "--output", "learning"),
        "learning",
        f'"stage": "fits", "done": {FITS}, "total": {FITS}',
    ),
}
SHARES = {
    "train": 0.3,
    "choose": 0.13,
    "figures": 0.05,
    "learn": 0.1,
    "langevin": 0.3,
    "npt": 0.12,
}
"""Of the kills."""


def dynamics(name: str, *options: str) -> Job:
    """Return a job of molecular dynamics."""
    return Job(
        f"dynamics, {name}",
        ("md", *INPUTS, "--output", "md", *DYNAMICS, *options),
        "md",
        f'"done": {STEPS}, "total": {STEPS}',
        resume=("md", "--resume", "md", "--no-figures"),
        goes_on_from="checkpoint.trimpot-md",
        complete="summary.json",
    )


INPUTS = ("../model.trimpot", "../start.extxyz")
DYNAMICS = (
    *("--steps", str(STEPS), "--temperature", "600", "--seed", "1", "--threads", "1"),
    *("--log-interval", "10", "--trajectory-interval", "50", "--no-figures"),
    *("--checkpoint-interval", str(CHECKPOINT_STEPS), "--grade-interval", "100"),
)
JOBS |= {
    "langevin": dynamics("Langevin", "--ensemble", "langevin"),
    "npt": dynamics("constant pressure", "--ensemble", "npt", "--pressure", "0"),
}


def prepare(folder: Path) -> None:
    """Write data and configuration."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "train.yaml").write_text(CONFIGURATION)
    if not (folder / "si.extxyz").exists():
        silicon_data.COUNTS.update(COUNTS)
        silicon_data.write_frames(folder / "si.extxyz", seed=1, progress=print)
    whole = emptied(folder / "model")
    attempt = run(JOBS["train"], whole, folder / "events.jsonl")
    if attempt.code != 0:
        raise RuntimeError(attempt.printed)
    shutil.copy(whole / "out" / "model.trimpot", folder)
    ase.io.write(folder / "start.extxyz", silicon_data.crystal())


def judge_of(name: str) -> Judge:
    """Return how runs of a job are judged."""
    if name in ("langevin", "npt"):
        lost = beyond_kept("dynamics", CHECKPOINT_STEPS)
        return Judge(begun("dynamics"), step_of_checkpoint, lost, different_but_times)
    if name == "learn":
        lost = beyond_kept("fits", 1)
        return Judge(begun("fits"), fits_kept, lost, different_beyond_rounding)
    different = different_but_times if name == "choose" else different_files
    return Judge(begun_pass, lambda _: None, seconds_of_pass(INTERVAL), different)


def kill_all(folder: Path, kills: int, seed: int) -> list[Killed]:
    """Return what became of all jobs; those in the folder already are taken from there."""
    found = []
    for number, (name, share) in enumerate(SHARES.items()):
        path, job = folder.parent / f"kills-{name}.json", JOBS[name]
        start = time.monotonic()
        if path.exists():
            one = Killed.of(json.loads(path.read_text()), job)
        else:
            rng = np.random.default_rng([seed, number])
            one = kill_often(job, folder, round(kills * share), rng, judge=judge_of(name))
            path.write_text(json.dumps(one.to_dict(), indent=1))
        found.append(one)
        print(
            f"{one.job.name}: {one.kills} kills in {time.monotonic() - start:.0f} s, "
            f"{'; '.join(one.faults) or 'no fault'}",
            flush=True,
        )
    return found


def cases(runs: int) -> list[tuple[Case, int]]:
    """Return the jobs for full disks, each over the results of an older one."""
    older = Job("older", (*TRAIN, "--set", "fit.folds=4"), "out", WRITING)
    third = runs // 3
    return [
        (Case(JOBS["figures"], older), third),
        (Case(JOBS["train"], older), third),
        (Case(JOBS["langevin"], None), runs - 2 * third),
    ]


def disks_of(folder: Path, runs: int) -> list[FullDisk]:
    """Return what became of runs on full disks, or those in the folder already."""
    path = folder / "disks.json"
    if path.exists():
        return [FullDisk(**plain) for plain in json.loads(path.read_text())]
    if not can_mount():
        return []
    disks = fill_disks(cases(runs), folder / "work")
    for one in disks:
        print(f"{one.job}, {one.room} bytes: {one.code}, {one.faults or one.said}")
    path.write_text(json.dumps([asdict(one) for one in disks], indent=1))
    return disks


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("runs/durability"))
    parser.add_argument("--kills", type=int, default=210, metavar="N")
    parser.add_argument("--disks", type=int, default=21, metavar="N")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--write-docs", action="store_true", help="Renew docs/benchmarks/durability.md."
    )
    settings = parser.parse_args()
    folder = settings.output.resolve()
    with machine.Neighbours() as usage:
        prepare(folder / "work")
        found = kill_all(folder / "work", settings.kills, settings.seed)
        disks = disks_of(folder, settings.disks)
    record = {
        "kills": [one.to_dict() for one in found],
        "disks": [asdict(one) for one in disks],
    }
    text = f"{pages.facts([usage])}\n{INTERVALS}\n{text_of(found, disks)}"
    pages.keep(settings.output, "durability", text, record, write_docs=settings.write_docs)
    return 1 if any(one.faults for one in [*found, *disks]) else 0


if __name__ == "__main__":
    sys.exit(main())
