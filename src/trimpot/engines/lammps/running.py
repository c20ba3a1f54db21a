"""Runs of ``lmp``: the command, the environment, and an end that leaves no process."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trimpot.engines.lammps.building import with_plugin
from trimpot.engines.lammps.finding import started_as, the_lmp, the_mpiexec
from trimpot.errors import EngineError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

PATIENCE = 5.0
"""Seconds between the request to end and the end by force."""


@dataclass(frozen=True)
class Launch:
    """How ``lmp`` is started.

    Attributes
    ----------
    lmp : str
        The executable.
    ranks : int
        MPI processes.
    mpiexec : str or None
        The launcher; None: there is one process, and it needs none.
    """

    lmp: str
    ranks: int
    mpiexec: str | None

    @classmethod
    def of(
        cls,
        ranks: int = 1,
        *,
        lmp: str | Path | None = None,
        mpiexec: str | Path | None = None,
    ) -> Launch:
        """Return how to start so many processes of the given programs, or of those found.

        Raises
        ------
        InputError, MissingPartError
            If a program is missing, or the number is below 1.
        """
        if ranks < 1:
            raise InputError(f"ranks is {ranks}, expected at least 1 MPI process")
        program = the_lmp(lmp)
        launcher = None
        if ranks > 1 or mpiexec is not None:
            launcher = the_mpiexec(mpiexec, program)
        return cls(program, ranks, launcher)

    def command(self, arguments: Sequence[str]) -> list[str]:
        """Return the command with the arguments of lmp."""
        before = [] if self.mpiexec is None else [self.mpiexec, "-n", str(self.ranks)]
        return [*before, *started_as(self.lmp), *arguments]


def environment(plugin: Path | None = None) -> dict[str, str]:
    """Return the environment of lmp: one thread unless said otherwise, and the plugin."""
    known = {"OMP_NUM_THREADS": "1", **os.environ}
    return known if plugin is None else with_plugin(known, plugin)


def run_through(command: Sequence[str], env: dict[str, str]) -> int:
    """Run a command whose output goes where ours goes; return its exit code.

    A command that a signal ended has the code of a shell, 128 plus its number.

    Raises
    ------
    EngineError
        If it cannot be started.
    """
    with started(command, env, stdout=None) as process:
        code = process.wait()
    return 128 - code if code < 0 else code


@contextmanager
def started(
    command: Sequence[str],
    env: dict[str, str],
    *,
    stdout: int | None,
    cwd: Path | None = None,
) -> Iterator[subprocess.Popen[str]]:
    """Start a command in a group of its own; when the block ends, so have all of it.

    Parameters
    ----------
    command, env, cwd
        As ``subprocess.Popen``.
    stdout
        ``subprocess.PIPE``: the block reads what it prints, errors too; None: it goes
        where ours goes.

    Raises
    ------
    EngineError
        If it cannot be started.
    """
    try:
        process = subprocess.Popen(
            command,
            env=env,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=None if stdout is None else subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        raise EngineError(
            f"cannot start {command[0]}: {error.strerror or error}; see that it is a "
            "program for this machine"
        ) from error
    try:
        yield process
    finally:
        end(process)
        if process.stdout is not None:
            process.stdout.close()


def end(process: subprocess.Popen[str]) -> None:
    """End a process and its group: by request, after ``PATIENCE`` seconds by force."""
    if process.poll() is None:
        _signal(process, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(PATIENCE)
    _signal(process, signal.SIGKILL)  # whoever is left of its group
    process.wait()


FROM_OUTSIDE = tuple(f"signal SIG{name}" for name in ("KILL", "TERM", "INT", "HUP", "PIPE"))
"""What ``ended`` says of ends that say nothing of the model."""


def ended(code: int) -> str:
    """Return in words how a program ended, the package's ``lmp`` and mpiexec included.

    They tell a signal as ``Popen`` does, as its negative, as a shell, or as it is; LAMMPS
    itself ends with 0 or 1.
    """
    numbers = {int(number): number.name for number in signal.Signals}
    for number in (-code, 256 - code, code - 128, code):
        if number > 1 and number in numbers:
            return f"signal {numbers[number]}"
    return f"exit code {code}"


def _signal(process: subprocess.Popen[str], number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
