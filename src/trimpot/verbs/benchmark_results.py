"""What ``bench`` returns and writes."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from trimpot.files import make_folder, write_text
from trimpot.reports.document import TextTable, markdown_table
from trimpot.reports.style import save_figure
from trimpot.reports.timing_figures import CostCurve, plot_cases, plot_costs
from trimpot.reports.timings import (
    case_lines,
    parts_table,
    peak_line,
    time_table,
    unit_costs,
)
from trimpot.verbs.plain import finite_plain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from trimpot.benchmarks.cases import Case
    from trimpot.benchmarks.floors import Peaks


@dataclass(frozen=True)
class BenchResult:
    """What was measured.

    Attributes
    ----------
    cases : tuple of Case
        One per size and number of threads.
    peaks : Peaks
        Of this machine, one thread.
    facts : dict
        Machine, versions, settings.
    notes : tuple of str
        What was left out, and why.
    output : Path or None
        Folder of results.json, results.md and figures, if they were written.
    """

    cases: tuple[Case, ...]
    peaks: Peaks
    facts: dict[str, object]
    notes: tuple[str, ...]
    output: Path | None = None

    @property
    def tables(self) -> tuple[TextTable, ...]:
        """Times of each case, then parts, floors and unit costs of all."""
        rest = (parts_table(self.cases), unit_costs(self.cases))
        return (*(time_table(case) for case in self.cases), *(t for t in rest if t))

    def to_dict(self) -> dict[str, object]:
        """Return plain values."""
        return {
            "facts": self.facts,
            "peaks": asdict(self.peaks),
            "notes": list(self.notes),
            "cases": [case.to_dict() for case in self.cases],
        }


def write_results(result: BenchResult, folder: Path) -> None:
    """Write results.json, results.md, figures/times.png and, for several sizes, scaling."""
    make_folder(folder)
    plain = json.dumps(finite_plain(result.to_dict()), indent=1, allow_nan=False)
    write_text(folder / "results.json", plain + "\n")
    write_text(folder / "results.md", results_markdown(result))
    save_figure(plot_cases(result.cases), folder / "figures" / "times", ("png",))
    curves = scaling_curves(result.cases)
    if curves:
        figure = plot_costs(curves, x_label="atoms")
        save_figure(figure, folder / "figures" / "scaling", ("png",))


def scaling_curves(cases: Sequence[Case]) -> list[CostCurve]:
    """Return us/atom/step over atoms of each subject that ran at several sizes."""
    curves = []
    for threads in dict.fromkeys(case.threads for case in cases):
        group = sorted((c for c in cases if c.threads == threads), key=lambda c: c.atoms)
        for name in dict.fromkeys(m.name for case in group for m in case.measurements):
            having = [c for c in group if name in {m.name for m in c.measurements}]
            if len(having) > 1:
                label = name if threads == 1 else f"{name}, {threads} threads"
                costs = tuple(c.measurement(name).microseconds(c.atoms) for c in having)
                ours = having[0].measurement(name).ours
                sizes = tuple(c.atoms for c in having)
                curves.append(CostCurve(label, sizes, costs, background=not ours))
    return curves


def results_markdown(result: BenchResult) -> str:
    """Return the tables of a result with what explains them."""
    parts = [f"# What {result.facts['model']} costs"]
    facts = [f"- {name}: {value}" for name, value in result.facts.items()]
    facts += [f"- {note}" for note in result.notes]
    parts.append("\n".join([*facts, f"- {peak_line(result.peaks)}"]))
    for table, case in zip(result.tables, result.cases, strict=False):
        parts += [f"**{table.title}**", markdown_table(table)]
        parts.append("\n".join(f"- {line}" for line in case_lines(case)))
    for table in result.tables[len(result.cases) :]:
        parts += [f"**{table.title}**", markdown_table(table)]
    return "\n\n".join(parts) + "\n"
