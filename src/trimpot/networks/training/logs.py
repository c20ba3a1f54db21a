"""The log of a training: a row per validation in CSV, JSON lines, and TensorBoard."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

from trimpot.errors import InputError
from trimpot.writing import append_line, write_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path
    from typing import Protocol

    class Scalars(Protocol):
        """What is asked of TensorBoard."""

        def add_scalar(self, tag: str, scalar_value: float, global_step: int) -> None:
            """Take a number of a curve."""

    Row = Mapping[str, float]

COLUMNS = (
    "step",
    "epoch",
    "seconds",
    "rate",
    "loss",
    "energy_loss",
    "force_loss",
    "stress_loss",
    "valid_loss",
    "valid_energy_mae",
    "valid_energy_rmse",
    "valid_force_mae",
    "valid_force_rmse",
    "valid_stress_mae",
    "valid_stress_rmse",
    "microseconds_per_atom",
)
"""Losses since the row before; errors in eV/atom, eV/A, eV/A^3; time per atom and step.

A row lacks what there are no labels for.
"""

TABLE, LINES, CURVES = "training.csv", "training.jsonl", "tensorboard"


class TrainingLog:
    """Writes rows as they come; begins with those of the run that goes on.

    Parameters
    ----------
    folder : Path
    history : sequence of rows
        Rows so far; later ones, of a run that was killed after them, are removed.
    tensorboard : bool
        Whether TensorBoard gets them too.

    Raises
    ------
    InputError
        If TensorBoard is asked for and not installed.
    WriteError
        If a file cannot be written.
    """

    def __init__(
        self, folder: Path, history: Sequence[Row] = (), *, tensorboard: bool = False
    ) -> None:
        self.table, self.lines = folder / TABLE, folder / LINES
        self.curves = scalars(folder / CURVES) if tensorboard else None
        write_text(self.table, _text([",".join(COLUMNS), *map(_line, history)]))
        write_text(self.lines, _text(map(json.dumps, map(dict, history))))

    def add(self, row: Row) -> None:
        """Append a row."""
        append_line(self.table, _line(row))
        append_line(self.lines, json.dumps(dict(row)))
        if self.curves is not None:
            for name, value in row.items():
                self.curves.add_scalar(name, value, int(row["step"]))


def scalars(folder: Path) -> Scalars:
    """Return what writes curves for TensorBoard.

    Raises
    ------
    InputError
        If it is not installed.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise InputError(
            "tensorboard: found true, but TensorBoard is not installed; install it with "
            "pip install tensorboard, or set tensorboard to false"
        ) from error
    writer: Scalars = SummaryWriter(str(folder))
    return writer


def sentence(row: Row, planned: str) -> str:
    """Return a row as a line for people, in meV."""
    parts = [f"epoch {row['epoch']:.1f}{planned}", f"loss {row['loss']:.4g}"]
    for kind, unit in (("energy", "meV/atom"), ("force", "meV/A"), ("stress", "meV/A^3")):
        mae, rmse = row.get(f"valid_{kind}_mae"), row.get(f"valid_{kind}_rmse")
        if mae is not None and rmse is not None:
            name = kind[0].upper()
            errors = f"{1e3 * mae:.4g} MAE {1e3 * rmse:.4g} RMSE"
            parts.append(f"validation {name} {errors} {unit}")
    parts.append(f"rate {row['rate']:.2g}")
    parts.append(f"{row['microseconds_per_atom']:.3g} us/atom")
    return ", ".join(parts)


def left(seconds: float) -> str:
    """Return a time in words: 40 s, 12 min, 3.5 h."""
    if not math.isfinite(seconds):
        return "unknown"
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def _line(row: Row) -> str:
    return ",".join(f"{row[name]:.9g}" if name in row else "" for name in COLUMNS)


def _text(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
