"""The verb ``evaluate``: a potential beside reference data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trimpot.data import LabelKeys, ReadRules, read
from trimpot.errors import InputError
from trimpot.files import load, make_folder
from trimpot.verbs.charges import ignored_charges
from trimpot.verbs.judging import (
    Judgement,
    error_figures,
    judge,
    write_figures,
    write_tables,
)
from trimpot.verbs.watching import Silent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trimpot.contract import Potential
    from trimpot.data import Frame
    from trimpot.data.frames import Scalar
    from trimpot.validation.errors import ErrorTables
    from trimpot.verbs.watching import Watcher


@dataclass(frozen=True)
class EvaluateResult:
    """Errors of a potential on reference data.

    Attributes
    ----------
    judgement : Judgement
        Error tables and the values behind them.
    output : Path or None
        Folder of tables and figures, if they were written.
    """

    judgement: Judgement
    output: Path | None

    @property
    def tables(self) -> ErrorTables:
        """Error tables: overall, per config_type, per element."""
        return self.judgement.tables


def evaluate(
    model: str | Path | Potential,
    data: str | Path | Sequence[str | Path] | Sequence[Frame],
    *,
    output: str | Path | None = None,
    keys: LabelKeys = LabelKeys(),  # noqa: B008 - frozen
    rules: ReadRules = ReadRules(),  # noqa: B008 - frozen
    where: Mapping[str, Scalar | Sequence[Scalar]] | None = None,
    threads: int = 0,
    watcher: Watcher = Silent(),  # noqa: B008 - has no state
) -> EvaluateResult:
    """Return error tables of a potential on reference data.

    Parameters
    ----------
    model
        A potential or the path of its file.
    data
        Files or patterns, or frames.
    output
        Folder for errors.json, errors.md and figures; made if missing.
    keys, rules, where
        As ``trimpot.read``.
    threads
        Threads; 0 means all available cores.
    watcher
        Told what is read and how far the work is.

    Raises
    ------
    InputError, DataError, FileFormatError
        For files that cannot be used, or elements that the potential does not know.
    """
    potential = load(model) if isinstance(model, str | Path) else model
    frames = frames_of(data, keys, rules, where, watcher)
    for line in ignored_charges(potential, frames):
        watcher.note(line)
    judgement = judge(
        potential, frames, name="data", threads=threads, watcher=watcher, foretold=True
    )
    if output is None:
        return EvaluateResult(judgement, None)
    folder = make_folder(output)
    write_tables({"data": judgement}, folder)
    write_figures(error_figures({"data": judgement}), folder)
    return EvaluateResult(judgement, folder)


def frames_of(
    data: str | Path | Sequence[str | Path] | Sequence[Frame],
    keys: LabelKeys,
    rules: ReadRules,
    where: Mapping[str, Scalar | Sequence[Scalar]] | None,
    watcher: Watcher,
) -> Sequence[Frame]:
    """Return the frames of files or patterns, or those given; tells what was read.

    Raises
    ------
    InputError, DataError
        As ``trimpot.read``, and without any.
    """
    paths = [data] if isinstance(data, str | Path) else list(data)
    if not paths:
        raise InputError("nothing to evaluate: give at least one file or frame")
    if not isinstance(paths[0], str | Path):
        return paths  # type: ignore[return-value]  # a sequence of frames
    dataset = read(paths, keys=keys, rules=rules, where=where)  # type: ignore[arg-type]
    for line in dataset.report.lines():
        watcher.note(line)
    return dataset.frames
