"""Choose frames by the fields of their comment line or calculator row."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from trimpot.data.labels import CONFIG_KEYS
from trimpot.errors import DataError, InputError

if TYPE_CHECKING:
    from trimpot.data.frames import Frame, Scalar
    from trimpot.data.records import Value

_SHOWN_VALUES = 8


@dataclass(frozen=True)
class Selection:
    """Wanted values of fields, and a count of the values met, for messages.

    Attributes
    ----------
    wanted : mapping
        Allowed values of each field; empty selects every frame.
    seen : mapping
        How often each value of these fields occurred.
    names : set
        Names of all fields met.
    """

    wanted: Mapping[str, tuple[Scalar, ...]]
    config_key: str | None
    seen: dict[str, Counter[str]] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)

    @classmethod
    def build(
        cls, where: Mapping[str, Scalar | Sequence[Scalar]] | None, config_key: str | None
    ) -> Selection:
        """Return a selection from one value or several per field."""
        wanted: dict[str, tuple[Scalar, ...]] = {}
        for name, value in (where or {}).items():
            values = (value,) if isinstance(value, str | int | float) else tuple(value)
            if not values:
                raise InputError(
                    f"where: the field '{name}' has no allowed value, expected at least one"
                )
            wanted[name] = values
        return cls(wanted, config_key)

    def __call__(self, fields: Mapping[str, Value]) -> bool:
        """Whether a frame with these fields is wanted."""
        if not self.wanted:
            return True
        self.names.update(fields)
        matches = [self._matches(name, fields) for name in self.wanted]  # counts all
        return all(matches)

    def _matches(self, name: str, fields: Mapping[str, Value]) -> bool:
        value = fields.get(name)
        if value is None and name == "config_type":
            value = self._group(fields)
        if value is None or isinstance(value, np.ndarray):
            return False
        self.seen.setdefault(name, Counter())[str(value)] += 1
        return matches(value, self.wanted[name])

    def _group(self, fields: Mapping[str, Value]) -> Value:
        """Return the group under whichever key the file uses for it."""
        if self.config_key is not None:
            return fields.get(self.config_key, "default")
        lower = {key.lower(): value for key, value in fields.items()}
        return next((lower[key] for key in CONFIG_KEYS if key in lower), "default")

    def check(self, n_frames: int) -> None:
        """Raise ``DataError`` if a field never occurred or no frame was selected."""
        for name in self.wanted:
            if name in self.seen:
                continue
            near = difflib.get_close_matches(name, sorted(self.names), n=1)
            hint = f"; did you mean '{near[0]}'?" if near else ""
            raise DataError(
                f"where: no frame has the field '{name}'; fields that exist: "
                f"{', '.join(sorted(self.names)) or 'none'}{hint}"
            )
        if self.wanted and n_frames == 0:
            met = "; ".join(
                f"{name}: {_shown(counts)}" for name, counts in self.seen.items()
            )
            raise DataError(
                f"where: no frame has {dict(self.wanted)}; values that exist: {met}; "
                "choose among these"
            )


def field_values(frames: Sequence[Frame], name: str) -> list[Scalar | None]:
    """Return an info field of each frame, None where a frame lacks it.

    Raises
    ------
    DataError
        If no frame has the field.
    """
    if name == "config_type":
        return [frame.config_type for frame in frames]
    values = [frame.info.get(name) for frame in frames]
    if all(value is None for value in values):
        names = sorted({"config_type"}.union(*(frame.info for frame in frames)))
        near = difflib.get_close_matches(name, names, n=1)
        hint = f"; did you mean '{near[0]}'?" if near else ""
        raise DataError(
            f"no frame has the field '{name}'; fields that exist: {', '.join(names)}{hint}"
        )
    return values


def matches(value: Value | None, allowed: Sequence[Scalar]) -> bool:
    """Whether a field has one of the allowed values."""
    return value is not None and any(_equal(value, item) for item in allowed)


def _equal(value: Value, allowed: Scalar) -> bool:
    """Compare as written: 1, 1.0 and "1" are the same value, and so are T and True."""
    if str(value) == str(allowed):
        return True
    try:
        return float(value) == float(allowed)
    except (TypeError, ValueError):
        return False


def _shown(counts: Counter[str]) -> str:
    names = [f"{value} ({count})" for value, count in counts.most_common(_SHOWN_VALUES)]
    more = len(counts) - len(names)
    return ", ".join(names) + (f" and {more} more" if more > 0 else "")
