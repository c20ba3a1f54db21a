"""What LAMMPS prints of a stage: rows, the time of its steps, how it ended."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from trimpot.engines.lammps.dynamics import BAD_START, NOT_FINITE, SHOWN_LINES, TOO_FAST
from trimpot.engines.lammps.running import FROM_OUTSIDE, ended
from trimpot.errors import EndedRunError, EngineError, NonFiniteResultError

if TYPE_CHECKING:
    from trimpot.contract import FloatArray
    from trimpot.engines.lammps.thermo import Listener

COLUMNS = (
    *("step", "temp", "pe", "press", "pxx", "pyy", "pzz"),
    *("lx", "ly", "lz", "xy", "xz", "yz"),
)
"""Of a row that LAMMPS prints: K, eV, bar, angstrom."""

SHORT_SECONDS = 0.05
"""Below, the share of a core that LAMMPS tells is of no use."""

LOOP = re.compile(r"Loop time of (\S+) on ")
USED = re.compile(r"(\S+)% CPU use with ")


def step_seconds(said: str) -> float:
    """Return the time of the steps from what LAMMPS says of it."""
    loop, used = LOOP.search(said), USED.search(said)
    if loop is None:
        return 0.0
    share = 1.0 if used is None else min(1.0, float(used.group(1)) / 100.0)
    seconds = float(loop.group(1))
    return seconds * share if seconds > SHORT_SECONDS else seconds


def row_of(line: str) -> FloatArray | None:
    """Return the numbers of a line that is a row, None of any other."""
    words = line.split()
    if len(words) != len(COLUMNS) or not words[0].isdecimal():
        return None
    try:
        return np.array([float(word) for word in words])
    except ValueError:
        return None


def check_finite(row: FloatArray, timestep_fs: float) -> None:
    """Raise ``NonFiniteResultError`` for a row with NaN or infinity."""
    if not np.isfinite(row).all():
        raise NonFiniteResultError(
            f"energy or pressure are no numbers after {row[0] * timestep_fs:g} fs; "
            f"{BAD_START}"
        )


def failure(
    code: int, listener: Listener, time_fs: float | None
) -> EngineError | EndedRunError | NonFiniteResultError:
    """Return the error that says how LAMMPS ended."""
    when = "before its first step" if time_fs is None else f"after {time_fs:g} fs"
    if NOT_FINITE.search(listener.error):
        return NonFiniteResultError(f"{when}: {listener.error}; {BAD_START}")
    how = ended(code)
    if not listener.error and how in FROM_OUTSIDE:
        return EndedRunError(
            f"LAMMPS was ended from outside {when} ({how}); start it again"
        )
    tail = f"its last words:\n{listener.tail(SHOWN_LINES)}"
    if listener.error:
        hint = f"; {BAD_START}" if TOO_FAST.search(listener.error) else ""
        return EngineError(f"LAMMPS stopped {when}: {listener.error}{hint}; {tail}")
    return EngineError(f"LAMMPS ended {when} ({how}); {tail}")
