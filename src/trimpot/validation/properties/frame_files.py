"""Structures from files that settings name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import ase.io

from trimpot.errors import InputError

if TYPE_CHECKING:
    from ase import Atoms


def frames_of(path: str, what: str, most: int) -> list[Atoms]:
    """Return at most so many frames of a file, evenly spread over it.

    Parameters
    ----------
    path
        Anything that ASE reads; from the working folder, if it is not absolute.
    what
        The setting that names it.
    most
        Frames.

    Raises
    ------
    InputError
        If it cannot be read, or holds no frames.
    """
    if not Path(path).is_file():
        raise InputError(f"{what}: found no file {Path(path).absolute()}; see its name")
    try:
        frames = ase.io.read(path, index=":")
    except Exception as error:
        raise InputError(f"{what}: cannot read {path}: {error}") from error
    if not isinstance(frames, list) or not frames:
        raise InputError(f"{what}: {path} holds no structures")
    every = max(1, -(-len(frames) // most))
    return frames[::every]
