"""Which key of a file holds which label: the dialects of the field, and the choice.

Precedence: calculator results, then per-frame fields, then per-atom columns. Where two
keys could be the same label and disagree, nothing is guessed: the user names one.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from trimpot.errors import DataError, InputError

if TYPE_CHECKING:
    from trimpot.data.records import RawFrame, Value

ROLES = ("energy", "forces", "stress", "virial")
CONFIG_KEYS = ("config_type", "config", "group", "configtype", "config_name")

_BASES = {
    "energy": ("energy", "energies", "total_energy", "potential_energy"),
    "forces": ("forces", "force"),
    "stress": ("stress",),
    "virial": ("virial", "virials"),
}
_MARKS = ("{}", "ref_{}", "dft_{}", "{}_ref", "{}_dft", "reference_{}", "qm_{}")
DIALECTS = {
    role: tuple(mark.format(base) for mark in _MARKS for base in bases)
    for role, bases in _BASES.items()
}
"""Recognised keys of each label in order of precedence, compared without case."""

_ROLE_OF = {name: role for role, names in DIALECTS.items() for name in names}
_RANK = {name: rank for names in DIALECTS.values() for rank, name in enumerate(names)}
# In the output of a code the energy that the forces are derivatives of; otherwise taken
# only where nothing else gives the energy.
_FREE_ENERGY = "free_energy"
_LOOKS_LIKE_LABEL = ("energ", "forc", "stress", "virial", "gradient", "pressure")
_TOLERANCE = {"energy": (1e-9, 1e-5), "forces": (1e-6, 1e-5)}  # relative, absolute
_TENSOR_TOLERANCE = (1e-5, 1e-6)


@dataclass(frozen=True)
class LabelKeys:
    """Keys that hold the labels; None recognises the usual dialects.

    Attributes
    ----------
    energy, forces, stress, virial, config_type : str or None
        Exact name of the key (calculator result, field or column). ``stress`` and
        ``virial`` exclude each other.
    charge : str or None
        Field of the total charge in e, a whole number, of every frame; by default
        ``charge``, else ``total_charge``, and 0 for frames without.

    Raises
    ------
    InputError
        If both ``stress`` and ``virial`` are given, or a key is an empty string.
    """

    energy: str | None = None
    forces: str | None = None
    stress: str | None = None
    virial: str | None = None
    config_type: str | None = None
    charge: str | None = None

    def __post_init__(self) -> None:
        if self.stress is not None and self.virial is not None:
            raise InputError(
                f"both stress key '{self.stress}' and virial key '{self.virial}' are "
                "given, expected one of them: the other follows from virial = -V stress"
            )
        for item in fields(self):
            if getattr(self, item.name) == "":
                raise InputError(
                    f"the key for {item.name} is empty; name a key, or leave it out to "
                    "recognise the usual names"
                )

    def selected(self) -> dict[str, str]:
        """Return the labels whose key was chosen by the user."""
        names = (*ROLES, "config_type", "charge")
        return {
            name: getattr(self, name) for name in names if getattr(self, name) is not None
        }


@dataclass(frozen=True)
class Candidate:
    """A key that can be a label, and where it stands (results, fields or columns)."""

    key: str
    origin: str

    def __str__(self) -> str:
        return f"{self.key} ({ORIGIN_NAMES[self.origin]})"


ORIGIN_NAMES = {"results": "calculator", "fields": "frame field", "columns": "atom column"}


@dataclass(frozen=True)
class Plan:
    """What to do with the keys of a frame; the same for all frames with the same keys.

    Attributes
    ----------
    candidates : dict
        Keys of each label, best first.
    config_key : Candidate or None
        Key of the group.
    ignored : tuple of str
        Keys that are not used as labels although they look like one, and what is
        dropped because a frame does not hold it.
    """

    candidates: dict[str, tuple[Candidate, ...]]
    config_key: Candidate | None
    ignored: tuple[str, ...]


def plan_labels(raw: RawFrame, keys: LabelKeys) -> Plan:
    """Return the plan for a frame from the names of its keys."""
    arrays = tuple(k for k, v in raw.fields.items() if isinstance(v, np.ndarray))
    results, names, columns = map(tuple, (raw.results, raw.fields, raw.columns))
    return _plan(results, names, arrays, columns, keys, raw.code_output)


@lru_cache(maxsize=256)
def _plan(
    results: tuple[str, ...],
    names: tuple[str, ...],
    arrays: tuple[str, ...],
    columns: tuple[str, ...],
    keys: LabelKeys,
    code_output: bool,
) -> Plan:
    present = [Candidate(k, "results") for k in results]
    present += [Candidate(k, "fields") for k in names]
    present += [Candidate(k, "columns") for k in columns]
    candidates = {role: _candidates(role, present, keys, code_output) for role in ROLES}
    if keys.stress is not None:
        candidates["virial"] = ()
    if keys.virial is not None:
        candidates["stress"] = ()
    config = [c for name in CONFIG_KEYS for c in present if c.key.lower() == name]
    if keys.config_type is not None:
        config = [c for c in present if c.key == keys.config_type]
    config = [c for c in config if c.origin == "fields" and c.key not in arrays]
    used = {c for found in candidates.values() for c in found} | set(config[:1])
    ignored = [_ignored(c, c.key in arrays) for c in present if c not in used]
    return Plan(candidates, config[0] if config else None, tuple(t for t in ignored if t))


def _candidates(
    role: str, present: list[Candidate], keys: LabelKeys, code_output: bool
) -> tuple[Candidate, ...]:
    """Return the keys that can be this label, best first."""
    allowed = ("results", "columns") if role == "forces" else ("results", "fields")
    here = [c for c in present if c.origin in allowed]
    selected = getattr(keys, role)
    if selected is not None:
        return tuple(c for c in here if c.key == selected)[:1]
    found = [c for c in here if _ROLE_OF.get(c.key.lower()) == role]
    # In a calculator, "energies" are energies of atoms.
    found = [c for c in found if (c.origin, c.key) != ("results", "energies")]
    if role == "energy" and (code_output or not found):
        found = [c for c in here if c.key.lower() == _FREE_ENERGY] or found
    found.sort(key=lambda c: (c.origin != "results", _RANK.get(c.key.lower(), 0)))
    return tuple(found)


def _ignored(candidate: Candidate, is_array: bool) -> str:
    """Return how the report names a key that is not used as a label, or nothing."""
    if any(part in candidate.key.lower() for part in _LOOKS_LIKE_LABEL):
        return f"{candidate} looks like a label but is not used as one"
    if candidate.origin == "fields" and not is_array:
        return ""  # kept in Frame.info
    return f"{candidate} is not kept"


def pick(
    raw: RawFrame, role: str, candidates: tuple[Candidate, ...]
) -> tuple[Candidate, Value] | None:
    """Return the label's key and value, or None where the frame does not have it.

    Raises
    ------
    DataError
        If several keys hold different values.
    """
    if not candidates:
        return None
    best = candidates[0]
    value = getattr(raw, best.origin)[best.key]
    for other in candidates[1:]:
        second = getattr(raw, other.origin)[other.key]
        if not _same(value, second, role):
            raise DataError(
                f"{raw.place}: two keys could be the {role}: {best} = {_short(value)} and "
                f"{other} = {_short(second)}, and they disagree; say which one counts, for "
                f"example keys.{role}: {other.key}"
            )
    return best, value


def _same(first: Value, second: Value, role: str) -> bool:
    """Whether two spellings of a label agree to the digits that files carry."""
    relative, absolute = _TOLERANCE.get(role, _TENSOR_TOLERANCE)
    try:
        a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    except (TypeError, ValueError):
        return False
    return a.size == b.size and np.allclose(
        a.ravel(), b.ravel(), rtol=relative, atol=absolute
    )


def _short(value: Value) -> str:
    """Return a value in a few characters."""
    if isinstance(value, np.ndarray):
        head = ", ".join(f"{x:.6g}" for x in value.ravel()[:3])
        return f"[{head}, ...] of shape {value.shape}"
    return f"{value:.10g}" if isinstance(value, float) else str(value)
