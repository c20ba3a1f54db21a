"""The verb ``init``: a commented configuration chosen from the data."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

from trimpot.config import Config, config_from
from trimpot.config.proposals import (
    RECIPES,
    Choice,
    Proposal,
    Recipe,
    is_for_test,
    propose,
    written,
)
from trimpot.data import LabelKeys, read
from trimpot.data.reading import files_of
from trimpot.data.reference_keys import is_marked, reference_keys
from trimpot.errors import DataError, InputError, WriteError
from trimpot.files import write_text
from trimpot.files.yaml_text import parse_yaml
from trimpot.verbs.fit_forecast import FitForecast, fit_forecast
from trimpot.verbs.preparing import prepare_data, prepare_model
from trimpot.verbs.watching import Silent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trimpot.data import Dataset
    from trimpot.verbs.watching import Watcher

DEFAULT_FILE = Path("config.yaml")
DEFAULT_RECIPE: Recipe = "accurate"


@dataclass(frozen=True)
class InitResult:
    """A configuration chosen from data.

    Attributes
    ----------
    text : str
        The file: YAML with the reasons as comments.
    config : Config
        What it says.
    choices : tuple of Choice
        Every setting with its reason.
    forecast : FitForecast
        What the fit will take.
    path : Path or None
        Where the file is, if it was written.
    """

    text: str
    config: Config
    choices: tuple[Choice, ...]
    forecast: FitForecast
    path: Path | None

    def to_dict(self) -> dict[str, object]:
        """Return all but the text as plain values."""
        return {
            "path": None if self.path is None else str(self.path),
            "choices": [asdict(choice) for choice in self.choices],
            "forecast": asdict(self.forecast),
        }


def init(
    files: str | Sequence[str],
    *,
    recipe: str = DEFAULT_RECIPE,
    output: str | Path | None = DEFAULT_FILE,
    force: bool = False,
    threads: int = 0,
    watcher: Watcher = Silent(),  # noqa: B008 - has no state
) -> InitResult:
    """Choose a configuration from data, and write it with its reasons.

    Parameters
    ----------
    files
        Paths or patterns. Files with ``test`` or ``valid`` in their name hold test frames,
        if there are others.
    recipe
        ``accurate``, ``balanced``, ``fast`` or ``plain``.
    output
        The file to write; None writes nothing.
    force
        Replace the file if it exists.
    threads
        0: all available cores.

    Raises
    ------
    InputError, DataError
        For files that cannot be used, an unknown recipe, an output that exists.
    """
    path = _free_path(output, force=force)
    known = _known(recipe)
    train, test = _divided([files] if isinstance(files, str) else list(files))
    keys = reference_keys(train)
    dataset = read(train, keys=keys)
    for line in dataset.report.lines():
        watcher.note(line)
    proposal = propose(
        dataset.frames,
        known,
        files=_file_choices(train, test, keys, dataset),
        separate_test=bool(test),
        threads=threads,
    )
    text, config, forecast = _checked(proposal, threads)
    watcher.note(forecast.text)
    if path is not None:
        write_text(path, text)
    return InitResult(text, config, proposal.choices, forecast, path)


def _free_path(output: str | Path | None, *, force: bool) -> Path | None:
    """Return the path to write; refuse one that exists, before any work."""
    if output is None:
        return None
    path = Path(output)
    if path.is_dir():
        raise InputError(f"{path} is a folder, expected the path of a file to write")
    if path.exists() and not force:
        raise InputError(
            f"{path} exists; give another path with --output, or --force to replace it"
        )
    if not path.parent.is_dir():
        raise WriteError(f"the folder {path.parent} does not exist; make it first")
    return path


def _known(recipe: str) -> Recipe:
    for known in RECIPES:
        if known == recipe:
            return known
    raise InputError(f"recipe: found {recipe!r}, expected one of {', '.join(RECIPES)}")


def _divided(files: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return what was given for training and for test.

    A pattern that matches both is replaced by its files.
    """
    train: list[str] = []
    test: list[str] = []
    for given in files:
        named = [str(path) for path in files_of(given)]
        marked = [name for name in named if is_for_test(Path(name).name)]
        if not marked:
            train.append(given)
        elif len(marked) == len(named):
            test.append(given)
        else:
            train += [name for name in named if name not in marked]
            test += marked
    return (train, test) if train else (test, [])


def _file_choices(
    train: list[str], test: list[str], keys: LabelKeys, dataset: Dataset
) -> tuple[Choice, ...]:
    report = dataset.report
    labels = ", ".join(f"{report.count(q)} {q}" for q in ("energy", "forces", "stress"))
    why = f"{report.n_frames} frames, {report.n_atoms} atoms; labels: {labels}."
    found = [Choice("data.path", _one_or_all(train), why)]
    if test:
        why = "Their names say test or validation: never used for a choice."
        found.append(Choice("data.test", _one_or_all(test), why))
    named = {**_marked_keys(dataset), **keys.selected()}
    if named:
        names = ", ".join(named.values())
        why = f"{names} are taken for the reference labels."
        if keys.selected():
            why += " The plain keys hold other values."
        found.append(Choice("data.keys", named, why))
    return tuple(found)


def _one_or_all(paths: list[str]) -> object:
    return paths[0] if len(paths) == 1 else paths


def _marked_keys(dataset: Dataset) -> dict[str, str]:
    """Return keys such as REF_energy where all files agree on them."""
    found: dict[str, str] = {}
    for role in (f.name for f in fields(LabelKeys)):
        used = {key for file in dataset.report.files for key in file.keys.get(role, {})}
        if len(used) == 1 and is_marked(plain := used.pop().partition(" (")[0]):
            found[role] = plain
    return found


def _checked(proposal: Proposal, threads: int) -> tuple[str, Config, FitForecast]:
    """Return the text, what it loads to, and what the fit of it will take."""
    values = parse_yaml(written(proposal), "the proposed configuration")
    config = config_from(_mapping(values), [f"threads={threads}"])
    data = prepare_data(config, Silent())
    model, _ = prepare_model(config, data)
    forecast = fit_forecast(config, data, model)
    head = (
        f"Chosen by trimpot init from {proposal.title}.",
        f"{forecast.size}.",
        "Train with: trimpot train THIS_FILE --set output=FOLDER",
    )
    return written(proposal, head), config, forecast


def _mapping(values: object) -> Mapping[str, object]:
    if not isinstance(values, dict):
        raise DataError("the proposed configuration is empty")
    return values
