"""The verb ``report``: one page of a judgement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trimpot.data import LabelKeys, ReadRules
from trimpot.errors import InputError
from trimpot.files import run_folder
from trimpot.files.release import release
from trimpot.validation.checks import CheckSettings
from trimpot.verbs.judged_folder import JUDGED, PAGE, read_folder, write_page
from trimpot.verbs.validating import ATOMS, validate
from trimpot.verbs.watching import Silent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ase import Atoms

    from trimpot.data import Frame
    from trimpot.data.frames import Scalar
    from trimpot.reports.judged import Judged
    from trimpot.verbs.judged_models import Models
    from trimpot.verbs.watching import Watcher

FOLDER = Path("judged")
"""Where models are judged if no other folder is named."""


@dataclass(frozen=True)
class ReportResult:
    """A page.

    Attributes
    ----------
    page : Path
        The file, report.html.
    judged : Judged
        What is on it.
    notes : tuple of str
        What is missing, and why.
    """

    page: Path
    judged: Judged
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """Return plain values."""
        return {
            "trimpot": release(),
            "page": str(self.page),
            "models": [model.name for model in self.judged.models],
            "notes": list(self.notes),
        }


def report(
    what: Models,
    structures: str | Path | Atoms | Sequence[Atoms] = (),
    settings: CheckSettings = CheckSettings(),  # noqa: B008 - frozen
    *,
    suite: str | Path | None = None,
    data: str | Path | Sequence[str | Path] | Sequence[Frame] = (),
    keys: LabelKeys = LabelKeys(),  # noqa: B008 - frozen
    rules: ReadRules = ReadRules(),  # noqa: B008 - frozen
    where: Mapping[str, Scalar | Sequence[Scalar]] | None = None,
    fit_e0: bool = False,
    time: bool = False,
    atoms: int = ATOMS,
    checks: bool | None = None,
    only: Sequence[str] = (),
    long: bool = False,
    output: str | Path | None = None,
    processes: int = 0,
    watcher: Watcher = Silent(),  # noqa: B008 - has no state
) -> ReportResult:
    """Make report.html of a folder of ``validate``, or of models that are judged first.

    Parameters
    ----------
    what
        A folder that ``validate`` wrote: nothing is measured, all is read from it. Or
        models, which are judged with all other arguments as ``validate`` takes them.
    output
        Folder for models; ``judged`` if left out.

    Raises
    ------
    InputError, FileFormatError
        If a folder is no judgement, or damaged; or as ``validate``.
    """
    folder = _folder(what)
    if folder is None:
        done = validate(
            what,
            structures,
            settings,
            suite=suite,
            data=data,
            keys=keys,
            rules=rules,
            where=where,
            fit_e0=fit_e0,
            time=time,
            atoms=atoms,
            checks=checks,
            only=only,
            long=long,
            output=FOLDER if output is None else output,
            processes=processes,
            watcher=watcher,
        )
        return ReportResult(Path(done.output or FOLDER) / PAGE, done.judged, done.notes)
    given = (structures, suite, data, where, fit_e0, time, only, long, output)
    if any(value not in (None, False, (), []) for value in given) or checks is not None:
        raise InputError(
            f"{folder} is a folder of results, of which only the page is drawn; leave out "
            "all options, or name the models to judge"
        )
    judged = read_folder(folder, watcher)
    with run_folder(folder):
        return ReportResult(write_page(folder, judged), judged, judged.notes)


def _folder(what: Models) -> Path | None:
    """Return the folder that is meant; None where models are.

    Raises
    ------
    InputError
        If folders stand among models.
    """
    if isinstance(what, str | Path):
        return Path(what) if Path(what).is_dir() else None
    if not isinstance(what, Sequence):
        return None
    paths = [Path(p) for p in what if isinstance(p, str | Path)]
    folders = [p for p in paths if p.is_dir()]
    if folders and len(what) > 1:
        raise InputError(
            f"{folders[0]} is a folder, which stands alone; give one folder (with a "
            f"{JUDGED}), or models"
        )
    return folders[0] if folders else None
