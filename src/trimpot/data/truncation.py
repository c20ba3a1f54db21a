"""Find files that end too early, which ASE reads as if they were whole, or for ever."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from trimpot.data.code_outputs import CODE_OUTPUTS
from trimpot.data.textfile import open_text, tail_of
from trimpot.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

_TAIL = 65536


def unfinished(path: Path, format_name: str) -> str | None:
    """Return a warning where the code that wrote a file did not come to its end."""
    if format_name not in CODE_OUTPUTS:
        return None
    end = CODE_OUTPUTS[format_name]
    if end in tail_of(path, _TAIL).decode("latin-1"):
        return None
    return (
        f"{path}: '{end}' is missing at the end, so the calculation stopped or the file "
        "was cut; only its finished steps are used, and the last may lack labels"
    )


def check_is_whole(path: Path, format_name: str) -> None:
    """Refuse files that are cut where ASE would return wrong or fewer numbers.

    Raises
    ------
    DataError
        If a LAMMPS dump ends within its last frame, an output of pw.x within the labels
        of its last step, or a CP2K restart file before its structure is complete.
    """
    if format_name == "cp2k-restart":
        _check_restart(path)
    elif format_name == "lammps-dump-text":
        _check_dump(path)
    elif format_name == "espresso-out":
        _check_last_labels(path)


def _check_restart(path: Path) -> None:
    with open_text(path) as file:
        found = {line.strip() for line in file if "SUBSYS" in line}
    if not {"&SUBSYS", "&END SUBSYS"} <= found:  # ASE would never stop reading
        raise DataError(
            f"{path.name}: the restart file has no whole section SUBSYS, expected &SUBSYS "
            "to &END SUBSYS; copy the file again, or use the restart file written before"
        )


def _check_dump(path: Path) -> None:
    frame, announced = -1, 0
    with open_text(path) as file:
        for line in file:
            if line.startswith("ITEM: TIMESTEP"):
                frame += 1
            elif line.startswith("ITEM: NUMBER OF ATOMS"):
                count = next(file, "").strip()
                announced = int(count) if count.isdigit() else 0
            elif line.startswith("ITEM: ATOMS"):
                whole = sum(row.endswith("\n") for row in islice(file, announced))
                if whole < announced:
                    raise DataError(
                        f"{path.name} frame {frame}: the dump ends after {whole} of "
                        f"{announced} atom lines; copy the file again, or delete this frame"
                    )


def _check_last_labels(path: Path) -> None:
    lines = tail_of(path, _TAIL).decode("latin-1").split("\n")  # the last is incomplete
    cut = (
        "!    total energy" in lines[-1]
        or any("force = " in line for line in lines[-2:])
        or any("Forces acting on atoms" in line for line in lines[-3:])
        or any("total   stress" in line for line in lines[-4:])
    )
    if cut:
        raise DataError(
            f"{path.name}: the output ends within the labels of its last step, expected "
            "complete energy, forces and stress; delete the lines from the last "
            "'!    total energy' on, or run the calculation again"
        )
