"""Error tables: MAE, RMSE and maximum with standard errors, per group and element."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from trimpot.engines.singlepoint import symbol
from trimpot.errors import InputError
from trimpot.validation.comparisons import QUANTITIES, Comparison, Quantity, compare

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from trimpot.contract import FloatArray
    from trimpot.data import Frame
    from trimpot.validation.predictions import Predictions

Grouping = Literal["all", "config_type", "element"]

UNITS: dict[Quantity, str] = {"energy": "meV/atom", "forces": "meV/A", "stress": "GPa"}
SCALES: dict[Quantity, float] = {"energy": 1e3, "forces": 1e3, "stress": 1.0}
"""Unit of a table per unit of a comparison (eV/atom, eV/A, GPa)."""


@dataclass(frozen=True)
class ErrorRow:
    """Errors of one quantity in one group of frames or atoms.

    Attributes
    ----------
    quantity, unit
        ``energy`` in meV/atom, ``forces`` (components) in meV/A, ``stress`` (Voigt
        components) in GPa.
    grouping, group
        ``all``, ``config_type`` or ``element``, and the name of the group.
    frames, values
        Frames and single values that entered.
    mae, rmse, maximum, bias
        Mean absolute, root mean square, largest absolute and mean signed error
        (predicted minus reference).
    mae_standard_error, rmse_standard_error
        Standard errors with frames as the independent samples (``cluster_errors``);
        None for fewer than two frames.
    """

    quantity: Quantity
    unit: str
    grouping: Grouping
    group: str
    frames: int
    values: int
    mae: float
    mae_standard_error: float | None
    rmse: float
    rmse_standard_error: float | None
    maximum: float
    bias: float


@dataclass(frozen=True)
class ErrorTables:
    """All error rows of one set of frames.

    Attributes
    ----------
    rows
        Per quantity: ``all`` first, then groups, then elements, each alphabetically.
    frames
        Frames in total.
    missing
        Frames left out per quantity because they have no label.
    """

    rows: tuple[ErrorRow, ...]
    frames: int
    missing: dict[Quantity, int]

    def select(self, quantity: Quantity, grouping: Grouping) -> tuple[ErrorRow, ...]:
        """Return the rows of one quantity and one grouping (empty if not labelled)."""
        return tuple(
            row
            for row in self.rows
            if row.quantity == quantity and row.grouping == grouping
        )

    def to_rows(self) -> list[dict[str, str | int | float | None]]:
        """Return one flat dictionary per row, for JSON, CSV or a data frame."""
        return [asdict(row) for row in self.rows]

    def to_dict(self) -> dict[str, object]:
        """Return everything as plain values that ``json.dumps`` takes."""
        return {
            "frames": self.frames,
            "missing": dict(self.missing),
            "rows": self.to_rows(),
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, object]) -> ErrorTables:
        """Return the tables that ``to_dict`` turned into plain values.

        Raises
        ------
        InputError
            If a field is missing, unknown or of the wrong kind.
        """
        rows, frames, missing = (plain.get(key) for key in ("rows", "frames", "missing"))
        if not (
            isinstance(rows, list) and isinstance(frames, int) and isinstance(missing, dict)
        ):
            raise InputError(
                "error tables need rows, frames and missing counts, found "
                f"{sorted(plain)}; write them with ErrorTables.to_dict"
            )
        try:
            found = tuple(ErrorRow(**row) for row in rows)
            counts = {quantity: int(missing[quantity]) for quantity in QUANTITIES}
        except (TypeError, KeyError, ValueError) as error:
            raise InputError(f"error tables are malformed: {error}") from error
        return cls(found, frames, counts)


def error_tables(predictions: Predictions, frames: Sequence[Frame]) -> ErrorTables:
    """Return errors overall, per ``config_type`` and, for forces, per element.

    Frames without a label do not enter that quantity; ``missing`` counts them.

    Raises
    ------
    InputError, DataError
        As ``compare``.
    """
    comparisons = [compare(predictions, frames, quantity) for quantity in QUANTITIES]
    config_types = np.array([frame.config_type for frame in frames], dtype=np.str_)
    rows = tuple(row for item in comparisons for row in _rows(item, config_types))
    missing = {item.quantity: item.missing for item in comparisons}
    return ErrorTables(rows=rows, frames=len(frames), missing=missing)


class ClusterErrors(NamedTuple):
    """MAE and RMSE with standard errors, in the unit of the residuals."""

    mae: float
    mae_standard_error: float | None
    rmse: float
    rmse_standard_error: float | None


def cluster_errors(residual: FloatArray, frame: NDArray[np.int64]) -> ClusterErrors:
    r"""Return MAE, RMSE and their standard errors with frames as clusters.

    Values within a frame are correlated, so frames are the samples. With
    :math:`A_s = \sum_{v \in s} |e_v|` and :math:`n_s` values in frame s, MAE is the ratio
    :math:`\sum A_s / \sum n_s` and its linearised variance is

    .. math:: \frac{S}{S-1} \frac{\sum_s (A_s - n_s\,\mathrm{MAE})^2}{(\sum_s n_s)^2},

    likewise for the mean square; RMSE by the delta method, se(MSE) / (2 RMSE).
    No random numbers are drawn.

    Parameters
    ----------
    residual : (v,) float64
        Errors, at least one.
    frame : (v,) int64
        Frame of each value.

    References
    ----------
    W. G. Cochran, Sampling Techniques, 3rd ed. (Wiley, 1977), section 6.3 (ratio
    estimate) and chapter 9A (clusters of unequal sizes).
    """
    _, cluster = np.unique(frame, return_inverse=True)
    count = np.bincount(cluster).astype(np.float64)
    absolute = np.bincount(cluster, weights=np.abs(residual)).astype(np.float64)
    square = np.bincount(cluster, weights=residual**2).astype(np.float64)
    mae, mae_error = _ratio(absolute, count)
    mse, mse_error = _ratio(square, count)
    rmse = float(np.sqrt(mse))
    if mse_error is not None:
        mse_error = mse_error / (2.0 * rmse) if rmse > 0.0 else 0.0
    return ClusterErrors(mae, mae_error, rmse, mse_error)


def _ratio(total: FloatArray, count: FloatArray) -> tuple[float, float | None]:
    """Ratio of sums and its standard error."""
    clusters = len(count)
    ratio = float(total.sum() / count.sum())
    if clusters < 2:
        return ratio, None
    scatter = float(((total - ratio * count) ** 2).sum()) * clusters / (clusters - 1)
    return ratio, float(np.sqrt(scatter) / count.sum())


def _rows(comparison: Comparison, config_types: NDArray[np.str_]) -> Iterator[ErrorRow]:
    if len(comparison.reference) == 0:
        return
    yield _row(comparison, "all", "all", np.ones(len(comparison.reference), dtype=bool))
    groups = config_types[comparison.frame]
    for group in np.unique(groups):
        yield _row(comparison, "config_type", str(group), groups == group)
    if comparison.quantity == "forces":
        elements = np.unique(comparison.numbers)
        for number in sorted(elements.tolist(), key=symbol):
            chosen = comparison.numbers == number
            yield _row(comparison, "element", symbol(number), chosen)


def _row(
    comparison: Comparison, grouping: Grouping, group: str, chosen: NDArray[np.bool_]
) -> ErrorRow:
    residual = comparison.residual[chosen] * SCALES[comparison.quantity]
    frame = comparison.frame[chosen]
    statistics = cluster_errors(residual, frame)
    return ErrorRow(
        quantity=comparison.quantity,
        unit=UNITS[comparison.quantity],
        grouping=grouping,
        group=group,
        frames=len(np.unique(frame)),
        values=len(residual),
        maximum=float(np.abs(residual).max()),
        bias=float(residual.mean()),
        **statistics._asdict(),
    )
