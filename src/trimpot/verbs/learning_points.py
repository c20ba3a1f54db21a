"""Fits of a learning curve: records, their file, and the curves they make."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from trimpot.files import write_text
from trimpot.fitting import Strengths
from trimpot.validation.comparisons import QUANTITIES
from trimpot.validation.errors import UNITS
from trimpot.validation.learning import LearningCurve

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

POINTS_FILE = "learning.csv"
SIDES = ("train", "test")
STRENGTHS = ("kappa", "ridge", "curvature")


@dataclass(frozen=True)
class LearningPoint:
    """One fit to a random part of the training frames.

    Attributes
    ----------
    repeat : int
        Which random order of the frames.
    frames : int
        Size of the part.
    rmse : mapping
        Root mean square errors, ``train`` and ``test`` by quantity, as ``train_energy``:
        meV/atom, meV/A, GPa. Empty where the equations are singular.
    mae : mapping
        Mean absolute errors likewise.
    strengths : Strengths or None
        Chosen by cross-validation on this part; None where the equations are singular.
    seconds : float
        Time of cross-validation, solve and errors.
    """

    repeat: int
    frames: int
    rmse: Mapping[str, float]
    mae: Mapping[str, float]
    strengths: Strengths | None
    seconds: float


def write_points(found: Mapping[str, LearningPoint], path: Path) -> None:
    """Write points by their fingerprints, by size and repeat, atomically.

    Raises
    ------
    WriteError
        If the file cannot be written.
    """
    in_order = sorted(found.items(), key=lambda item: (item[1].frames, item[1].repeat))
    names = [f"{side}_{q}" for q in QUANTITIES for side in SIDES]
    used = [n for n in names if any(n in p.rmse for p in found.values())]
    errors = [*(f"rmse_{n}" for n in used), *(f"mae_{n}" for n in used)]
    header = ["frames", "repeat", *errors, *STRENGTHS, "seconds", "fingerprint"]
    out = io.StringIO()
    writer = csv.DictWriter(out, header, restval="", lineterminator="\n")
    writer.writeheader()
    for fingerprint, point in in_order:
        strengths = {} if point.strengths is None else asdict(point.strengths)
        writer.writerow(
            {
                "frames": point.frames,
                "repeat": point.repeat,
                **{f"rmse_{n}": v for n, v in point.rmse.items()},
                **{f"mae_{n}": v for n, v in point.mae.items()},
                **strengths,
                "seconds": point.seconds,
                "fingerprint": fingerprint,
            }
        )
    write_text(path, out.getvalue())


def read_points(path: Path) -> dict[str, LearningPoint]:
    """Return the points of a file by their fingerprints, without damaged rows."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return {}
    found: dict[str, LearningPoint] = {}
    for row in csv.DictReader(io.StringIO(text)):
        try:
            found[row["fingerprint"]] = _point(row)
        except (KeyError, TypeError, ValueError, AttributeError):
            continue  # it is fitted again
    return found


def curves_of(points: Iterable[LearningPoint]) -> tuple[LearningCurve, ...]:
    """Return the curves of all quantities with test labels; singular fits are left out."""
    usable = [p for p in points if p.rmse]
    curves = []
    for quantity in QUANTITIES:
        test, train = f"test_{quantity}", f"train_{quantity}"
        mine = [p for p in usable if test in p.rmse and train in p.rmse]
        sizes = sorted({p.frames for p in mine})
        if not sizes:
            continue
        by_size = [[p for p in mine if p.frames == n] for n in sizes]
        curves.append(
            LearningCurve(
                quantity,
                UNITS[quantity],
                tuple(sizes),
                tuple(tuple(p.rmse[train] for p in group) for group in by_size),
                tuple(tuple(p.rmse[test] for p in group) for group in by_size),
            )
        )
    return tuple(curves)


def _point(row: Mapping[str, str]) -> LearningPoint:
    rmse, mae = _errors(row, "rmse_"), _errors(row, "mae_")
    return LearningPoint(
        int(row["repeat"]),
        int(row["frames"]),
        rmse,
        mae,
        Strengths(*(float(row[name]) for name in STRENGTHS)) if rmse else None,
        float(row["seconds"]),
    )


def _errors(row: Mapping[str, str], prefix: str) -> dict[str, float]:
    return {
        name.removeprefix(prefix): float(value)
        for name, value in row.items()
        if name.startswith(prefix) and value
    }
