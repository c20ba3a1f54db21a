"""What a protocol found: values and curves, or why there are none. JSON in and out."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from ase.calculators.calculator import CalculatorError, PropertyNotImplementedError

from trimpot.errors import (
    EngineError,
    InputError,
    MissingPartError,
    NonFiniteResultError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import ParamSpec

    from trimpot.contract import FloatArray

    P = ParamSpec("P")


@dataclass(frozen=True)
class Value:
    """A number with its unit.

    Attributes
    ----------
    value : float
        In the unit.
    unit : str
        "eV", "A", "GPa", ...; "" for a pure number.
    error : float or None
        Standard error, where the protocol has one.
    """

    value: float
    unit: str
    error: float | None = None


@dataclass(frozen=True)
class Curve:
    """Points of a figure.

    Attributes
    ----------
    x : (n,) float64
        Abscissae.
    y : (n,) or (n, m) float64
        One or several ordinates per point.
    x_name, y_name : str
        Names with units, for axes.
    marks : tuple of (float, str)
        Abscissae with a name, such as points of high symmetry.
    """

    x: FloatArray
    y: FloatArray
    x_name: str
    y_name: str
    marks: tuple[tuple[float, str], ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What a protocol found for one model.

    Attributes
    ----------
    values : mapping of str to Value
        Results by name.
    curves : mapping of str to Curve
        For figures.
    settings : mapping
        With which they were made.
    notes : tuple of str
        What a reader should know.
    failure : str or None
        Why there are no values, or not all of them: an unstable crystal, an imaginary
        mode, a relaxation that does not end. It is a result.
    spoiled : tuple of str or None
        Values that the failure spoils; None: all of them.
    """

    values: Mapping[str, Value] = field(default_factory=dict)
    curves: Mapping[str, Curve] = field(default_factory=dict)
    settings: Mapping[str, object] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    failure: str | None = None
    spoiled: tuple[str, ...] | None = None

    def fails(self, name: str) -> bool:
        """Return whether a value is missing or spoiled by a failure."""
        spoiled = self.spoiled is None or name in self.spoiled or name not in self.values
        return self.failure is not None and spoiled

    @property
    def unmeasured(self) -> bool:
        """Whether the failure says nothing of the model, see ``NOT_MEASURED``."""
        return self.failure is not None and self.failure.startswith(NOT_MEASURED)

    def number(self, name: str) -> float:
        """Return a value by name.

        Raises
        ------
        InputError
            If there is none of that name.
        """
        if name not in self.values:
            raise InputError(
                f"found no value {name!r}, expected one of {', '.join(self.values)}"
            )
        return self.values[name].value

    def to_dict(self) -> dict[str, object]:
        """Return plain values; NaN and infinity become null."""
        return {
            "values": {
                name: {"value": _plain(v.value), "unit": v.unit, "error": _plain(v.error)}
                for name, v in self.values.items()
            },
            "curves": {
                name: {
                    "x": _listed(c.x),
                    "y": _listed(c.y),
                    "x_name": c.x_name,
                    "y_name": c.y_name,
                    "marks": [list(mark) for mark in c.marks],
                }
                for name, c in self.curves.items()
            },
            "settings": _lists(dict(self.settings)),
            "notes": list(self.notes),
            "failure": self.failure,
            "spoiled": None if self.spoiled is None else list(self.spoiled),
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, object]) -> Outcome:
        """Return what ``to_dict`` stored.

        Raises
        ------
        InputError
            If it is something else.
        """
        try:
            return _outcome(plain)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(f"this is no stored outcome: {error!r}; remove it") from error


NOT_MEASURED = "not measured: "
"""Begin of failures that say nothing of the model: something is missing, or it would take
too long. They are not kept."""


def guarded(
    measure: Callable[P, Outcome],
) -> Callable[P, Outcome]:
    """Turn what physics does to a calculation into an outcome with a failure.

    Caught are NaN and infinity, LAMMPS or a calculator that gives up, what a model cannot
    compute (stress), and arithmetic that fails. Errors of use (input, missing parts) stay
    errors.
    """

    @functools.wraps(measure)
    def guarded_measure(*args: P.args, **kwargs: P.kwargs) -> Outcome:
        try:
            found = measure(*args, **kwargs)
        except (InputError, MissingPartError):
            raise
        except (
            NonFiniteResultError,
            EngineError,
            ArithmeticError,
            CalculatorError,
            PropertyNotImplementedError,
            np.linalg.LinAlgError,
        ) as error:
            return Outcome(failure=_first_line(error))
        bad = [name for name, v in found.values.items() if not math.isfinite(v.value)]
        if not bad:
            return found
        why = found.failure or f"{', '.join(bad)} came out as no finite number"
        spoiled = None
        if found.failure is None or found.spoiled is not None:
            spoiled = (*(found.spoiled or ()), *bad)
        return replace(found, failure=why, spoiled=spoiled)

    return guarded_measure


def _first_line(error: Exception) -> str:
    return " ".join(str(error).split())[:400] or type(error).__name__


def _plain(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)


def _lists(value: object) -> object:
    """Return plain values with lists for tuples, as JSON gives them back."""
    if isinstance(value, dict):
        return {str(key): _lists(v) for key, v in value.items()}
    return [_lists(v) for v in value] if isinstance(value, list | tuple) else value


def _listed(values: FloatArray) -> object:
    whole = np.asarray(values, dtype=object)
    whole[~np.isfinite(values)] = None
    return whole.tolist()


def _array(values: object) -> FloatArray:
    return np.array(values, dtype=np.float64)


def _outcome(plain: Mapping[str, object]) -> Outcome:
    values, curves, settings = (plain[k] for k in ("values", "curves", "settings"))
    if not (
        isinstance(values, dict) and isinstance(curves, dict) and isinstance(settings, dict)
    ):
        raise TypeError("values, curves and settings are no mappings")
    notes, failure, spoiled = (plain[k] for k in ("notes", "failure", "spoiled"))
    return Outcome(
        {
            name: Value(
                float("nan") if v["value"] is None else float(v["value"]),
                str(v["unit"]),
                None if v["error"] is None else float(v["error"]),
            )
            for name, v in values.items()
        },
        {
            name: Curve(
                _array(c["x"]),
                _array(c["y"]),
                c["x_name"],
                c["y_name"],
                tuple((float(x), str(label)) for x, label in c["marks"]),
            )
            for name, c in curves.items()
        },
        settings,
        tuple(str(note) for note in notes) if isinstance(notes, list) else (),
        None if failure is None else str(failure),
        tuple(str(name) for name in spoiled) if isinstance(spoiled, list) else None,
    )
