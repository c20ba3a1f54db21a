"""The folder of a run: its files while it goes on, and what it needs to go on later."""

from __future__ import annotations

import hashlib
import io
from dataclasses import asdict
from typing import TYPE_CHECKING, Self

import numpy as np

from trimpot import _native
from trimpot.engines.md_checkpoint import Checkpoint, write_checkpoint
from trimpot.engines.md_outputs import (
    AppendedFile,
    ExtrapolationFile,
    LogFile,
    TrajectoryFile,
    read_log,
)
from trimpot.errors import InputError
from trimpot.files.container import write
from trimpot.files.potential_file import document_of
from trimpot.files.release import release

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from ase import Atoms

    from trimpot.contract import FloatArray, Potential
    from trimpot.engines.md import Output
    from trimpot.engines.md_samples import Sample
    from trimpot.engines.md_settings import MdSettings
    from trimpot.engines.md_state import RunState

CHECKPOINT = "checkpoint.trimpot-md"
LOG = "log.csv"
TRAJECTORY = {"extxyz": "trajectory.extxyz", "extxyz.gz": "trajectory.extxyz.gz"}
EXTRAPOLATION = "extrapolation.extxyz"
FINAL, SUMMARY = "final.extxyz", "summary.json"
RDF, MSD = "rdf.csv", "msd.csv"

RUN_FILES = (
    CHECKPOINT,
    LOG,
    *TRAJECTORY.values(),
    EXTRAPOLATION,
    FINAL,
    SUMMARY,
    RDF,
    MSD,
)
"""What says that a folder holds a run."""


class RunFolder:
    """Log, trajectory, extrapolated structures and checkpoint; a context manager.

    Parameters
    ----------
    folder
        Exists, and is this run's alone.
    settings
        Of the run.
    facts
        What a checkpoint shall say of model and structure.
    checkpoint
        The one to go on from; None for a new run.
    """

    def __init__(
        self,
        folder: Path,
        settings: MdSettings,
        *,
        facts: Mapping[str, object],
        checkpoint: Checkpoint | None = None,
    ) -> None:
        self.folder = folder
        self.settings = settings
        self.facts = facts
        sizes = None if checkpoint is None else checkpoint.facts["files"]
        self._files: dict[str, AppendedFile] = {}
        self.begun: tuple[RunState, Sequence[Sample]] | None = None
        try:
            self._open(sizes if isinstance(sizes, dict) else None)
            if checkpoint is not None:
                samples = read_log(folder / LOG, settings.timestep_fs)
                self.begun = (checkpoint.state, samples)
                self.keep(checkpoint.state)  # with the settings as they are now
        except BaseException:
            self.close()
            raise

    @property
    def outputs(self) -> list[Output]:
        """Log and trajectory."""
        return [f for f in self._files.values() if isinstance(f, LogFile | TrajectoryFile)]

    def keep(self, state: RunState) -> None:
        """Bring all files to the disk, then write a checkpoint that knows their sizes."""
        sizes = {name: file.sync() for name, file in self._files.items()}
        facts = {
            **self.facts,
            "settings": asdict(self.settings),
            "files": sizes,
            "environment": environment(),
        }
        write_checkpoint(self.folder / CHECKPOINT, Checkpoint(state, facts))

    def save_extrapolated(self, atoms: Atoms, step: int, grades: FloatArray) -> None:
        """Add a structure to those to label."""
        file = self._files[EXTRAPOLATION]
        if isinstance(file, ExtrapolationFile):
            file.save(atoms, step, grades)

    def close(self) -> None:
        """Close all files."""
        for file in self._files.values():
            file.close()

    def __enter__(self) -> Self:
        """Return the folder itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close all files."""
        self.close()

    def _open(self, sizes: Mapping[str, int] | None) -> None:
        """Open all files; those that go on, at their size in the checkpoint."""
        folder, settings = self.folder, self.settings

        def whole(name: str) -> int | None:
            return None if sizes is None else int(sizes[name])

        self._files[LOG] = LogFile(folder / LOG, settings.log_interval, whole=whole(LOG))
        if settings.trajectory_interval > 0:
            name = TRAJECTORY[settings.trajectory_format]
            self._files[name] = TrajectoryFile(
                folder / name,
                settings.trajectory_interval,
                whole=whole(name),
                compressed=name.endswith(".gz"),
            )
        self._files[EXTRAPOLATION] = ExtrapolationFile(
            folder / EXTRAPOLATION, whole=whole(EXTRAPOLATION)
        )


def refuse_used(folder: Path) -> None:
    """Raise ``InputError`` if a folder holds a run.

    Files of a run that was killed before its first checkpoint are removed.
    """
    found = [name for name in RUN_FILES if (folder / name).exists()]
    if _only_begun(folder, found):
        for name in found:
            (folder / name).unlink()
    elif found:
        hint = f"go on with `trimpot md --resume {folder}`, " if CHECKPOINT in found else ""
        raise InputError(
            f"{folder} holds another run ({', '.join(found)}), expected a folder without; "
            f"{hint}choose another output folder, or delete these files"
        )


def _only_begun(folder: Path, found: Sequence[str]) -> bool:
    """Return whether there is no checkpoint, no result, and nothing beyond step 0."""
    begun = {LOG, EXTRAPOLATION, *TRAJECTORY.values()}
    return bool(found) and set(found) <= begun and all(_short(folder / n) for n in found)


def _short(path: Path) -> bool:
    """Return whether a log has one line of a step at most, other files no frame."""
    if path.name != LOG:
        return path.stat().st_size == 0
    return path.read_bytes().count(b"\n") <= 2


def digest(potential: Potential) -> str | None:
    """Return the SHA-256 of all that a potential is; None if it cannot be stored."""
    try:
        _, parts, tensors = document_of(potential)
    except InputError:
        return None
    content = io.BytesIO()
    write(content, parts, tensors)
    return hashlib.sha256(content.getbuffer()).hexdigest()


def environment() -> dict[str, object]:
    """Return what the bits of a run depend on, besides its settings."""
    import ase

    return {
        "trimpot": release(),
        "instruction_set": _native.instruction_set(),
        "numpy": np.__version__,
        "ase": ase.__version__,
    }
