"""Save and load potentials: NAME.trimpot, one safetensors file with a JSON document."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING

from trimpot.errors import FileFormatError, InputError
from trimpot.files.container import read, write
from trimpot.files.network_document import network_document, network_potential
from trimpot.files.network_kernel import kernel_document
from trimpot.files.release import release
from trimpot.files.spline_document import spline_document, spline_potential
from trimpot.files.upgrades import FIRST_RELEASE, FORMAT_VERSION, upgrade
from trimpot.networks.potential import NetworkPotential
from trimpot.splines.potential import SplinePotential
from trimpot.writing.atomic import atomic_write

if TYPE_CHECKING:
    from collections.abc import Callable

    from trimpot.contract import Potential
    from trimpot.files.encoding import Json, Tensors

SUFFIX = ".trimpot"

DECODERS: dict[str, Callable[[dict[str, object], Tensors], Potential]] = {
    "spline": spline_potential,
    "mlanet": network_potential,
}
"""How to make a potential of each kind from its document."""

HEADER = ("format", "format_version", "kind", "needs_release", "written_by")


def save(potential: Potential, path: str | Path) -> None:
    """Write a potential to one file, atomically; ``load`` restores it bit by bit.

    Raises
    ------
    InputError
        If the name does not end in ``.trimpot``, or the potential cannot be stored.
    WriteError
        If the file cannot be written; an older file is then unchanged.
    """
    if Path(path).suffix != SUFFIX:
        raise InputError(
            f"potential files end in {SUFFIX}, found {str(path)!r}; "
            f"use {Path(path).with_suffix(SUFFIX).name!r}"
        )
    kind, parts, tensors = document_of(potential)
    if isinstance(potential, NetworkPotential):
        parts |= kernel_document(potential, tensors)
    header: dict[str, Json] = {
        "format": "trimpot",
        "format_version": FORMAT_VERSION,
        "kind": kind,
        "needs_release": FIRST_RELEASE,
        "written_by": f"trimpot {release()}",
    }
    with atomic_write(path) as handle:
        write(handle, {**header, **parts}, tensors)


def document_of(potential: Potential) -> tuple[str, dict[str, Json], Tensors]:
    """Return kind, document and tensors of a potential: all that it is.

    Raises
    ------
    InputError
        If it cannot be stored.
    """
    if isinstance(potential, SplinePotential):
        return "spline", *spline_document(potential)
    if isinstance(potential, NetworkPotential):
        return "mlanet", *network_document(potential)
    raise InputError(
        f"cannot store a potential of type {type(potential).__name__}, "
        "only potentials that Trimpot trained"
    )


IMPORTED = (".uf3", ".json")
"""Files of LAMMPS and of the uf3 package."""


def load(path: str | Path) -> Potential:
    """Return the potential of a file.

    Nothing in the file is executed; every part is checked before it is used.

    Raises
    ------
    InputError
        If there is no such file.
    FileFormatError
        If it is not a potential file, is damaged, or needs a newer Trimpot.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(_missing(path))
    if path.suffix in IMPORTED:
        raise FileFormatError(
            f"cannot load {path}: expected a potential file, NAME{SUFFIX}, found a file of "
            f"another program; `trimpot import {path}` makes one of it"
        )
    try:
        document, tensors = read(path)
        document = upgrade(document)
        kind = document.get("kind")
        if not isinstance(kind, str) or kind not in DECODERS:
            raise FileFormatError(
                f"unknown kind of potential {kind!s:.40}, known: {', '.join(DECODERS)}"
            )
        parts = {name: value for name, value in document.items() if name not in HEADER}
        return DECODERS[kind](parts, tensors)
    except RecursionError as error:
        raise FileFormatError(_refusal(path, "it is nested too deeply")) from error
    except FileFormatError as error:
        raise FileFormatError(_refusal(path, str(error))) from error
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error


def _refusal(path: Path, reason: str) -> str:
    return (
        f"cannot load {path}: {reason}. Potential files are written by `trimpot train` or "
        "`trimpot.save`; if this one was, copy it again or train it again"
    )


def _missing(path: Path) -> str:
    if path.is_dir():
        inside = path / f"model{SUFFIX}"
        hint = f"; did you mean {inside}?" if inside.is_file() else ""
        return f"{path} is a folder, expected a potential file{hint}"
    near = sorted(p.name for p in path.parent.glob(f"*{SUFFIX}"))
    close = difflib.get_close_matches(path.name, near, n=1, cutoff=0.3) or near[:1]
    hint = f"; did you mean {path.parent / close[0]}?" if close else ""
    return f"there is no file {path} (working directory {Path.cwd()}){hint}"
