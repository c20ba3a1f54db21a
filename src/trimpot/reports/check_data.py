"""What ``check-data`` found, for people: lines for a terminal and sections of a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trimpot.data.checks import SEVERITIES, listed
from trimpot.reports.document import Section, TextTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trimpot.data.checks import Finding
    from trimpot.data.checks.overview import Group
    from trimpot.data.report import ReadReport

_HEADER = (
    "config_type", "frames", "atoms", "E", "F", "S", "eV/atom", "max F", "GPa", "A^3/atom",
    "min r",
)  # fmt: skip
_MOST_GROUPS = 30


def finding_lines(finding: Finding) -> list[str]:
    """Return a finding as lines: what, evidence, frames, remedy."""
    lines = [f"{finding.severity}: {finding.code}: {finding.title}"]
    lines.append(f"  found   {finding.evidence}")
    if finding.frames:
        lines.append(f"  frames  {len(finding.frames)}: {listed(finding.frames, 5)}")
    lines.append(f"  remedy  {finding.remedy.replace('`', '')}")
    return lines


def verdict(findings: Sequence[Finding]) -> str:
    """Return how many errors, warnings and notes there are, in one line."""
    counts = [
        f"{n} {name}{'' if n == 1 else 's'}"
        for name in SEVERITIES
        if (n := sum(f.severity == name for f in findings))
    ]
    return ", ".join(counts) if counts else "nothing wrong was found"


def group_table(groups: Sequence[Group]) -> TextTable:
    """Return the groups as a table, the largest first."""
    rows = [_row(group) for group in groups[:_MOST_GROUPS]]
    if len(groups) > _MOST_GROUPS:
        rest = groups[_MOST_GROUPS:]
        name = f"{len(rest)} more groups"
        rows.append((name, str(sum(g.frames for g in rest)), *[""] * (len(_HEADER) - 2)))
    return TextTable("groups", _HEADER, tuple(rows))


def _row(group: Group) -> tuple[str, ...]:
    low, high = group.atoms
    return (
        group.name,
        str(group.frames),
        str(low) if low == high else f"{low}-{high}",
        str(group.energy),
        str(group.forces),
        str(group.stress),
        _range(group.energy_per_atom, ".3f"),
        "" if group.largest_force is None else f"{group.largest_force:.2f}",
        _range(group.pressure, ".1f"),
        _range(group.volume_per_atom, ".1f"),
        "" if group.smallest_distance is None else f"{group.smallest_distance:.2f}",
    )


def _range(values: tuple[float, float] | None, form: str) -> str:
    if values is None:
        return ""
    low, high = (f"{value:{form}}" for value in values)
    return low if low == high else f"{low} to {high}"


def check_sections(
    findings: Sequence[Finding], groups: Sequence[Group], report: ReadReport
) -> tuple[Section, ...]:
    """Return the page: findings with remedies, groups, files."""
    found = tuple(
        Section(
            f"{f.severity}: {f.title}",
            (
                ("code", f"`{f.code}`"),
                ("found", f.evidence),
                *((("frames", f"{len(f.frames)}: {listed(f.frames, 20)}"),)
                  if f.frames else ()),
                ("remedy", f.remedy),
            ),
        )
        for f in findings
    )  # fmt: skip
    return (
        Section("Result", paragraphs=(verdict(findings).capitalize() + ".",)),
        *found,
        Section("What is in the data", tables=(group_table(groups),)),
        Section("Files", paragraphs=tuple(line.strip() for line in report.lines())),
    )
