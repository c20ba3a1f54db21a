"""Run check-data on mistakes in real data; ``--write-docs`` renews its page."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

from pages import PAGES, replace, table

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from faults.clean import text  # noqa: E402 - after the path
from faults.field import FIELD, SOURCES, FieldFault, part  # noqa: E402
from trimpot import check_data  # noqa: E402
from trimpot.data.checks import Finding  # noqa: E402

HEADER = ("mistake", "data", "first", "now", "findings now")


def findings_of(paths: list[Path]) -> list[Finding]:
    """Return errors and warnings."""
    found = check_data([str(path) for path in paths], threads=1).findings
    return [f for f in found if f.severity != "note"]


def row_of(fault: FieldFault, folder: Path) -> tuple[str, ...]:
    """Return what the check said first, and what it says now."""
    found = findings_of(fault.write(folder))
    named = [f for f in found if f.code == fault.code and fault.remedy in f.remedy]
    now = "named" if named else "missed"
    if named and (others := named[0].remedy.count(" or ")) and "-unit" in named[0].code:
        now = f"one of {others + 1} causes"
    elif found and not named:
        now = "another cause"
    codes = ", ".join(f"`{code}`" for code in sorted({f.code for f in found})) or "none"
    return fault.name, fault.source, fault.first, now, codes


def clean_findings(folder: Path) -> int:
    """Return how many findings the parts have without a mistake."""
    count = 0
    for name in SOURCES:
        path = folder / f"{name}.extxyz"
        path.write_text(text(part(name)))
        count += len(findings_of([path]))
    return count


def main() -> None:
    """Check all mistakes, and the parts without them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write-docs", action="store_true")
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as name:
        for number, fault in enumerate(FIELD):
            folder = Path(name) / str(number)
            folder.mkdir()
            rows.append(row_of(fault, folder))
        clean = clean_findings(Path(name))
    for column, when in ((2, "first"), (3, "now")):
        counts = Counter("one of several causes" if row[column].startswith("one of") else
                         row[column] for row in rows)  # fmt: skip
        sys.stdout.write(f"{when}: {dict(counts)}\n")
    sys.stdout.write(f"{clean} findings in {len(SOURCES)} parts without a mistake\n")
    if options.write_docs:
        replace(PAGES / "data-checks.md", "field_faults", table(HEADER, rows))


if __name__ == "__main__":
    main()
