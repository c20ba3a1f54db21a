"""The verb ``suites``: which suites come with Trimpot, and a copy to change."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from trimpot.errors import InputError
from trimpot.files import make_folder, write_bytes
from trimpot.files.release import release
from trimpot.validation.suites import load_suite, suite_files, suite_names, suite_variants


@dataclass(frozen=True)
class SuiteFacts:
    """What a suite is for.

    Attributes
    ----------
    name, description : str
    elements : tuple of str
        Its elements, or the names of its variants.
    properties, long : tuple of str
        What it measures, and what of that only on demand.
    """

    name: str
    description: str
    elements: tuple[str, ...]
    properties: tuple[str, ...]
    long: tuple[str, ...]


@dataclass(frozen=True)
class SuitesResult:
    """Suites, and files that were written.

    Attributes
    ----------
    suites : tuple of SuiteFacts
    written : tuple of Path
        The copy; empty without one.
    """

    suites: tuple[SuiteFacts, ...]
    written: tuple[Path, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """Return plain values."""
        return {
            "trimpot": release(),
            "suites": [asdict(suite) for suite in self.suites],
            "written": [str(path) for path in self.written],
        }


def suites(name: str | None = None, *, copy: str | Path | None = None) -> SuitesResult:
    """Return what suites there are, or what one is; write a copy of it to change.

    Parameters
    ----------
    name
        Of one suite; None: all.
    copy
        Folder, made if missing, for NAME.yaml and the structures that it names.

    Raises
    ------
    InputError
        If there is no such suite, or a file of the copy is there already.
    WriteError
        If the copy cannot be written.
    """
    if name is None and copy is not None:
        raise InputError("found no name of a suite, expected one to copy")
    if name is not None and name not in suite_names():
        raise InputError(
            f"found no suite {name!r}, expected one of {', '.join(suite_names())}"
        )
    names = suite_names() if name is None else (name,)
    written = () if name is None or copy is None else _copied(name, Path(copy))
    return SuitesResult(tuple(_facts(one) for one in names), written)


def _facts(name: str) -> SuiteFacts:
    variants = suite_variants(name)
    suite = load_suite(f"{name}:{variants[0]}" if variants else name)
    elements = variants or suite.elements
    return SuiteFacts(name, suite.description, elements, (*suite.properties,), suite.long)


def _copied(name: str, folder: Path) -> tuple[Path, ...]:
    files = suite_files(name)
    there = [str(folder / file) for file in files if (folder / file).exists()]
    if there:
        raise InputError(
            f"found {', '.join(there)} already; name another folder, or remove them"
        )
    make_folder(folder)
    for file, content in files.items():
        write_bytes(folder / file, content)
    return tuple(folder / file for file in files)
