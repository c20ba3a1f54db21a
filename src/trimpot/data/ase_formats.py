"""Read everything that is not extended XYZ through ASE."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from trimpot.data.code_outputs import CODE_OUTPUTS, check_is_read, check_units
from trimpot.data.records import ATOMIC_NUMBERS, NumberArray, Place, RawFrame, Value
from trimpot.data.textfile import open_text
from trimpot.data.truncation import check_is_whole
from trimpot.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    import ase

    from trimpot.data.rules import ReadRules
    from trimpot.data.selection import Selection

_STRUCTURE_COLUMNS = {"numbers", "positions"}
_DATABASES = {"db", "json"}
_DUMP_FORMATS = {"lammps-dump-text", "lammps-dump-binary"}


def ase_format(path: Path) -> str:
    """Return the name of the format as ASE recognises it.

    Raises
    ------
    DataError
        If the file cannot be opened or ASE knows no such format.
    """
    from ase.io.formats import UnknownFileTypeError, filetype

    check_is_read(path)
    try:
        return str(filetype(str(path)))
    except UnknownFileTypeError as error:
        raise DataError(
            f"{path}: the format is not recognised ({error}), expected extended XYZ or a "
            "format that ASE reads; name it with format=..."
        ) from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error}); check the path") from error


def read_with_ase(
    path: Path, format_name: str, wanted: Selection, rules: ReadRules
) -> Iterator[RawFrame | None]:
    """Yield the frames that ASE finds; None stands for one not wanted.

    Raises
    ------
    DataError
        If ASE cannot read the file, with its reason, or if a calculation did not finish
        its first step.
    """
    check_is_whole(path, format_name)
    check_units(path, format_name)
    for index, atoms in enumerate(_iterate(path, format_name, rules)):
        place = Place(path, index)
        if format_name in CODE_OUTPUTS and atoms.calc is None and rules.require_labels:
            raise DataError(
                f"{place}: the calculation has no finished ionic step, expected energy and "
                "forces; run it again, or leave the file out"
            )
        fields = _fields(atoms.info)
        yield _raw(atoms, fields, place, format_name) if wanted(fields) else None


def _iterate(path: Path, format_name: str, rules: ReadRules) -> Iterator[ase.Atoms]:
    """Yield what ASE reads, with its many kinds of failure made one."""
    images = _images(path, format_name, _type_options(path, format_name, rules))
    count = 0
    while True:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # ASE's remarks on files are not errors
                atoms = next(images, None)
        except DataError:
            raise
        except Exception as error:  # ASE's readers raise anything
            raise DataError(
                f"{path.name} frame {count}: ASE cannot read it as {format_name} "
                f"({type(error).__name__}: {error}); delete what follows the last "
                "complete frame, copy the file again, or name its format with format=..."
            ) from error
        if atoms is None:
            return
        yield atoms
        count += 1


def _images(
    path: Path, format_name: str, options: dict[str, list[str] | dict[int, int]]
) -> Iterator[ase.Atoms]:
    """Yield structures; rows of a database with their key-value pairs in ``info``."""
    if format_name in _DATABASES:
        import ase.db

        for row in ase.db.connect(path).select():  # type: ignore[no-untyped-call]
            yield row.toatoms(add_additional_information=True)
        return
    from ase.io import iread

    if format_name == "vasp-out":  # ASE's reader asks the stream for its name
        with open_text(path) as file:
            yield from iread(file, index=":", format=format_name)
        return
    yield from iread(
        str(path),
        index=":",
        format=format_name,
        do_not_split_by_at_sign=True,
        **options,  # type: ignore[arg-type]
    )


def _type_options(
    path: Path, format_name: str, rules: ReadRules
) -> dict[str, list[str] | dict[int, int]]:
    """Return what tells ASE the elements of LAMMPS types; ASE would take type 1 as H."""
    unknown = [name for name in rules.type_names if name not in ATOMIC_NUMBERS]
    if unknown:
        raise DataError(
            f"type_names: unknown element '{unknown[0]}', expected chemical symbols such "
            "as W"
        )
    if format_name == "lammps-data":
        if not rules.type_names:
            _check_data_file_names_elements(path)
            return {}
        numbers = enumerate(rules.type_names, start=1)
        return {"Z_of_type": {kind: ATOMIC_NUMBERS[name] for kind, name in numbers}}
    if format_name not in _DUMP_FORMATS:
        return {}
    if rules.type_names:
        return {"specorder": list(rules.type_names)}
    if not _dump_names_elements(path):
        raise DataError(
            f"{path.name}: the dump gives atom types without elements, expected a column "
            "'element'; write it with dump_modify element, or give type_names"
        )
    return {}


def _dump_names_elements(path: Path) -> bool:
    with open_text(path) as file:
        header = next((line for line in file if line.startswith("ITEM: ATOMS")), "")
    return "element" in header.split()


def _check_data_file_names_elements(path: Path) -> None:
    with open_text(path) as file:
        if any(line.startswith(("Masses", "Atom Type Labels")) for line in file):
            return
    raise DataError(
        f"{path.name}: the data file gives atom types without elements, expected a section "
        "Masses or Atom Type Labels; add one, or give type_names"
    )


def _results(atoms: ase.Atoms, format_name: str) -> dict[str, Value]:
    # Results directly: get_forces() would apply constraints and zero forces.
    results = _plain({} if atoms.calc is None else atoms.calc.results)
    if format_name in _DUMP_FORMATS:
        results.pop("energy", None)  # ASE puts 0.0; a dump has none
    return results


def _raw(
    atoms: ase.Atoms, fields: dict[str, Value], place: Place, format_name: str
) -> RawFrame:
    if len(atoms) == 0:
        raise DataError(
            f"{place}: the frame has 0 atoms, expected at least 1; delete the frame"
        )
    numbers = np.array(atoms.numbers, dtype=np.int32)
    if numbers.min() < 1:
        raise DataError(
            f"{place}: unknown element (atomic number {numbers.min()}), expected a "
            "chemical symbol such as W; rename it or delete the frame"
        )
    numbers.flags.writeable = False
    cell = np.array(atoms.cell, dtype=np.float64)
    return RawFrame(
        place=place,
        numbers=numbers,
        positions=np.array(atoms.positions, dtype=np.float64),
        cell=cell if cell.any() else None,
        pbc=np.array(atoms.pbc, dtype=np.bool_),
        assumed_pbc=False,
        results=_results(atoms, format_name),
        fields=fields,
        columns=_columns(atoms.arrays),
        code_output=format_name in CODE_OUTPUTS,
    )


def _fields(info: Mapping[str, object]) -> dict[str, Value]:
    """Return per-frame fields; the key-value pairs of an ASE database are unpacked."""
    pairs = info.get("key_value_pairs")
    merged = {**info, **pairs} if isinstance(pairs, Mapping) else dict(info)
    return _plain(merged)


def _plain(values: Mapping[str, object]) -> dict[str, Value]:
    """Return the entries that are numbers, words or numeric arrays."""
    plain: dict[str, Value] = {}
    for key, value in values.items():
        if isinstance(value, np.generic):
            plain[key] = value.item()
        elif isinstance(value, str | int | float | bool):
            plain[key] = value
        elif isinstance(value, np.ndarray | list | tuple):
            array = _numeric(value)
            if array is not None:
                plain[key] = array
    return plain


def _numeric(value: Iterable[object]) -> NumberArray | None:
    try:
        array = np.asarray(value)
    except ValueError:
        return None
    return array if array.dtype.kind in "fib" else None


def _columns(arrays: Mapping[str, NumberArray]) -> dict[str, NumberArray]:
    return {
        name: values
        for name, values in arrays.items()
        if name not in _STRUCTURE_COLUMNS and values.dtype.kind in "fib"
    }
