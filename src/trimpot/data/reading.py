"""Read reference data: files in, a data set and a report of the reading out."""

from __future__ import annotations

import glob
from pathlib import Path
from typing import TYPE_CHECKING

from trimpot.data.ase_formats import ase_format, read_with_ase
from trimpot.data.charges import total_charge
from trimpot.data.code_outputs import CODE_OUTPUTS
from trimpot.data.distances import check_distances
from trimpot.data.extxyz import read_extxyz
from trimpot.data.frames import Dataset, Frame
from trimpot.data.labels import LabelKeys, plan_labels
from trimpot.data.rules import ReadRules
from trimpot.data.selection import Selection
from trimpot.data.structures import structure_of
from trimpot.data.tally import Tally, check_tallies
from trimpot.data.truncation import unfinished
from trimpot.data.values import config_type_of, info_of, labels_of
from trimpot.errors import DataError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from trimpot.data.extxyz_frames import Refuse
    from trimpot.data.frames import Scalar
    from trimpot.data.records import RawFrame

PathLike = str | Path
_XYZ_SUFFIXES = {".xyz", ".extxyz"}
_COMPRESSED = {".gz", ".xz", ".bz2"}
_CHECKED_ATOMS = 50_000


def read(
    paths: PathLike | Sequence[PathLike],
    *,
    keys: LabelKeys = LabelKeys(),  # noqa: B008  (frozen)
    rules: ReadRules = ReadRules(),  # noqa: B008  (frozen)
    where: Mapping[str, Scalar | Sequence[Scalar]] | None = None,
    format: str | None = None,
) -> Dataset:
    """Return the frames of files, with a report of what was read and what was not.

    Parameters
    ----------
    paths : path, glob pattern, or several of them
        Extended XYZ (plain, gz, xz, bz2) or any format that ASE reads.
    keys : LabelKeys
        Keys of the labels; by default the usual dialects are recognised.
    rules : ReadRules
        Stress unit and sign, and limits.
    where : mapping, optional
        Keep only frames whose fields have these values, for example
        ``{"uf3_train": 1}`` or ``{"config_type": ("bulk", "surface")}``; other frames
        are skipped while reading and need no memory.
    format : str, optional
        ``extxyz`` or an ASE format name; by default it follows from the file.

    Returns
    -------
    Dataset
        Frames in the order of the files.

    Raises
    ------
    DataError
        For anything missing, malformed or physically impossible; see docs/errors.md.
    InputError
        If a path or pattern matches no file.
    """
    selection = Selection.build(where, keys.config_type)
    frames: list[Frame] = []
    tallies = []
    for path in files_of(paths):
        tally = Tally(str(path), format or format_of(path))
        own = rules_for(tally.format, rules)
        for raw in raw_frames(path, tally.format, selection, own):
            if raw is None:
                tally.n_not_selected += 1
            else:
                frames.append(checked_frame(raw, keys, own, tally))
        if tally.n_frames == 0 and tally.n_not_selected == 0:
            raise DataError(
                f"{path}: the file has no frames, expected at least one; check that it was "
                "written completely, or leave it out"
            )
        if (remark := unfinished(path, tally.format)) is not None:
            tally.remarks.append(remark)
        tallies.append(tally)
    for block in blocks(frames):
        check_distances(block, rules.min_distance)
    selection.check(len(frames))
    report = check_tallies(tallies, keys, rules)
    return Dataset(tuple(frames), report)


def files_of(paths: PathLike | Sequence[PathLike]) -> list[Path]:
    """Return the files behind paths and patterns, each once, patterns sorted."""
    given = [paths] if isinstance(paths, str | Path) else list(paths)
    found: list[Path] = []
    for item in given:
        if Path(item).exists():
            matches = [str(item)]
        else:
            # Path.glob takes no absolute patterns
            matches = sorted(glob.glob(str(item), recursive=True))  # noqa: PTH207
        if not matches:
            raise InputError(
                f"no file matches '{item}' in {Path.cwd()}, expected a path or a pattern; "
                "paths are relative to the working directory"
            )
        found.extend(path for path in map(Path, matches) if path not in found)
    if not found:
        raise InputError("no files given, expected at least one path or pattern")
    return found


def format_of(path: Path) -> str:
    """Return the format of a file from its suffix, or from ASE."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in _COMPRESSED:
        suffixes.pop()
    return "extxyz" if suffixes and suffixes[-1] in _XYZ_SUFFIXES else ase_format(path)


def rules_for(format_name: str, rules: ReadRules) -> ReadRules:
    """Return the rules for a format: ASE knows the units and signs of some."""
    return rules.of_code_output() if format_name in CODE_OUTPUTS else rules


def raw_frames(
    path: Path,
    format_name: str,
    selection: Selection,
    rules: ReadRules,
    *,
    refuse: Refuse | None = None,
) -> Iterator[RawFrame | None]:
    """Yield the frames of a file as it spells them, and None for each not selected.

    ``refuse`` is told of frames of extended XYZ that cannot be parsed instead of an error.
    """
    if format_name in {"extxyz", "xyz"}:
        return read_extxyz(path, selection, refuse=refuse)
    return read_with_ase(path, format_name, selection, rules)


def checked_frame(raw: RawFrame, keys: LabelKeys, rules: ReadRules, tally: Tally) -> Frame:
    """Return the checked frame and count it."""
    plan = plan_labels(raw, keys)
    charge = total_charge(raw, keys.charge)
    structure, swapped = structure_of(raw, rules, charge.value)
    labels = labels_of(raw, plan, structure, rules)
    frame = Frame(
        structure=structure,
        energy=labels.energy,
        forces=labels.forces,
        stress=labels.stress,
        config_type=config_type_of(raw, plan),
        info=info_of(raw, plan, labels.used),
        source=f"{raw.place.path.name}#{raw.place.frame}",
    )
    tally.add(frame, raw, labels.used, plan.ignored)
    if plan.config_key is not None:
        tally.used.add(("config_type", plan.config_key.key))
    if charge.key:
        tally.used.add(("charge", charge.key))
    if charge.value:
        tally.notes[f"total charge {charge.value:+d} from {charge.key}"] += 1
    if charge.note:
        tally.notes[charge.note] += 1
    if swapped:
        tally.notes["left-handed cell, second and third lattice vector swapped"] += 1
    return frame


def blocks(frames: list[Frame]) -> Iterator[list[Frame]]:
    """Cut frames into blocks of a bounded number of atoms."""
    block: list[Frame] = []
    atoms = 0
    for frame in frames:
        block.append(frame)
        atoms += len(frame)
        if atoms > _CHECKED_ATOMS:
            yield block
            block, atoms = [], 0
    yield block
