"""Runs on disks that fill up: what they say, what they keep, whether they go on.

    unshare --user --map-root-user --mount python bench/full_disks.py FOLDER JOBS.json

Each run has a small disk of its own (tmpfs) with the results of an older run and a file
that leaves it so much room. Only processes of that namespace see the disk.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from interrupted_runs import Attempt, Job, emptied, run
from lost_work import different_but_times
from whole_files import damaged, leftovers

DISK_BYTES = 64 * 2**20
PAGE = 4096
PROGRAM = ["unshare", "--user", "--map-root-user", "--mount"]
LOGS = {"log.jsonl"}
"""Files that every run begins anew."""


@dataclass(frozen=True)
class FullDisk:
    """What became of one run.

    Attributes
    ----------
    job : str
    room : int
        Bytes that were free at its start.
    code : int
        Exit code.
    said : str
        Its error, or its first warning where it ended well, without folders.
    faults : list of str
        Empty is good.
    """

    job: str
    room: int
    code: int
    said: str
    faults: list[str]


@dataclass(frozen=True)
class Case:
    """A job on a full disk, and a job that made the older results."""

    job: Job
    older: Job | None

    def to_dict(self) -> dict:
        """Return plain values."""
        return asdict(self)

    @staticmethod
    def of(plain: dict) -> Case:
        """Return the case of plain values."""
        jobs = [
            None if j is None else Job(**{**j, "arguments": tuple(j["arguments"])})
            for j in (plain["job"], plain["older"])
        ]
        return Case(*jobs)


def can_mount() -> bool:
    """Whether this machine lets a process have a small disk of its own."""
    if shutil.which(PROGRAM[0]) is None:
        return False
    trial = 'd=$(mktemp -d) && mount -t tmpfs none "$d" && umount "$d" && rmdir "$d"'
    return subprocess.run([*PROGRAM, "sh", "-c", trial], check=False).returncode == 0


def fill_disks(cases: list[tuple[Case, int]], folder: Path) -> list[FullDisk]:
    """Return what became of so many runs of each case, in processes with their own disk."""
    plan, result = folder / "full.json", folder / "full-results.json"
    plan.write_text(json.dumps([[case.to_dict(), runs] for case, runs in cases]))
    command = [sys.executable, __file__, str(folder), str(plan), str(result)]
    subprocess.run([*PROGRAM, *command], check=True)
    return [FullDisk(**plain) for plain in json.loads(result.read_text())]


def runs_of(case: Case, count: int, folder: Path) -> list[FullDisk]:
    """Return what became of runs with rooms from none to all that they need."""
    events = folder / "events.jsonl"
    disk = emptied(folder / "disk")
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "none", str(disk)], check=True
    )
    for path in (p for p in folder.iterdir() if p.is_file()):
        (disk / path.name).symlink_to(path.resolve())  # jobs look for them beside them
    expected, older = folder / "expected", folder / "older"
    for job, place in ((case.job, expected), (case.older, older)):
        emptied(place)
        if job is not None:
            attempt = run(job, place, events)
            if attempt.code != 0:
                raise RuntimeError(f"{job.name} failed:\n{attempt.printed}")
    need = 1.2 * _bytes(expected)
    found = []
    for number in range(count):
        room = int(need * ((number + 0.5) / count) ** 2)  # more often little
        place = emptied(disk / "run")
        shutil.copytree(older, place, dirs_exist_ok=True)
        found.append(_one(case.job, place, events, room, (expected, older)))
        shutil.rmtree(place)
    subprocess.run(["umount", str(disk)], check=True)
    return found


def _one(job: Job, place: Path, events: Path, room: int, kept: tuple[Path, Path]):
    expected, older = kept
    filler = place.parent / "filler"
    free = os.statvfs(place).f_bavail * os.statvfs(place).f_frsize
    with filler.open("wb") as handle:
        os.posix_fallocate(handle.fileno(), 0, free - room // PAGE * PAGE)
    attempt = run(job, place, events)
    output = place / job.output
    faults = [*_unclear(attempt, job), *damaged(output)]
    faults += _lost(output, older / job.output, expected / job.output)
    if attempt.code == 0:
        faults += _wrong(expected / job.output, output)
    filler.unlink()
    again = attempt if job.is_complete(place) else run(job, place, events)
    if again.code != 0:
        faults.append(f"with room again: exit code {again.code}: {again.printed[-500:]}")
    else:
        faults += _wrong(expected / job.output, output)
        faults += [f"left over: {name}" for name in leftovers(output)]
    return FullDisk(job.name, room, attempt.code, _said(attempt), faults)


def _unclear(attempt: Attempt, job: Job) -> list[str]:
    """Return what a message lacks, or that there is none."""
    text = attempt.printed
    if "Traceback" in text:
        return [f"a traceback: {text[-500:]}"]
    if attempt.code == 0:
        return []
    errors = [line for line in text.splitlines() if line.startswith("error: ")]
    if attempt.code != 2 or len(errors) != 1:
        return [f"exit code {attempt.code} with {len(errors)} errors: {text[-500:]}"]
    wanted = ("cannot ", f"{job.output}/", "No space left on device", "free space")
    return [f"the error lacks '{w}': {errors[0]}" for w in wanted if w not in errors[0]]


def _lost(output: Path, older: Path, expected: Path) -> list[str]:
    """Return older files that are neither as they were nor replaced by the new ones."""
    faults = []
    for path in (p for p in older.rglob("*") if p.is_file() and p.name not in LOGS):
        name = path.relative_to(older)
        new, now = expected / name, output / name
        if not now.exists():
            if new.exists():
                faults.append(f"{name} is gone")
            continue
        content = now.read_bytes()
        same = content == path.read_bytes() or (
            new.exists() and content == new.read_bytes()
        )
        if not same and now.suffix != ".trimpot":  # a model may still lack its errors
            faults.append(f"{name} is neither the old nor the new one")
    return faults


def _wrong(expected: Path, output: Path) -> list[str]:
    """Return results that differ; blocks are optional where there was no room."""
    return [
        fault
        for fault in different_but_times(expected, output)
        if fault != "other files: ['blocks.safetensors']"
        and "blocks.safetensors differs" not in fault
    ]


def _said(attempt: Attempt) -> str:
    lines = attempt.printed.splitlines()
    errors = [x for x in lines if x.startswith("error: ")]
    return next(iter(errors or [x for x in lines if x.startswith("warning")]), "")


def _bytes(folder: Path) -> int:
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())


def main() -> int:
    folder, plan, result = map(Path, sys.argv[1:])
    cases = [(Case.of(case), runs) for case, runs in json.loads(plan.read_text())]
    found = [one for case, runs in cases for one in runs_of(case, runs, folder)]
    result.write_text(json.dumps([asdict(one) for one in found], indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
