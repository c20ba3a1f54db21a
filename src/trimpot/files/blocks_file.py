"""Gram blocks on disk, with the model that they belong to, for fits without data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from trimpot.errors import FileFormatError, InputError
from trimpot.files.container import read, read_document, write
from trimpot.files.encoding import flatten
from trimpot.files.release import release
from trimpot.files.spline_document import PARTS, spline_document, spline_potential
from trimpot.fitting import Blocks
from trimpot.writing.atomic import atomic_write

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trimpot.files.encoding import Json
    from trimpot.splines.potential import SplinePotential

PREFIX = "blocks."
FORMAT = "trimpot-blocks"
VERSION = 1


@dataclass(frozen=True)
class StoredBlocks:
    """Blocks and what they were made from.

    Attributes
    ----------
    key : str
        Digest of data, terms and weights; equal keys mean equal blocks.
    start : SplinePotential
        Terms, isolated-atom energies and statistics before the fit; other coefficients
        are zero.
    refine_e0s : bool
        Whether the isolated-atom energies are fitted too.
    blocks : Blocks
    origin : mapping
        JSON-compatible description of data and settings that the blocks rest on.
    """

    key: str
    start: SplinePotential
    refine_e0s: bool
    blocks: Blocks
    origin: Mapping[str, object]


def save_blocks(stored: StoredBlocks, path: Path) -> None:
    """Write blocks atomically.

    Raises
    ------
    WriteError
        If the file cannot be written.
    """
    parts, tensors = spline_document(stored.start)
    arrays = {f"{PREFIX}{k}": v for k, v in stored.blocks.arrays().items()}
    header: dict[str, Json] = {
        "format": FORMAT,
        "format_version": VERSION,
        "written_by": f"trimpot {release()}",
        "key": stored.key,
        "refine_e0s": stored.refine_e0s,
        "origin": flatten(dict(stored.origin), "origin", {}),
    }
    with atomic_write(path) as handle:
        write(handle, {**header, **parts}, {**tensors, **arrays})


def stored_key(path: Path) -> str | None:
    """Return the key of stored blocks without reading them, None if there are none."""
    if not path.is_file():
        return None
    try:
        return str(read_document(path).get("key"))
    except (FileFormatError, RecursionError):
        return "damaged"  # equals no key: such a file is replaced


def load_blocks(path: Path) -> StoredBlocks:
    """Return stored blocks.

    Raises
    ------
    InputError
        If there is no such file.
    FileFormatError
        If it is damaged or from another version; train again to replace it.
    """
    if not path.is_file():
        raise InputError(f"there are no Gram blocks at {path}; train once to make them")
    try:
        document, tensors = read(path, mapped=True)
        version = (document.get("format"), document.get("format_version"))
        if version != (FORMAT, VERSION):
            raise FileFormatError(f"found {version}, expected {(FORMAT, VERSION)}")
        arrays = {k: v for k, v in tensors.items() if k.startswith(PREFIX)}
        rest = {k: v for k, v in tensors.items() if k not in arrays}
        start = spline_potential({k: document.get(k) for k in PARTS}, rest)
        blocks = Blocks.from_arrays({k[len(PREFIX) :]: v for k, v in arrays.items()})
        return StoredBlocks(
            key=str(document.get("key")),
            start=start,
            refine_e0s=document.get("refine_e0s") is True,
            blocks=blocks,
            origin=cast("dict[str, object]", document.get("origin")),
        )
    except (FileFormatError, KeyError, ValueError, IndexError) as error:
        raise FileFormatError(
            f"cannot use the Gram blocks {path}: {error}; delete the file and train again"
        ) from error
