"""How dynamics runs in LAMMPS: processes, programs, and what cannot be done there."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trimpot.engines.charges import total_charge
from trimpot.engines.lammps.building import BuildSettings, build_plugin
from trimpot.engines.lammps.running import Launch
from trimpot.errors import InputError
from trimpot.files.native_programs import refuse_uncompiled
from trimpot.files.potential_file import document_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ase import Atoms

    from trimpot.contract import Potential
    from trimpot.engines.lammps.building import Plugin
    from trimpot.engines.md_settings import MdSettings

EMBEDDED = "leave out --engine lammps to run it in the embedded engine"


@dataclass(frozen=True)
class LammpsSettings:
    """How many processes of which LAMMPS take the steps.

    Attributes
    ----------
    ranks : int
        MPI processes.
    lmp, mpiexec : str or None
        Programs; None: those that are found.
    include, compiler : str or None
        Headers and compiler that the plugin is built with; None: those that are found.
    """

    ranks: int = 1
    lmp: str | None = None
    mpiexec: str | None = None
    include: str | None = None
    compiler: str | None = None

    def __post_init__(self) -> None:
        if self.ranks < 1:
            raise InputError(f"ranks is {self.ranks}, expected at least 1 MPI process")

    def facts(self) -> dict[str, object]:
        """Return what a checkpoint keeps."""
        return {"name": "lammps", **asdict(self)}

    @classmethod
    def of_facts(cls, facts: Mapping[str, object]) -> LammpsSettings:
        """Return the settings that a checkpoint has kept."""
        return cls(**{name: facts[name] for name in asdict(cls())})  # type: ignore[arg-type]


@dataclass(frozen=True)
class Ready:
    """Programs and plugin that a run will use."""

    launch: Launch
    plugin: Plugin


def made_ready(settings: LammpsSettings) -> Ready:
    """Return programs and plugin; the plugin is built if it is not there.

    Raises
    ------
    InputError, MissingPartError, EngineError, WriteError
        As ``build_plugin``.
    """
    launch = Launch.of(settings.ranks, lmp=settings.lmp, mpiexec=settings.mpiexec)
    build = BuildSettings(
        include=_path(settings.include),
        compiler=_path(settings.compiler),
        lmp=Path(launch.lmp),
    )
    return Ready(launch, build_plugin(build))


def check_possible(potential: Potential, atoms: Atoms) -> None:
    """Refuse what LAMMPS cannot do with a potential.

    Raises
    ------
    InputError
        Saying why, and what to do instead.
    """
    try:
        document_of(potential)
    except InputError as error:
        raise InputError(
            f"LAMMPS reads potentials from files, and this one cannot be stored ({error}); "
            f"{EMBEDDED}"
        ) from error
    refuse_uncompiled(potential, "LAMMPS", EMBEDDED)
    if charge := total_charge(atoms):
        raise InputError(
            f"the structure has the total charge {charge}, which LAMMPS is not told; "
            f"{EMBEDDED}"
        )


def pair_words(settings: MdSettings, ranks: int) -> str:
    """Return the options of ``pair_style trimpot``; all cores are shared by the ranks."""
    precision = "mixed" if settings.precision == "auto" else settings.precision
    threads = settings.threads or max(1, len(os.sched_getaffinity(0)) // ranks)
    return f"precision {precision} threads {threads}"


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)
