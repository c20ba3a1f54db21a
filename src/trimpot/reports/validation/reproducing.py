"""How each number can be measured again: commands, machine, protocols and settings."""

from __future__ import annotations

from dataclasses import asdict, is_dataclass
from html import escape
from typing import TYPE_CHECKING

from trimpot.reports.page_parts import Fold, Markup
from trimpot.reports.page_tables import NOTHING, Cell, CellTable, cell_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trimpot.reports.judged import Judged
    from trimpot.reports.page_parts import Part
    from trimpot.validation.suite_results import SuiteResult
    from trimpot.validation.suites import Property

TITLES = {
    "checks": "Physical checks",
    "errors": "Errors on data",
    "properties": "Properties",
    "times": "Cost",
    "page": "This page",
}

LONGEST = 120
"""Characters of a setting; longer ones, such as reference points, are counted."""


def reproducing_parts(judged: Judged) -> tuple[Part, ...]:
    """Return commands, machine, and what stands behind every row of the table."""
    parts: list[Part] = [Markup(_commands(judged.commands))]
    if judged.machine:
        facts = "".join(
            f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>"
            for name, value in judged.machine.items()
        )
        parts.append(Markup(f"<h3>Machine and versions</h3><dl>{facts}</dl>"))
    if judged.suite is not None:
        parts += [
            Fold("Protocol and settings of each property", (_protocols(judged.suite),)),
            Fold("Which property each quantity is from", (_quantities(judged.suite),)),
        ]
        parts += _keys(judged.suite)
    return tuple(parts)


def _commands(commands: Mapping[str, str]) -> str:
    if not commands:
        return "<p>No commands were recorded.</p>"
    return "".join(
        f"<h3>{escape(TITLES.get(what, what))}</h3><pre>{escape(command)}</pre>"
        for what, command in commands.items()
    )


def _protocols(result: SuiteResult) -> Markup:
    header = tuple(map(Cell, ("property", "protocol", "of", "settings")))
    rows = tuple(
        (
            Cell(p.name.replace("_", " ")),
            Cell(p.protocol.name.replace("_", " "), f"version {p.protocol.version}"),
            Cell(p.phase.name),
            Cell(settings_text(p)),
        )
        for p in result.suite.properties.values()
    )
    return cell_table(CellTable("", header, rows, words=True))


def settings_text(asked: Property) -> str:
    """Return the settings of a property and what it needs, in one line."""
    settings = asked.settings
    plain = (
        asdict(settings)
        if is_dataclass(settings) and not isinstance(settings, type)
        else {}
    )
    parts = [f"{name.replace('_', ' ')} {_short(value)}" for name, value in plain.items()]
    parts += [f"{role} from {name}" for role, name in asked.needs.items()]
    return "; ".join(parts) or NOTHING


def _short(value: object) -> str:
    if isinstance(value, list | tuple):
        inner = ", ".join(map(str, value))
        return inner if len(inner) <= LONGEST else f"{len(value)} entries"
    text = str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _quantities(result: SuiteResult) -> Markup:
    header = tuple(map(Cell, ("quantity", "property", "value", "reference from")))
    rows = tuple(
        (
            Cell(q.name.replace("_", " ")),
            Cell(q.property.replace("_", " ")),
            Cell(q.value),
            Cell(", ".join(filter(None, (q.theory, q.source))) or NOTHING),
        )
        for q in result.suite.quantities.values()
    )
    return cell_table(CellTable("", header, rows, words=True))


def _keys(result: SuiteResult) -> list[Part]:
    if not result.keys:
        return []
    facts = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(key[:24])}</dd>"
        for name, key in result.keys.items()
    )
    text = "<p>Digests of what was measured; another model has another one.</p>"
    return [Fold("Keys of the models", (Markup(f"{text}<dl>{facts}</dl>"),))]
