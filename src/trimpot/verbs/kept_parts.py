"""Parts of a judgement in files, found again by all that they depend on."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from trimpot.files import make_folder, write_bytes, write_text
from trimpot.files.release import release
from trimpot.validation.comparisons import QUANTITIES, Comparison
from trimpot.verbs.plain import finite_plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MOST_VALUES = 100_000
"""Values of a comparison that are kept, of each quantity; of more, evenly."""


def key_of(*parts: object) -> str:
    """Return a digest of plain values, and of the release."""
    text = json.dumps([release(), *parts], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class KeptParts:
    """A folder of parts that were found before; without one nothing is kept.

    Attributes
    ----------
    folder : Path or None
    """

    folder: Path | None

    def found(self, kind: str, key: str) -> dict[str, object] | None:
        """Return a part; None if there is none, or it is damaged."""
        if self.folder is None:
            return None
        try:
            plain = json.loads(self._path(kind, key, "json").read_text("utf-8"))
        except (OSError, ValueError):
            return None
        return plain if isinstance(plain, dict) else None

    def keep(self, kind: str, key: str, plain: Mapping[str, object]) -> None:
        """Write a part, if there is a folder."""
        if self.folder is not None:
            make_folder(self.folder)
            text = json.dumps(finite_plain(plain), allow_nan=False)
            write_text(self._path(kind, key, "json"), text + "\n")

    def keep_comparisons(self, key: str, comparisons: Sequence[Comparison]) -> None:
        """Write predicted and reference values, before the part that belongs to them."""
        if self.folder is None:
            return
        arrays: dict[str, object] = {}
        for one in comparisons:
            for name in ("reference", "predicted", "frame", "numbers", "missing"):
                arrays[f"{one.quantity}_{name}"] = getattr(one, name)
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
        make_folder(self.folder)
        write_bytes(self._path("errors", key, "npz"), buffer.getvalue())

    def found_comparisons(self, key: str) -> tuple[Comparison, ...]:
        """Return what ``keep_comparisons`` wrote; empty if it is gone or damaged."""
        if self.folder is None:
            return ()
        try:
            with np.load(self._path("errors", key, "npz"), allow_pickle=False) as kept:
                return tuple(
                    Comparison(
                        quantity,
                        kept[f"{quantity}_reference"],
                        kept[f"{quantity}_predicted"],
                        kept[f"{quantity}_frame"],
                        kept[f"{quantity}_numbers"],
                        int(kept[f"{quantity}_missing"]),
                    )
                    for quantity in QUANTITIES
                )
        except (OSError, ValueError, KeyError, EOFError):
            return ()

    def _path(self, kind: str, key: str, suffix: str) -> Path:
        return (self.folder or Path()) / f"{kind}-{key}.{suffix}"


def thinned(comparison: Comparison, most: int = MOST_VALUES) -> Comparison:
    """Return a comparison of at most so many values, taken evenly."""
    count = len(comparison.reference)
    if count <= most:
        return comparison
    chosen = np.linspace(0, count - 1, most).round().astype(np.int64)
    return Comparison(
        comparison.quantity,
        comparison.reference[chosen],
        comparison.predicted[chosen],
        comparison.frame[chosen],
        comparison.numbers[chosen],
        comparison.missing,
    )
