"""Run check-data on the corpus of planted faults; ``--write-docs`` renews its page."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from pages import PAGES, replace, table

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from faults.clean import SETS, text  # noqa: E402 - after the path
from faults.corpus import CORPUS, Fault  # noqa: E402
from trimpot import check_data  # noqa: E402
from trimpot.config import data_settings  # noqa: E402

HEADER = ("planted fault", "finding", "words of the remedy", "also reported", "named")


def row_of(fault: Fault, folder: Path) -> tuple[str, ...]:
    """Return what the check says about one fault."""
    paths = [str(path) for path in fault.write(folder)]
    data = data_settings(paths, fault.settings)
    try:
        result = check_data(paths, keys=data.keys, rules=data.rules, threads=1)
    except Exception as error:  # noqa: BLE001 - a traceback is a failure to be counted
        return fault.name, fault.code, fault.remedy, f"raised {error!r:.60}", "no"
    named = [
        f for f in result.findings if f.code == fault.code and fault.remedy in f.remedy
    ]
    others = sorted({f.code for f in result.findings if f not in named})
    also = ", ".join(f"`{code}`" for code in others)
    remedy = f"`{fault.remedy}`" if "=" in fault.remedy else fault.remedy
    return fault.name, f"`{fault.code}`", remedy, also, "yes" if named else "no"


def clean_findings(folder: Path) -> int:
    """Return how many findings the clean sets have."""
    count = 0
    for name, samples in SETS.items():
        path = folder / f"{name}.extxyz"
        path.write_text(text(samples()))
        count += len(check_data(str(path), threads=1).findings)
    return count


def main() -> None:
    """Check all faults and the clean sets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write-docs", action="store_true")
    options = parser.parse_args()
    start = time.perf_counter()
    rows = []
    with tempfile.TemporaryDirectory() as name:
        for number, fault in enumerate(CORPUS):
            folder = Path(name) / str(number)
            folder.mkdir()
            rows.append(row_of(fault, folder))
        clean = clean_findings(Path(name))
    good = sum(row[-1] == "yes" for row in rows)
    seconds = time.perf_counter() - start
    sys.stdout.write(
        f"{good} of {len(rows)} faults named with the right remedy "
        f"({100 * good / len(rows):.1f} %); {clean} findings in {len(SETS)} clean sets; "
        f"{seconds:.0f} s\n"
    )
    missed = [row for row in rows if row[-1] == "no"]
    sys.stdout.writelines(" | ".join(row) + "\n" for row in missed)
    if options.write_docs:
        replace(PAGES / "data-checks.md", "planted_faults", table(HEADER, rows))


if __name__ == "__main__":
    main()
