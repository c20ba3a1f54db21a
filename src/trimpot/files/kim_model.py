"""Portable models of KIM from potentials, with the driver that runs them.

KIM (https://openkim.org) is an interface between simulators, such as LAMMPS and ASE, and
models. A portable model is a folder that KIM's own command compiles and installs; ours
holds the potential file and names our driver, ``native/kim``, which reads it.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trimpot.errors import InputError
from trimpot.files.potential_file import save
from trimpot.writing.atomic import write_bytes, write_text
from trimpot.writing.folders import make_folder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trimpot.contract import Potential

DRIVER = "Trimpot__MD_000000000000_000"
"""Name of the driver: a valid extended KIM ID that is not registered at openkim.org."""

SOURCES = ("CMakeLists.txt", "computing.cpp", "driver.cpp", "model.hpp")
HEADER = "trimpot.h"
PARAMETERS = "model.trimpot"
COMMAND = "kim-api-collections-management"
PACKAGES = "apt-get install lammps libkim-api-dev cmake g++ make pkg-config"
LIBRARY = "libtrimpot.so"
LIBRARY_VARIABLE = "TRIMPOT_LIBRARY"
"""Environment variable: a libtrimpot.so other than that of the Python package."""

MODEL_BUILD = """\
# {name}: a potential of Trimpot, run by the driver {driver}.
cmake_minimum_required(VERSION 3.10)

list(APPEND CMAKE_PREFIX_PATH $ENV{{KIM_API_CMAKE_PREFIX_DIR}})
find_package(KIM-API-ITEMS 2.2 REQUIRED CONFIG)
kim_api_items_setup_before_project(ITEM_TYPE "portableModel")
project({name} LANGUAGES CXX)
kim_api_items_setup_after_project(ITEM_TYPE "portableModel")

add_kim_api_model_library(
  NAME ${{PROJECT_NAME}}
  DRIVER_NAME "{driver}"
  PARAMETER_FILES "{parameters}")
"""

README = """\
# {name}

An interatomic potential for simulators that know KIM, written by Trimpot.

Needed once (Debian, Ubuntu): `sudo {packages}`

Install driver and model for yourself, and run the example:

```sh
{steps}
```

LAMMPS input (`units metal`; elements in the order of your atom types):

```
{lines}
```

ASE, after `pip install kimpy`:

```python
from ase.calculators.kim import KIM
atoms.calc = KIM("{name}")
```

To know:

{notes}
"""


@dataclass(frozen=True)
class KimModel:
    """What was written.

    Attributes
    ----------
    name : str
        The model's name, as simulators want it; also its folder.
    files : tuple of str
        Paths in the folder.
    commands : tuple of str
        Shell commands that install driver and model for the user, from within the folder.
    """

    name: str
    files: tuple[str, ...]
    commands: tuple[str, ...]


def model_name(stem: str, content: bytes) -> str:
    """Return a valid extended KIM ID: the name of a potential, digits from its content.

    The same potential has the same name again, so that installing it replaces it.
    """
    word = re.sub(r"[^A-Za-z0-9]+", "_", stem).strip("_")
    digits = int.from_bytes(hashlib.sha256(content).digest()[:8]) % 10**12
    return f"{'_'.join(filter(None, ('Trimpot', word)))}__MO_{digits:012d}_000"


def write_kim(potential: Potential, folder: Path, stem: str) -> KimModel:
    """Write a portable model and its driver as two folders in ``folder``.

    Raises
    ------
    InputError
        If the potential cannot be stored, or libtrimpot.so or the sources of the driver
        are not where they should be.
    WriteError
        If something cannot be written.
    """
    library, sources = library_path(), driver_sources()
    content = _content(potential, folder)
    name = model_name(stem, content)
    make_folder(folder / name)
    write_bytes(folder / name / PARAMETERS, content)
    build = MODEL_BUILD.format(name=name, driver=DRIVER, parameters=PARAMETERS)
    write_text(folder / name / "CMakeLists.txt", build)
    make_folder(folder / DRIVER)
    for source in sources:
        write_bytes(folder / DRIVER / source.name, source.read_bytes())
    write_text(folder / DRIVER / "where.cmake", f'set(TRIMPOT_LIBRARY "{library}")\n')
    names = [f"{DRIVER}/{file}" for file in (*(s.name for s in sources), "where.cmake")]
    files = (f"{name}/CMakeLists.txt", f"{name}/{PARAMETERS}", *names)
    commands = tuple(f"{COMMAND} install --force user ./{item}" for item in (DRIVER, name))
    return KimModel(name, files, commands)


def kim_readme(
    model: KimModel, steps: Sequence[str], lines: Sequence[str], notes: Sequence[str]
) -> str:
    """Return a page about the folder: how to install and use the model, what to know."""
    return README.format(
        name=model.name,
        packages=PACKAGES,
        steps="\n".join(steps),
        lines="\n".join(lines),
        notes="\n".join(f"- {note}" for note in notes),
    )


def is_kim_installed() -> bool:
    """Return whether KIM's command is there, which installs models."""
    return shutil.which(COMMAND) is not None


def _content(potential: Potential, folder: Path) -> bytes:
    """Return the bytes of the potential's file."""
    path = folder / PARAMETERS
    try:
        save(potential, path)
        return path.read_bytes()
    finally:
        path.unlink(missing_ok=True)


def library_path() -> Path:
    """Return the absolute path of libtrimpot.so.

    Raises
    ------
    InputError
        If it is not there.
    """
    wish = os.environ.get(LIBRARY_VARIABLE)
    path = Path(wish) if wish else _package() / LIBRARY
    if not path.is_file():
        todo = f"correct or unset {LIBRARY_VARIABLE}" if wish else "install trimpot again"
        raise InputError(f"cannot find {path}, which runs potentials in KIM; {todo}")
    return path.resolve()


def driver_sources() -> tuple[Path, ...]:
    """Return the source files of the driver and the header that it includes.

    Raises
    ------
    InputError
        If they are not there.
    """
    for root in (_package(), Path(__file__).parents[3]):
        folder, api = root / "native" / "kim", root / "native" / "api"
        files = (*(folder / source for source in SOURCES), api / HEADER)
        if all(file.is_file() for file in files):
            return files
    raise InputError(
        f"cannot find the sources of the KIM driver in {_package() / 'native'}; install "
        "trimpot again"
    )


def _package() -> Path:
    """Return the folder of what is compiled and installed with the package."""
    from trimpot import _native

    return Path(_native.__file__).parent
