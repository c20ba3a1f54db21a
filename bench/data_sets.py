"""What check-data says about every set of ../shared/data; ``--write-docs`` renews its page.

Each set is checked as one: all its files together, as somebody would train on it.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from pages import PAGES, replace, table

from trimpot import check_data
from trimpot.data.checks import Finding

DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
HEADER = ("set", "frames", "atoms", "seconds", "finding", "severity", "n", "why")
WHY = {
    ("formate_cu", "net-force"): "named in the description of the set: "
    "net forces up to 1.9 eV/A",
    ("spice_les", "energy-offset"): "named in the description of the set: two energy zeros",
    (
        "water_rpbe_n2p2",
        "labels-conflict",
    ): "true: two geometries of four sources, energies 77 meV/atom apart",
    (
        "wbe_fitsnap",
        "labels-conflict",
    ): "true: five geometries, energies up to 10 meV/atom apart",
    (
        "wbe_fitsnap",
        "label-inconsistent",
    ): "true: energies of near frames jump by more than "
    "4 meV/atom beside the work of the forces (its description: other groups dropped "
    "for that)",
    ("cumulene_gnl", "label-inconsistent"): "true: energy 0.3 to 0.6 eV above near frames, "
    "work of the forces 0.01 to 0.19 eV",
    (
        "ta_fitsnap",
        "label-inconsistent",
    ): "true: energy 0.15 to 0.28 eV above near frames, work of the forces 0 to 0.1 eV",
}


def rows_of(folder: Path, threads: int) -> list[tuple[str, ...]]:
    """Return one row per finding of a set, or one that says that there is none."""
    files = sorted(folder.glob("*.extxyz.xz"))
    start = time.perf_counter()
    result = check_data([str(path) for path in files], threads=threads)
    seconds = f"{time.perf_counter() - start:.1f}"
    first = (folder.name, str(result.report.n_frames), str(result.report.n_atoms), seconds)
    found = [
        (f.code, f.severity, str(len(f.frames) or ""), _why(folder.name, f))
        for f in result.findings
    ] or [("none", "", "", "")]
    return [(*(first if not k else ("",) * 4), *row) for k, row in enumerate(found)]


def _why(name: str, finding: Finding) -> str:
    """Return what is known about a finding, or its evidence."""
    if finding.severity == "note":
        return ""
    return WHY.get((name, finding.code), finding.evidence)


def main() -> None:
    """Check the sets named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--write-docs", action="store_true")
    options = parser.parse_args()
    rows = []
    for folder in sorted(path for path in DATA.iterdir() if path.is_dir()):
        if options.names and folder.name not in options.names:
            continue
        for row in rows_of(folder, options.threads):
            rows.append(row)
            sys.stdout.write(" | ".join(row) + "\n")
            sys.stdout.flush()
    if options.write_docs:
        replace(PAGES / "data-checks.md", "data_sets", table(HEADER, rows))


if __name__ == "__main__":
    main()
