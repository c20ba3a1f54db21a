"""Gram blocks of a pass that is not finished, on disk, so that it can go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trimpot.errors import FileFormatError
from trimpot.files.container import read, write
from trimpot.files.release import release
from trimpot.fitting import Block, Blocks, Sums
from trimpot.writing.atomic import atomic_write

if TYPE_CHECKING:
    from pathlib import Path

    from trimpot.files.encoding import Json

FORMAT = "trimpot-unfinished-blocks"
VERSION = 1


def save_unfinished(sums: Sums, key: str, path: Path) -> None:
    """Write the sums of a pass atomically, over those written before.

    Parameters
    ----------
    sums
    key
        Digest of all that decides the blocks of the pass.
    path

    Raises
    ------
    WriteError
        If the file cannot be written.
    """
    document: dict[str, Json] = {**_description(key), "frames": sums.frames}
    with atomic_write(path) as handle:
        write(handle, document, sums.blocks.arrays())


def load_unfinished(key: str, path: Path) -> Sums | None:
    """Return the sums of the pass with this key, in memory; None if they are of another.

    Raises
    ------
    FileFormatError
        If the file is damaged.
    """
    document, arrays = read(path, mapped=True)
    frames = document.pop("frames", None)
    if document != _description(key) or type(frames) is not int:
        return None
    try:
        return Sums(_own(Blocks.from_arrays(arrays)), frames)
    except (KeyError, ValueError, IndexError) as error:
        raise FileFormatError(f"it lacks a part: {error}") from error


def _description(key: str) -> dict[str, Json]:
    """Return what must be equal: rows of two releases may differ, and are not mixed."""
    return {
        "format": FORMAT,
        "format_version": VERSION,
        "written_by": f"trimpot {release()}",
        "key": key,
    }


def _own(blocks: Blocks) -> Blocks:
    """Return a copy that can be added to."""
    folds = tuple(
        {
            quantity: Block(
                np.array(b.gram, order="F"), np.array(b.moment), b.square, b.weight
            )
            for quantity, b in fold.items()
        }
        for fold in blocks.folds
    )
    return Blocks(folds, blocks.scales, np.array(blocks.coverage), blocks.anchors)
