"""A judgement in a folder: written, and read back without measuring again."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from trimpot.errors import FileFormatError, InputError, TrimpotError
from trimpot.files import write_text
from trimpot.files.release import release
from trimpot.reports.judged import Judged, JudgedModel
from trimpot.validation.checks import Examination
from trimpot.validation.errors import ErrorTables
from trimpot.validation.stored_suites import result_from_dict, result_to_dict
from trimpot.verbs.judged_models import given_models
from trimpot.verbs.judged_text import judged_checks_markdown, judged_markdown
from trimpot.verbs.kept_parts import KeptParts
from trimpot.verbs.plain import finite_plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trimpot.reports.page import Picture
    from trimpot.verbs.watching import Watcher

JUDGED, PAGE, MARKDOWN = "judged.json", "report.html", "judged.md"
CHECKS, CHECKS_MARKDOWN = "checks.json", "checks.md"
SUITE, ERRORS, TIMES = "suite.json", "errors.json", "times.json"
WRITTEN = (PAGE, MARKDOWN, CHECKS, CHECKS_MARKDOWN, SUITE, ERRORS, TIMES)
KEPT, PROPERTIES = "kept", "properties"

FORMAT = 1


@dataclass(frozen=True)
class ModelRecord:
    """What is stored of a model besides results.

    Attributes
    ----------
    path : str or None
        Its file.
    key : str
        Of what it is.
    kind : str
        In a few words.
    check_seconds : float or None
    check_settings : mapping
    errors_key : str
        Of the kept comparisons; empty for none.
    constants : mapping of str to float
        Added to its energies before they were compared, eV per atom.
    """

    path: str | None
    key: str
    kind: str
    check_seconds: float | None = None
    check_settings: Mapping[str, object] = field(default_factory=dict)
    errors_key: str = ""
    constants: Mapping[str, float] = field(default_factory=dict)


def start_folder(folder: Path) -> None:
    """Mark a folder as one of ours, at the start of a run.

    Raises
    ------
    InputError
        If it holds something else.
    """
    others = sorted(p.name for p in folder.iterdir() if not p.name.startswith("."))
    if (folder / JUDGED).exists() or not others:
        if not (folder / JUDGED).exists():
            _write(folder / JUDGED, {"format": FORMAT, "trimpot": release()})
        return
    raise InputError(
        f"{folder} holds something else ({', '.join(others[:4])}), expected a new folder "
        f"or one of trimpot validate, with a {JUDGED}; name another one (--output DIR)"
    )


def write_folder(
    folder: Path,
    judged: Judged,
    records: Mapping[str, ModelRecord],
) -> None:
    """Write all but the page; what an older run left and this one did not find, goes."""
    documents = {
        CHECKS: _checks(judged, records),
        SUITE: None if judged.suite is None else result_to_dict(judged.suite),
        ERRORS: _errors(judged, records),
        TIMES: _times(judged),
    }
    for name in (PAGE, CHECKS_MARKDOWN):
        (folder / name).unlink(missing_ok=True)
    for name, document in documents.items():
        if document is None:
            (folder / name).unlink(missing_ok=True)
        else:
            _write(folder / name, document)
    if documents[CHECKS] is not None:
        write_text(folder / CHECKS_MARKDOWN, judged_checks_markdown(judged))
    write_text(folder / MARKDOWN, judged_markdown(judged))
    files = [name for name in WRITTEN if (folder / name).exists()]
    _write(folder / JUDGED, _document(judged, records, files))


def write_page(folder: Path, judged: Judged) -> Path:
    """Draw the page of a judgement; return its path."""
    from trimpot.reports.validation_page import judged_page

    write_text(folder / PAGE, judged_page(judged))
    return folder / PAGE


def read_folder(folder: Path, watcher: Watcher) -> Judged:
    """Return a judgement from its folder.

    Curves are drawn from the files of models, if they are there as they were.

    Raises
    ------
    InputError
        If the folder holds no judgement, or an unfinished one.
    FileFormatError
        If a file in it is damaged.
    """
    plain = _judgement(folder)
    suite = _read(folder / SUITE)
    checks, errors, times = (_read(folder / name) for name in (CHECKS, ERRORS, TIMES))
    try:
        models = tuple(
            JudgedModel(
                name,
                one["facts"],
                _examination(checks, name),
                _tables(errors, name),
                KeptParts(folder / KEPT).found_comparisons(one["errors_key"]),
                _microseconds(times, name),
                _curves(name, one, watcher),
            )
            for name, one in plain["models"].items()
        )
        return Judged(
            plain["title"],
            models,
            None if suite is None else result_from_dict(suite),
            plain["data"],
            plain["timed_on"],
            plain["commands"],
            plain["machine"],
            tuple(plain["notes"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise FileFormatError(
            f"{folder} cannot be read back ({type(error).__name__}: {error}); run trimpot "
            "validate again with this folder: what it kept is not measured again"
        ) from error


def _judgement(folder: Path) -> dict[str, Any]:
    plain = _read(folder / JUDGED)
    if plain is None:
        raise InputError(
            f"{folder} is no folder of a judgement: it has no {JUDGED}; make one with "
            f"trimpot validate MODEL --output DIR, or name models: trimpot report MODEL"
        )
    if plain.get("format") != FORMAT:
        raise InputError(
            f"{folder / JUDGED} has the format {plain.get('format')!r}, expected {FORMAT}; "
            "it is of another release, or not of trimpot validate"
        )
    if "models" not in plain:
        raise InputError(
            f"{folder} holds a judgement that was interrupted; run the same trimpot "
            "validate again, which goes on where it was"
        )
    return plain


def _curves(name: str, one: Mapping[str, Any], watcher: Watcher) -> tuple[Picture, ...]:
    if one["path"] is None or one["facts"] is None:
        return ()
    try:
        (model,) = given_models({name: Path(one["path"])})
    except TrimpotError:
        watcher.note(f"no curves of {name}: {one['path']} is gone or cannot be read")
        return ()
    if model.subject.key != one["key"]:
        watcher.note(f"no curves of {name}: {one['path']} is another model by now")
        return ()
    return model.curves()


def _document(
    judged: Judged,
    records: Mapping[str, ModelRecord],
    files: Sequence[str],
) -> dict[str, object]:
    return {
        "format": FORMAT,
        "trimpot": release(),
        "title": judged.title,
        "models": {
            m.name: {
                "path": records[m.name].path,
                "key": records[m.name].key,
                "kind": records[m.name].kind,
                "checks": None if m.checks is None else m.checks.counts,
                "errors_key": records[m.name].errors_key,
                "facts": m.facts,
            }
            for m in judged.models
        },
        "data": judged.data,
        "timed_on": judged.timed_on,
        "commands": dict(judged.commands),
        "machine": dict(judged.machine),
        "notes": list(judged.notes),
        "files": sorted({*files, PAGE}),
    }


def _checks(judged: Judged, records: Mapping[str, ModelRecord]) -> dict[str, object] | None:
    found = {
        m.name: {
            "model": records[m.name].path or m.name,
            "seconds": records[m.name].check_seconds,
            "settings": dict(records[m.name].check_settings),
            **m.checks.to_dict(),
        }
        for m in judged.models
        if m.checks is not None
    }
    return {"trimpot": release(), "models": found} if found else None


def _errors(judged: Judged, records: Mapping[str, ModelRecord]) -> dict[str, object] | None:
    found = {
        m.name: {
            **m.errors.to_dict(),
            "constants": dict(records[m.name].constants),
        }
        for m in judged.models
        if m.errors is not None
    }
    return {"data": judged.data, "models": found} if found else None


def _times(judged: Judged) -> dict[str, object] | None:
    found = {m.name: m.microseconds for m in judged.models if m.microseconds is not None}
    unit = "us/atom/step: median, lowest, highest"
    return {"timed_on": judged.timed_on, "unit": unit, "models": found} if found else None


def _examination(checks: Mapping[str, Any] | None, name: str) -> Examination | None:
    found = None if checks is None else checks["models"].get(name)
    return None if found is None else Examination.from_dict(found)


def _tables(errors: Mapping[str, Any] | None, name: str) -> ErrorTables | None:
    found = None if errors is None else errors["models"].get(name)
    return None if found is None else ErrorTables.from_dict(found)


def _microseconds(
    times: Mapping[str, Any] | None, name: str
) -> tuple[float, float, float] | None:
    found = None if times is None else times["models"].get(name)
    return None if found is None else (found[0], found[1], found[2])


def _read(path: Path) -> dict[str, Any] | None:
    """Return a document; None if there is no such file."""
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        return cast("dict[str, Any]", json.loads(text))
    except ValueError as error:
        raise FileFormatError(
            f"{path} is damaged ({error}); run trimpot validate again with this folder"
        ) from error


def _write(path: Path, document: Mapping[str, object]) -> None:
    write_text(path, json.dumps(finite_plain(document), indent=1, allow_nan=False) + "\n")
