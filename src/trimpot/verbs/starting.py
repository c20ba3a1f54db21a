"""The network that a training starts from, out of its file."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trimpot.errors import InputError
from trimpot.files import load
from trimpot.networks.potential import NetworkPotential

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from trimpot.networks.training.starting import Start
    from trimpot.verbs.watching import Watcher

NOTED = 0.01
"""Differences of energies of isolated atoms, in eV, that somebody should know of."""


@dataclass(frozen=True)
class StartFile:
    """A file to start from, with its SHA-256 and the potential in it."""

    path: Path
    sha256: str
    potential: NetworkPotential

    @property
    def start(self) -> Start:
        """The network, as a training takes it."""
        from trimpot.networks.training.starting import Start

        found = self.potential
        return Start(
            found.settings,
            found.species,
            found.state,
            found.mean_weight,
            found.scale,
            () if found.charges is None else found.charges.kinds,
        )

    def facts(self) -> dict[str, object]:
        """Return what a provenance keeps."""
        return {"file": str(self.path), "sha256": self.sha256}


def start_file(path: Path | None) -> StartFile | None:
    """Return the network of a file, if one is named.

    Raises
    ------
    InputError, FileFormatError
        If it is no potential file of a network.
    """
    if path is None:
        return None
    found = load(path)
    if not isinstance(found, NetworkPotential):
        raise InputError(
            f"training.start: {path} is a {type(found).__name__}, expected a network "
            "(model.kind: mlanet); splines may be its model.prior"
        )
    return StartFile(path, hashlib.sha256(path.read_bytes()).hexdigest(), found)


def note_start(began: StartFile, e0s: Sequence[float], watcher: Watcher) -> None:
    """Tell what a training starts from, and where isolated atoms have other energies."""
    watcher.note(f"weights at the start: {began.path}")
    apart = float(np.abs(np.asarray(e0s) - began.potential.e0s).max())
    if apart > NOTED:
        watcher.note(
            f"warning: energies of isolated atoms differ by {apart:.3g} eV at most from "
            "those of the start, and the network has to learn the difference; give "
            "data.E0s the same ones where the reference method is the same"
        )
