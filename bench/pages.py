"""Tables of the benchmarks, and the pages that show them."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import machine
from PIL import Image

from trimpot.reports.style import house_style, save_figure

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "docs" / "benchmarks"
PAGE_DPI, PAGE_COLOURS = 120, 64
"""Figures of pages stay below 100 kB each."""

SHARED_LIMIT = 0.05
"""Share of the machine that others may take before a page says so."""


def table(header, rows) -> str:
    """Return a Markdown table; numbers must be text already."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def facts(usages) -> str:
    """Return date and machine, and whether other work shared it during these runs."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    found = machine.describe() | {"memory": f"{memory:.0f} GiB"}
    del found["load before the run"]
    lines = [f"- date: {datetime.now(UTC):%Y-%m-%d}"]
    lines += [f"- {key}: {value}" for key, value in found.items()]
    busiest = max((u.others for u in usages if u.others is not None), default=0.0)
    if busiest > SHARED_LIMIT:
        lines.append(
            f"- **taken on a shared machine**: other work took up to {busiest:.0%} of its "
            "cores during these runs; the times are upper bounds"
        )
    return "\n".join(lines) + "\n"


def keep(folder: Path, name: str, text: str, record, *, write_docs: bool) -> None:
    """Print a benchmark's text, write it and its record; into its page if asked."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.md").write_text(text)
    (folder / "results.json").write_text(json.dumps(record, indent=2) + "\n")
    print(text)
    if write_docs:
        replace(PAGES / f"{name}.md", name, text)


def keep_figures(folder: Path, figures, *, write_docs: bool) -> None:
    """Write figures by name; small ones into the pages' folder if asked."""
    for name, figure in figures.items():
        save_figure(figure, folder / name)
        if write_docs:
            (PAGES / "figures").mkdir(exist_ok=True)
            drawn = BytesIO()
            with house_style():
                figure.savefig(drawn, format="png", dpi=PAGE_DPI)
            few = Image.open(drawn).convert("RGB").quantize(PAGE_COLOURS)
            few.save(PAGES / "figures" / f"{name}.png", optimize=True)


def replace(page: Path, name: str, text: str) -> None:
    """Replace what stands between the comments ``measured: NAME`` and ``end: NAME``."""
    begin, end = f"<!-- measured: {name}", f"<!-- end: {name} -->"
    old = page.read_text("utf-8")
    if old.count(begin) != 1 or old.count(end) != 1:
        raise ValueError(f"{page}: expected one '{begin} ... -->' and one '{end}'")
    head = old.index("-->", old.index(begin)) + len("-->")
    page.write_text(old[:head] + f"\n\n{text.strip()}\n\n" + old[old.index(end) :], "utf-8")
