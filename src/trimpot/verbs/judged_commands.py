"""How to judge again: the commands of a judgement, and the machine it was made on."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from trimpot.data import LabelKeys, ReadRules
from trimpot.engines.lammps.finding import find_lmp, lammps_facts
from trimpot.errors import TrimpotError
from trimpot.verbs.machine import machine_facts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from trimpot.data.frames import Scalar
    from trimpot.verbs.judged_models import GivenModel


@dataclass(frozen=True)
class Asked:
    """What a user asked for, as far as a command can say it.

    Attributes
    ----------
    models : tuple of GivenModel
    suite : str or None
        Name or file.
    data : tuple of str
        Files; empty for none, or for frames that are in memory.
    keys, rules, where
        How data were read.
    structures : str
        File of structures for the checks, or "".
    only_checks, only_properties : tuple of str
        Names; empty: all.
    long : bool
        Whether long properties were measured without being named.
    checks : bool or None
    time, fit_e0 : bool
    atoms : int
        Of the crystal that is timed.
    output : Path or None
    """

    models: tuple[GivenModel, ...]
    suite: str | None = None
    data: tuple[str, ...] = ()
    keys: LabelKeys = field(default_factory=LabelKeys)
    rules: ReadRules = field(default_factory=ReadRules)
    where: Mapping[str, Scalar | Sequence[Scalar]] | None = None
    structures: str = ""
    only_checks: tuple[str, ...] = ()
    only_properties: tuple[str, ...] = ()
    long: bool = False
    checks: bool | None = None
    time: bool = False
    atoms: int = 2000
    fit_e0: bool = False
    output: Path | None = None


def commands_of(asked: Asked) -> dict[str, str]:
    """Return commands by what they measure: checks, errors, properties, times, page."""
    models = [str(m.path) if m.path is not None else f"<{m.name}>" for m in asked.models]
    base = ["trimpot", "validate", *models]
    ours = [str(m.path) for m in asked.models if m.ours and m.path is not None]
    found: dict[str, list[str]] = {}
    if asked.checks is not False:
        given = ["--structures", asked.structures] if asked.structures else []
        checked = base if asked.checks or not ours else ["trimpot", "validate", *ours]
        found["checks"] = [*checked, *given, *["--checks"] * bool(asked.checks)]
        found["checks"] += _only(asked.only_checks)
    if asked.suite is not None:
        only = _only(asked.only_properties)
        found["properties"] = [*base, "--no-checks", "--suite", asked.suite, *only]
        found["properties"] += ["--long"] * asked.long
    if asked.data:
        data = [word for path in asked.data for word in ("--data", path)]
        reading = [*_where(asked), *_set("keys", asked.keys), *_set("rules", asked.rules)]
        fitted = ["--fit-e0"] * asked.fit_e0
        found["errors"] = [*base, "--no-checks", *data, *reading, *fitted]
    if asked.time:
        crystal = [] if asked.suite is None else ["--suite", asked.suite]
        atoms = ["--atoms", str(asked.atoms)]
        found["times"] = [*base, "--no-checks", "--time", *atoms, *crystal]
    shown = {what: _shown(words) for what, words in found.items()}
    if asked.output is not None:
        shown["page"] = _shown(["trimpot", "report", str(asked.output)])
    return shown


def machine_of(models: Sequence[GivenModel]) -> dict[str, str]:
    """Return processor, versions and date as text."""
    facts = machine_facts()
    names = ("trimpot", "cpu", "instruction_set", "threads", "python", "numpy", "ase")
    found = {name: str(facts[name]) for name in names}
    lmp = find_lmp() if any(m.subject.lammps is not None for m in models) else None
    if lmp is not None:
        try:
            found["lammps"] = lammps_facts(lmp).version
        except TrimpotError as error:
            found["lammps"] = f"{lmp}: {error}"
    found["date"] = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return found


def _only(names: Sequence[str]) -> list[str]:
    return [word for name in names for word in ("--only", name)]


def _where(asked: Asked) -> list[str]:
    words = []
    for name, values in (asked.where or {}).items():
        several = isinstance(values, list | tuple)
        for value in values if several else [values]:  # type: ignore[union-attr]
            words += ["--where", f"{name}={value}"]
    return words


def _set(section: str, settings: LabelKeys | ReadRules) -> list[str]:
    """Return options of what differs from its default."""
    words, default = [], type(settings)()
    for one in fields(settings):
        value = getattr(settings, one.name)
        if value != getattr(default, one.name):
            words += ["--set", f"{section}.{one.name}={value}"]
    return words


def _shown(words: Sequence[str]) -> str:
    return " ".join(word if word.startswith("<") else shlex.quote(word) for word in words)
