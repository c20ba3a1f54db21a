"""Errors of a potential on sets of frames, and their files."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from trimpot.contract import is_conservative
from trimpot.errors import FileFormatError
from trimpot.files import make_folder, write_bytes, write_text
from trimpot.reports.groups import plot_group_errors
from trimpot.reports.parity import ParitySet, plot_parity
from trimpot.reports.reliability import plot_reliability
from trimpot.reports.style import METADATA, house_style
from trimpot.reports.tables import json_tables, markdown_tables
from trimpot.validation.comparisons import QUANTITIES, Comparison, compare
from trimpot.validation.errors import ErrorRow, ErrorTables, error_tables
from trimpot.validation.predictions import predict
from trimpot.validation.reliability import Reliability, reliability

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from matplotlib.figure import Figure

    from trimpot.contract import Potential
    from trimpot.data import Frame
    from trimpot.validation.comparisons import Quantity
    from trimpot.verbs.watching import Watcher

    _Record = Mapping[str, Mapping[str, object]]

MODEL_FILE = "model.trimpot"
UNCERTAINTY_FILE = "uncertainty.json"


@dataclass(frozen=True)
class Judgement:
    """Errors of a potential on one set of frames.

    Attributes
    ----------
    tables : ErrorTables
    comparisons : tuple of Comparison
        Reference and predicted values per quantity.
    reliability : Reliability, optional
        How well the potential foretells these errors, if it foretells any.
    """

    tables: ErrorTables
    comparisons: tuple[Comparison, ...]
    reliability: Reliability | None = None


def judge(
    potential: Potential,
    frames: Sequence[Frame],
    *,
    name: str,
    threads: int,
    watcher: Watcher,
    foretold: bool = False,
) -> Judgement:
    """Return the errors on frames; tells its progress under a name such as ``test``.

    With ``foretold``, also how well the potential's own uncertainties tell them.
    """
    if not is_conservative(potential) and any(f.stress is not None for f in frames):
        watcher.note(f"{name}: stresses are not judged, direct forces have none")
    predictions = predict(
        potential,
        frames,
        threads=threads,
        progress=lambda done, total: watcher.progress(f"errors on {name}", done, total),
    )
    comparisons = tuple(compare(predictions, frames, q) for q in QUANTITIES)
    tables = error_tables(predictions, frames)
    if not foretold:
        return Judgement(tables, comparisons)
    found = reliability(
        potential,
        frames,
        predictions,
        threads=threads,
        progress=lambda done, total: watcher.progress("uncertainties", done, total),
    )
    return Judgement(tables, comparisons, found)


def write_tables(judgements: Mapping[str, Judgement], folder: Path) -> None:
    """Write errors.json and errors.md, and uncertainty.json where there is any."""
    tables = {name: j.tables for name, j in judgements.items()}
    write_text(folder / "errors.json", json_tables(tables) + "\n")
    texts = [markdown_tables(table, name=name) for name, table in tables.items()]
    write_text(folder / "errors.md", "\n".join(texts))
    found = {
        name: j.reliability.to_dict()
        for name, j in judgements.items()
        if j.reliability is not None
    }
    if found:
        write_text(folder / UNCERTAINTY_FILE, json.dumps(found, indent=1) + "\n")


def error_figures(judgements: Mapping[str, Judgement]) -> dict[str, Figure]:
    """Return parity plots and errors per group."""
    sets = [ParitySet(name, j.comparisons) for name, j in judgements.items()]
    tables = {name: j.tables for name, j in judgements.items()}
    figures = {"parity": plot_parity(sets), "errors_per_group": plot_group_errors(tables)}
    for judgement in judgements.values():
        if judgement.reliability is not None:
            figures["uncertainty"] = plot_reliability(judgement.reliability)
    return figures


def write_figures(figures: Mapping[str, Figure], folder: Path) -> None:
    """Write figures/NAME.png, each atomically."""
    make_folder(folder / "figures")
    for name, figure in figures.items():
        buffer = io.BytesIO()
        with house_style():
            figure.savefig(buffer, format="png", metadata=METADATA["png"])
        write_bytes(folder / "figures" / f"{name}.png", buffer.getvalue())


def recorded_errors(provenance: Mapping[str, object]) -> dict[str, ErrorTables]:
    """Return the error tables that a potential's provenance holds, by name.

    Raises
    ------
    FileFormatError
        If the record is not what ``trimpot train`` writes.
    """
    record = provenance.get("errors", {})
    try:
        return {name: _tables(entry) for name, entry in cast("_Record", record).items()}
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise FileFormatError(
            f"the recorded errors of this potential cannot be read ({error}); evaluate it "
            "on data instead"
        ) from error


def _tables(entry: Mapping[str, object]) -> ErrorTables:
    rows = tuple(ErrorRow(**row) for row in cast("list[dict[str, Any]]", entry["rows"]))
    missing = cast("dict[Quantity, int]", entry["missing"])
    return ErrorTables(rows, int(cast("int", entry["frames"])), missing)
