"""What is particular to the outputs of electronic-structure codes and of LAMMPS.

ASE parses these files. Here stands what it does not say: whose units and signs are known,
which outputs it cannot read at all, and which LAMMPS files are not in metal units.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trimpot.data.textfile import head_of
from trimpot.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

CODE_OUTPUTS = {
    "vasp-out": "General timing and accounting",
    "vasp-xml": "</modeling>",
    "espresso-out": "JOB DONE.",
}
"""Formats whose units and signs ASE knows, and the words with which each code ends."""

_UNREAD = {
    "CP2K output": ("DBCSR| ", "CP2K| "),
    "a LAMMPS log": ("LAMMPS (",),
}
_REMEDY = {
    "CP2K output": "write its frames as extended XYZ with energies in eV and forces in "
    "eV/A (CP2K prints Hartree and bohr)",
    "a LAMMPS log": "give the dump instead (dump custom with id element x y z fx fy fz), "
    "or extended XYZ with energies",
}
_HEAD = 4096


def check_is_read(path: Path) -> None:
    """Refuse known outputs that hold no frames for ASE, whatever their name suggests.

    Raises
    ------
    DataError
        If the file is output of CP2K or a log of LAMMPS.
    """
    if not path.is_file():  # some formats of ASE are folders
        return
    lines = head_of(path, _HEAD).decode("latin-1").splitlines()
    for kind, marks in _UNREAD.items():
        if any(line.lstrip().startswith(marks) for line in lines):
            raise DataError(
                f"{path}: this is {kind}, which is not read, expected frames with energies "
                f"and forces; {_REMEDY[kind]}"
            )


def check_units(path: Path, format_name: str) -> None:
    """Refuse LAMMPS files that say that their units are not metal (A, eV).

    Raises
    ------
    DataError
        If the header names other units.
    """
    if format_name not in {"lammps-data", "lammps-dump-text"}:
        return
    lines = head_of(path, _HEAD).decode("latin-1").splitlines()
    units = "metal"
    if format_name == "lammps-data" and lines and "units = " in lines[0]:
        units = lines[0].split("units = ")[1].split()[0]
    if "ITEM: UNITS" in lines[:-1]:
        units = lines[lines.index("ITEM: UNITS") + 1].strip()
    if units != "metal":
        raise DataError(
            f"{path.name}: the file is in LAMMPS units '{units}', expected metal (A, eV, "
            "eV/A); convert it, or run LAMMPS with units metal"
        )
