"""One ``lmp`` that stays: it reads commands from a pipe and answers line by line."""

from __future__ import annotations

import re
import subprocess
import tempfile
import weakref
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from trimpot.engines.lammps.finding import started_as, the_lmp
from trimpot.engines.lammps.running import FROM_OUTSIDE, end, ended, environment
from trimpot.errors import EndedRunError, EngineError

if TYPE_CHECKING:
    from collections.abc import Sequence

ANSWER = "trimpot-answer"
"""First word of the line that ends an answer."""

KEPT = 12
"""Lines that are quoted when LAMMPS fails."""


class Session:
    """A running ``lmp`` of one process, with a folder of its own for files.

    It ends with ``close``, or when nobody holds it any more.

    Parameters
    ----------
    lmp
        The executable; None: the one that is found.
    cwd
        Folder in which names of files in commands are looked up; None: its own.

    Raises
    ------
    MissingPartError
        If there is no LAMMPS.
    EngineError
        If it does not start.
    """

    def __init__(
        self, lmp: str | Path | None = None, cwd: str | Path | None = None
    ) -> None:
        self._temporary = tempfile.TemporaryDirectory(prefix="trimpot-lammps-")
        self.folder = Path(self._temporary.name)
        command = [*started_as(the_lmp(lmp)), "-log", "none", "-nocite", "-nonbuf"]
        try:
            process = subprocess.Popen(
                command,
                cwd=self.folder if cwd is None else cwd,
                env=environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                start_new_session=True,
            )
        except OSError as error:
            raise EngineError(
                f"cannot start {command[0]}: {error.strerror or error}; see that it is a "
                "program for this machine"
            ) from error
        self._process = process
        self._close = weakref.finalize(self, _end, process, self._temporary)

    @property
    def alive(self) -> bool:
        """Whether it still takes commands."""
        return self._process.poll() is None

    def close(self) -> None:
        """End the process and remove its folder."""
        self._close()

    def ask(self, commands: Sequence[str], answer: str) -> list[str]:
        """Run commands; return the words of an answer, such as ``$(pe)``.

        Raises
        ------
        EngineError
            If LAMMPS ends instead; quotes what it said. The session is then over.
        """
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None or stdin.closed:
            raise EngineError("this LAMMPS was closed; start another one")
        lines = [*commands, f'print "{ANSWER} {answer}"', ""]
        with suppress(BrokenPipeError):  # it is over; what it said tells why
            stdin.write("\n".join(lines))
            stdin.flush()
        said: list[str] = []
        for line in stdout:
            if line.startswith(ANSWER):
                return line.split()[1:]
            said.append(line.rstrip())
        raise self._failure(said)

    def _failure(self, said: list[str]) -> EngineError | EndedRunError:
        code = self._process.wait()
        self.close()
        errors = [line for line in said if re.match(r"\s*(ERROR|Last )", line)]
        quoted = errors or [line for line in said if line.strip()][-KEPT:]
        words = "\n".join(f"  {line}" for line in quoted) or "  nothing"
        if ended(code) in FROM_OUTSIDE:
            return EndedRunError(f"LAMMPS was ended from outside ({ended(code)})")
        return EngineError(
            f"LAMMPS ended ({ended(code)}) instead of an answer; it said\n{words}\n"
            "see that the lines of the potential are right and its files are there"
        )


def _end(process: subprocess.Popen[str], folder: tempfile.TemporaryDirectory[str]) -> None:
    if process.stdin is not None:
        with suppress(OSError):
            process.stdin.close()  # at the end of its input lmp ends
    with suppress(subprocess.TimeoutExpired):
        process.wait(1.0)
    end(process)
    if process.stdout is not None:
        process.stdout.close()
    folder.cleanup()
