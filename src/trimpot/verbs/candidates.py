"""Candidates of a choice among settings with their scores: records and their file."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, cast

from trimpot.config import one_line
from trimpot.config.choices import as_settings
from trimpot.errors import FileFormatError, InputError
from trimpot.files import write_text
from trimpot.files.yaml_text import parse_yaml
from trimpot.fitting import Strengths
from trimpot.fitting.settings import QUANTITIES

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

CANDIDATES_FILE = "candidates.csv"
STRENGTHS = ("kappa", "ridge", "curvature")


@dataclass(frozen=True)
class ScoredCandidate:
    """Held-out errors of one candidate at the strengths that suit it best.

    Attributes
    ----------
    values : mapping
        Value of each dotted key of ``choose``.
    coefficients : int
        Number of fitted coefficients.
    rmse : mapping
        Held-out root mean square error per quantity: eV/atom, eV/A, eV/A^3; empty where
        the equations are singular.
    score : float
        As in ``Trial``, over the spread of the same targets for all candidates; infinity
        where the equations are singular.
    strengths : Strengths, optional
        None where the equations are singular.
    seconds : float
        Time of rows and cross-validation.
    """

    values: Mapping[str, object]
    coefficients: int
    rmse: Mapping[str, float]
    score: float
    strengths: Strengths | None
    seconds: float

    @property
    def label(self) -> str:
        """The values as ``--set`` takes them."""
        return as_settings(self.values)


def best_first(found: Iterable[ScoredCandidate]) -> list[ScoredCandidate]:
    """Return candidates by their scores; equal ones stay in order."""
    return sorted(found, key=lambda c: c.score)


def write_candidates(found: Mapping[str, ScoredCandidate], path: Path) -> None:
    """Write candidates by their fingerprints, best first, atomically.

    Raises
    ------
    WriteError
        If the file cannot be written.
    """
    rows = [
        {"fingerprint": fingerprint, **_cells(candidate)}
        for fingerprint, candidate in sorted(found.items(), key=lambda item: item[1].score)
    ]
    columns = [name for row in rows for name in row if name != "fingerprint"]
    out = io.StringIO()
    header = [*dict.fromkeys(columns), "fingerprint"]
    writer = csv.DictWriter(out, header, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, out.getvalue())


def _cells(candidate: ScoredCandidate) -> dict[str, object]:
    strengths = candidate.strengths
    chosen = dict.fromkeys(STRENGTHS, "") if strengths is None else asdict(strengths)
    return {
        **{key: one_line(value) for key, value in candidate.values.items()},
        "coefficients": candidate.coefficients,
        **{f"rmse_{name}": value for name, value in candidate.rmse.items()},
        "score": candidate.score,
        **chosen,
        "seconds": candidate.seconds,
    }


def read_candidates(path: Path) -> dict[str, ScoredCandidate]:
    """Return the candidates of a file by their fingerprints, without damaged rows."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return {}
    found: dict[str, ScoredCandidate] = {}
    for row in csv.DictReader(io.StringIO(text)):
        try:
            found[row["fingerprint"]] = _candidate(row)
        except (KeyError, TypeError, ValueError, AttributeError, InputError):
            continue  # it is fitted again
    return found


def _candidate(row: Mapping[str, str]) -> ScoredCandidate:
    rmse = {q: float(text) for q in QUANTITIES if (text := row.get(f"rmse_{q}"))}
    return ScoredCandidate(
        {k: parse_yaml(text, k) for k, text in row.items() if k.startswith("model.")},
        int(row["coefficients"]),
        rmse,
        float(row["score"]),
        Strengths(*(float(row[name]) for name in STRENGTHS)) if rmse else None,
        float(row["seconds"]),
    )


def candidate_facts(found: Iterable[ScoredCandidate]) -> list[dict[str, object]]:
    """Return candidates as plain values, best first."""
    return [_plain(candidate) for candidate in best_first(found)]


def _plain(candidate: ScoredCandidate) -> dict[str, object]:
    score = candidate.score if math.isfinite(candidate.score) else None
    return {"settings": candidate.label, **asdict(candidate), "score": score}


def recorded_candidates(provenance: Mapping[str, object]) -> tuple[ScoredCandidate, ...]:
    """Return the candidates that a potential was chosen from, best first; often none.

    Raises
    ------
    FileFormatError
        If the record is not what ``trimpot train`` writes.
    """
    record = cast("list[Mapping[str, Any]]", provenance.get("candidates", []))
    try:
        return tuple(_recorded(entry) for entry in record)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise FileFormatError(
            f"the recorded candidates of this potential cannot be read ({error}); train it "
            "again"
        ) from error


def _recorded(entry: Mapping[str, Any]) -> ScoredCandidate:
    strengths, score = entry["strengths"], entry["score"]
    return ScoredCandidate(
        dict(entry["values"]),
        int(entry["coefficients"]),
        {str(name): float(value) for name, value in entry["rmse"].items()},
        float("inf") if score is None else float(score),
        None if strengths is None else Strengths(**strengths),
        float(entry["seconds"]),
    )
