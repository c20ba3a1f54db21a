"""The verb ``validate``: physical checks of a potential, with grades."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trimpot.engines.ase import structure_from_atoms
from trimpot.engines.singlepoint import check_structure
from trimpot.errors import InputError
from trimpot.files import load, run_folder, write_text
from trimpot.files.release import release
from trimpot.reports.physical_checks import checks_markdown
from trimpot.validation.checks import CheckSettings, run_checks
from trimpot.verbs.known_facts import known_of
from trimpot.verbs.plain import finite_plain
from trimpot.verbs.structures import read_structures
from trimpot.verbs.watching import Silent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ase import Atoms

    from trimpot.contract import Potential, Structure
    from trimpot.validation.checks import Examination, Known
    from trimpot.verbs.watching import Watcher

JSON_FILE, MARKDOWN_FILE = "checks.json", "checks.md"


@dataclass(frozen=True)
class ValidateResult:
    """What ``validate`` found.

    Attributes
    ----------
    model : str
        Path of the potential, or its type.
    checks : Examination
        Verdicts of all checks that were asked for.
    settings : CheckSettings
    seconds : float
        Time that the checks took.
    output : Path or None
        Folder of checks.json and checks.md, if they were written.
    """

    model: str
    checks: Examination
    settings: CheckSettings
    seconds: float
    output: Path | None = None

    @property
    def passed(self) -> bool:
        """Whether no mandatory check failed."""
        return self.checks.passed

    def to_dict(self) -> dict[str, object]:
        """Return everything, ready for JSON."""
        return {
            "model": self.model,
            "trimpot": release(),
            "passed": self.passed,
            "seconds": round(self.seconds, 2),
            "settings": asdict(self.settings),
            **{k: v for k, v in self.checks.to_dict().items() if k != "passed"},
            "output": None if self.output is None else str(self.output),
        }


def validate(
    model: str | Path | Potential,
    structures: str | Path | Atoms | Sequence[Atoms] = (),
    settings: CheckSettings = CheckSettings(),  # noqa: B008 - frozen
    *,
    output: str | Path | None = None,
    only: Sequence[str] = (),
    known: Known | None = None,
    watcher: Watcher = Silent(),  # noqa: B008 - has no state
) -> ValidateResult:
    """Make the physical checks of a potential and grade them.

    Parameters
    ----------
    model
        A potential or the path of its file.
    structures
        Atoms, several, or a file of any format that ASE reads, on which checks are made
        besides those structures that are made from the potential's species. Of more than
        eight, eight are taken.
    settings
        How much work the checks are.
    output
        Folder, made if missing, for checks.json and checks.md; older ones are replaced.
    only
        Names of checks or of families; all if empty.
    known
        What is known of the potential; None: what a potential of ours says of itself.
    watcher
        Told which family of checks is on.

    Raises
    ------
    InputError, DataError, FileFormatError
        For a model, structures or names that cannot be used. Whatever the potential
        itself raises in a check is a failed check.
    WriteError
        If the results cannot be written.
    """
    ours = isinstance(model, str | Path)
    potential = load(model) if isinstance(model, str | Path) else model
    given = _structures(potential, structures)
    start = time.monotonic()
    checks = run_checks(
        potential,
        known_of(potential) if known is None else known,
        given,
        settings,
        only=only,
        progress=lambda _, done, total: watcher.progress("checks", done, total),
    )
    name = str(model) if ours else type(potential).__name__
    seconds = time.monotonic() - start
    done = ValidateResult(name, checks, settings, seconds)
    return done if output is None else _written(done, output)


def _written(done: ValidateResult, output: str | Path) -> ValidateResult:
    with run_folder(output) as folder:
        written = ValidateResult(
            done.model, done.checks, done.settings, done.seconds, folder
        )
        document = json.dumps(finite_plain(written.to_dict()), indent=1)
        write_text(folder / JSON_FILE, document + "\n")
        title = f"Physical checks of {done.model}"
        write_text(folder / MARKDOWN_FILE, checks_markdown(done.checks, title))
        return written


def _structures(
    potential: Potential, structures: str | Path | Atoms | Sequence[Atoms]
) -> list[Structure]:
    """Return the user's structures, refused where the potential cannot know them."""
    from ase import Atoms

    if isinstance(structures, str | Path):
        atoms = read_structures(structures)
    else:
        atoms = [structures] if isinstance(structures, Atoms) else list(structures)
    found = [structure_from_atoms(one) for one in atoms]
    for index, structure in enumerate(found):
        try:
            check_structure(structure, potential.species)
        except InputError as error:
            raise InputError(f"structure {index}: {error}") from error
        if len(structure) == 0:
            raise InputError(f"structure {index} has no atoms, expected at least one")
    return found
