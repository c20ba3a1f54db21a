"""Commands of trimpot in processes of their own that can be killed at any instant.

A process is forked from one that has imported all, so that its time is that of the work
and not of the imports. What it tells its user goes to a file, with times.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import trimpot.cli.app
import trimpot.cli.shown
import trimpot.cli.terminal
import trimpot.reports.page
import trimpot.verbs
from trimpot.fitting import streaming
from trimpot.verbs import dynamics, learning, md_resuming, training, unfinished

assert all((dynamics, learning, md_resuming, training))  # imported before any fork

BATCH_BYTES = 2**18
"""Rows of one batch here; the usual 96 MB would be the whole pass of such small data."""

TICK = 0.002
"""Seconds between two looks at a process."""


@dataclass(frozen=True)
class Job:
    """A command and its output folder, relative to the folder in which it runs.

    Attributes
    ----------
    name : str
    arguments : tuple of str
        Of ``trimpot``.
    output : str
    writes_from : str
        What of its events tells that only results are still to be written.
    resume : tuple of str
        Arguments that let it go on; empty: the same ones.
    goes_on_from : str
        File of the output folder that it needs for that; without, it begins anew.
    complete : str
        File of the output folder that is written last; empty: started again, a run that
        is complete does little.
    """

    name: str
    arguments: tuple[str, ...]
    output: str
    writes_from: str
    resume: tuple[str, ...] = ()
    goes_on_from: str = ""
    complete: str = ""

    def command(self, folder: Path) -> tuple[str, ...]:
        """Return what a user gives to begin or go on."""
        output = folder / self.output
        if not self.resume or not output.exists():
            return self.arguments
        if (output / self.goes_on_from).exists():
            return self.resume
        shutil.rmtree(output)  # killed before it had anything to go on from
        return self.arguments

    def is_complete(self, folder: Path) -> bool:
        """Whether there is nothing left to do."""
        return bool(self.complete) and (folder / self.output / self.complete).exists()


@dataclass
class Attempt:
    """One process: what it told, and how it ended.

    Attributes
    ----------
    events : list of dict
        ``t`` in seconds since its start with ``note``, or ``stage``, ``done``, ``total``,
        or ``kept`` frames and the ``cost`` in seconds.
    seconds : float
        Until its end.
    code : int or None
        Exit code; None where it was killed.
    printed : str
        What it wrote to stdout and stderr.
    kept : float or None
        How far it can go on from, where a file tells.
    """

    events: list[dict] = field(default_factory=list)
    seconds: float = 0.0
    code: int | None = None
    printed: str = ""
    kept: float | None = None

    def note(self, pattern: str) -> tuple[dict, re.Match] | None:
        """Return the first message that matches, None without."""
        for event in self.events:
            match = re.search(pattern, event.get("note", ""))
            if match:
                return event, match
        return None

    @property
    def stage(self) -> str:
        """Where it was at its end."""
        told = [e for e in self.events if "note" in e or "stage" in e]
        if not told:
            return "starting"
        last = told[-1]
        if "stage" in last and last["done"] < last["total"]:
            return last["stage"]
        if last.get("stage") in ("dynamics", "fits") or any(
            e.get("note", "").startswith("writing") for e in told
        ):
            return "writing"
        return f"after {last['stage']}" if "stage" in last else "between stages"


def start(job: Job, folder: Path, events: Path) -> int:
    """Return the process that runs a job, started a moment ago."""
    folder.mkdir(parents=True, exist_ok=True)
    events.unlink(missing_ok=True)
    sys.stdout.flush()
    child = os.fork()
    if child:
        return child
    try:
        _run(job, folder, events)
    finally:
        os._exit(1)
    raise AssertionError


def _run(job: Job, folder: Path, events: Path) -> None:
    """Be the process of a job."""
    command = job.command(folder)
    told = os.open(events, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    printed = os.open(events.with_suffix(".txt"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(printed, 1)
    os.dup2(printed, 2)
    os.chdir(folder)
    begin = time.monotonic()

    def tell(**facts):
        facts = {"t": time.monotonic() - begin, **facts}
        os.write(told, json.dumps(facts).encode() + b"\n")

    terminal = trimpot.cli.terminal.Terminal
    note, save = terminal.note, unfinished.save_unfinished

    def told_note(self, text):
        tell(note=text)
        note(self, text)

    def told_save(sums, key, path):
        before = time.monotonic()
        save(sums, key, path)
        tell(kept=sums.frames, cost=time.monotonic() - before)

    terminal.note = told_note
    terminal.progress = lambda _, stage, done, total: tell(
        stage=stage, done=done, total=total
    )
    unfinished.save_unfinished = told_save
    streaming.BATCH_BYTES = BATCH_BYTES
    code = trimpot.cli.app.main(command)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def finish(child: int, begin: float, events: Path) -> Attempt:
    """Wait for the end of a process and return what it was."""
    _, status = os.waitpid(child, 0)
    attempt = Attempt(_read(events), time.monotonic() - begin)
    attempt.code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else None
    printed = events.with_suffix(".txt")
    attempt.printed = printed.read_text() if printed.exists() else ""
    return attempt


def run(job: Job, folder: Path, events: Path) -> Attempt:
    """Run a job to its end."""
    begin = time.monotonic()
    return finish(start(job, folder, events), begin, events)


def run_and_kill(
    job: Job, folder: Path, events: Path, delay: float, *, writing: bool
) -> Attempt:
    """Run a job and kill it some seconds later, or so long after it begins to write."""
    begin = time.monotonic()
    child = start(job, folder, events)
    since = None if writing else begin
    while True:
        if since is None and _tells(events, job.writes_from):
            since = time.monotonic()
        if since is not None and time.monotonic() - since >= delay:
            break
        if os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
            break
        time.sleep(TICK)
    os.kill(child, signal.SIGKILL)
    return finish(child, begin, events)


def _tells(events: Path, text: str) -> bool:
    return events.exists() and text in events.read_text()


def _read(events: Path) -> list[dict]:
    lines = events.read_text().splitlines() if events.exists() else []
    return [json.loads(line) for line in lines]


def emptied(folder: Path) -> Path:
    """Return the folder, made anew."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
