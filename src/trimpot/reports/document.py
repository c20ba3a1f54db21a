"""What cards and pages are made of: sections of facts, text and tables."""

from __future__ import annotations

from dataclasses import dataclass

from trimpot.errors import InputError


@dataclass(frozen=True)
class TextTable:
    """A table of finished text.

    Attributes
    ----------
    title
        Heading of the table.
    header
        Column names; the first column is text, all others are numbers.
    rows
        Cells, as many per row as the header has.
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.header):
                raise InputError(
                    f"table {self.title!r}: row {row} has {len(row)} cells, expected "
                    f"{len(self.header)}"
                )


@dataclass(frozen=True)
class Section:
    """A heading with facts, paragraphs and tables, all optional.

    Attributes
    ----------
    title
        Heading.
    facts
        (name, value) pairs.
    paragraphs
        Plain text; several are shown as a list.
    tables
        Tables below the text.
    """

    title: str
    facts: tuple[tuple[str, str], ...] = ()
    paragraphs: tuple[str, ...] = ()
    tables: tuple[TextTable, ...] = ()


def markdown_table(table: TextTable) -> str:
    """Return a table as Markdown with aligned columns, pipes escaped."""
    cells = [
        [cell.replace("|", r"\|") for cell in row] for row in (table.header, *table.rows)
    ]
    widths = [max(3, *(len(row[c]) for row in cells)) for c in range(len(table.header))]

    def line(row: list[str]) -> str:
        first = row[0].ljust(widths[0])
        rest = [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        return "| " + " | ".join([first, *rest]) + " |"

    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join([line(cells[0]), line(rule), *(line(row) for row in cells[1:])])


def markdown(title: str, sections: tuple[Section, ...]) -> str:
    """Return sections as one Markdown document."""
    parts = [f"# {title}"]
    for section in sections:
        parts.append(f"## {section.title}")
        if section.facts:
            parts.append(
                "\n".join(f"- **{name}:** {value}" for name, value in section.facts)
            )
        if len(section.paragraphs) == 1:
            parts.append(section.paragraphs[0])
        elif section.paragraphs:
            parts.append("\n".join(f"- {text}" for text in section.paragraphs))
        for table in section.tables:
            parts += [f"**{table.title}**", markdown_table(table)]
    return "\n\n".join(parts) + "\n"
