"""Count what a reader finds and turn the counts into the report or an error."""

from __future__ import annotations

import difflib
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from trimpot.data.code_outputs import CODE_OUTPUTS
from trimpot.data.labels import DIALECTS, Candidate
from trimpot.data.report import FileReport, ReadReport, pressure_gpa
from trimpot.elements import SYMBOLS
from trimpot.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trimpot.data.frames import Frame
    from trimpot.data.labels import LabelKeys
    from trimpot.data.records import RawFrame
    from trimpot.data.rules import ReadRules

_MAX_STRESS = 1.0  # eV/A^3 = 160 GPa
_POSITIVE_ENERGY = 100.0  # eV/atom above which energies are suspicious
_LABELS = ("energy", "forces", "stress")


@dataclass
class Tally:
    """Running counts over the frames of one file."""

    path: str
    format: str
    n_not_selected: int = 0
    n_frames: int = 0
    atoms: Counter[int] = field(default_factory=Counter)
    labels: Counter[str] = field(default_factory=Counter)
    keys: dict[str, Counter[str]] = field(default_factory=dict)
    used: set[tuple[str, str]] = field(default_factory=set)
    groups: Counter[str] = field(default_factory=Counter)
    ignored: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    remarks: list[str] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    energies: list[float] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    forces: list[float] = field(default_factory=list)
    pressures: list[float] = field(default_factory=list)
    stresses: list[tuple[float, str]] = field(default_factory=list)

    def add(
        self,
        frame: Frame,
        raw: RawFrame,
        used: dict[str, Candidate],
        ignored: tuple[str, ...],
    ) -> None:
        """Count one frame."""
        self.n_frames += 1
        self.atoms.update(frame.structure.numbers.tolist())
        self.groups[frame.config_type] += 1
        self.ignored.update(ignored)
        self.names.update(raw.results, raw.fields, raw.columns)
        for role, candidate in used.items():
            label = "stress" if role == "virial" else role
            text = str(candidate) + (" as -virial/V" if role == "virial" else "")
            self.keys.setdefault(label, Counter())[text] += 1
            self.used.add((role, candidate.key))
        if (note := _other_energy(raw, used)) is not None:
            self.notes[note] += 1
        if raw.assumed_pbc:
            self.notes["Lattice without pbc, taken as periodic in all directions"] += 1
        if frame.energy is not None:
            self.labels["energy"] += 1
            self.energies.append(frame.energy / len(frame))
            self.sizes.append(len(frame))
        if frame.forces is not None:
            self.labels["forces"] += 1
            squares = np.einsum("nc,nc->n", frame.forces, frame.forces)
            self.forces.append(float(squares.max()) ** 0.5)
        if frame.stress is not None:
            self.labels["stress"] += 1
            (xx, xy, xz), (_, yy, yz), (_, _, zz) = frame.stress.tolist()
            self.pressures.append(pressure_gpa(xx + yy + zz))
            self.stresses.append((max(map(abs, (xx, yy, zz, xy, xz, yz))), frame.source))

    def report(self) -> FileReport:
        """Return the counts as a report."""
        return FileReport(
            path=self.path,
            format=self.format,
            n_frames=self.n_frames,
            n_not_selected=self.n_not_selected,
            n_atoms=sum(self.atoms.values()),
            elements={SYMBOLS[z]: self.atoms[z] for z in sorted(self.atoms)},
            labels={label: self.labels[label] for label in _LABELS},
            keys={label: dict(counts) for label, counts in self.keys.items()},
            config_types=dict(self.groups.most_common()),
            energy_per_atom=_range(self.energies),
            max_force=max(self.forces, default=None),
            pressure_gpa=_range(self.pressures),
            ignored=dict(self.ignored),
            notes=dict(self.notes),
        )


def check_tallies(
    tallies: Sequence[Tally], keys: LabelKeys, rules: ReadRules
) -> ReadReport:
    """Return the report of all files.

    Raises
    ------
    DataError
        If a selected key never occurred, no label was found at all, or most stresses
        are too large for eV/A^3.
    """
    names = sorted(set().union(*(tally.names for tally in tallies)))
    used = set().union(*(tally.used for tally in tallies))
    if any(tally.n_frames for tally in tallies):
        _check_selected(keys, used, names)
        if rules.require_labels:
            _check_any(tallies, names)
    if rules.stress_unit is None:
        _check_stress_unit(tallies)
    warnings = [warning for tally in tallies for warning in _warnings(tally)]
    warnings += mixed_energies(tallies)
    return ReadReport(tuple(tally.report() for tally in tallies), tuple(warnings))


def _check_selected(keys: LabelKeys, used: set[tuple[str, str]], names: list[str]) -> None:
    for role, key in keys.selected().items():
        if (role, key) in used:
            continue
        near = difflib.get_close_matches(key, names, n=1, cutoff=0.5)
        hint = f"; did you mean '{near[0]}'?" if near else ""
        place = f" as {role}" if key in names else ""
        raise DataError(
            f"no frame has the key '{key}'{place} selected for {role}; keys that exist: "
            f"{', '.join(names) or 'none'}{hint}"
        )


def _check_any(tallies: Sequence[Tally], names: list[str]) -> None:
    if any(tally.labels["energy"] or tally.labels["forces"] for tally in tallies):
        return
    known = sorted({name for role in ("energy", "forces") for name in DIALECTS[role]})
    near = [n for n in names if difflib.get_close_matches(n.lower(), known, 1, 0.6)]
    hint = f" (nearest: {', '.join(near)})" if near else ""
    files = ", ".join(tally.path for tally in tallies)
    raise DataError(
        f"{files}: no energies and no forces recognised in any frame; keys that exist: "
        f"{', '.join(names) or 'none'}{hint}; name the right ones with keys.energy and "
        "keys.forces"
    )


def _check_stress_unit(tallies: Sequence[Tally]) -> None:
    for tally in tallies:
        values = [value for value, _ in tally.stresses]
        if tally.format in CODE_OUTPUTS:  # ASE knows their unit
            continue
        if not values or float(np.median(values)) <= _MAX_STRESS:
            continue
        largest, source = max(tally.stresses)
        raise DataError(
            f"{tally.path}: stress reaches {largest:.4g} in {source} and exceeds "
            f"{_MAX_STRESS} eV/A^3 (160 GPa) in most frames, which looks like kbar or GPa; "
            "say the unit (stress_unit: kbar, GPa or eV/A^3), and check the sign "
            "(stress_sign: compression for VASP output)"
        )


def _warnings(tally: Tally) -> list[str]:
    """Return what looks wrong in a file but need not be."""
    found = list(tally.remarks)
    for label, counts in tally.keys.items():
        if len(counts) > 1:
            keys = ", ".join(f"{key} in {n}" for key, n in counts.items())
            found.append(f"{tally.path}: {label} comes from different keys ({keys})")
    large = [source for value, source in tally.stresses if value > _MAX_STRESS]
    if large:
        found.append(
            f"{tally.path}: stress above {_MAX_STRESS} eV/A^3 (160 GPa) in {len(large)} "
            f"frames, first {large[0]}; check its unit if such pressures are not meant"
        )
    high = sum(energy > _POSITIVE_ENERGY for energy in tally.energies)
    if high:
        found.append(
            f"{tally.path}: energies above {_POSITIVE_ENERGY:g} eV per atom in {high} "
            "frames; check their unit and sign"
        )
    if _seem_per_atom(tally):
        found.append(
            f"{tally.path}: energies do not grow with the number of atoms, so they seem to "
            "be per atom; expected total energies"
        )
    return found


def _other_energy(raw: RawFrame, used: dict[str, Candidate]) -> str | None:
    """Return a note where the energy of the forces was chosen over a different one."""
    energy, free_energy = raw.results.get("energy"), raw.results.get("free_energy")
    chosen = used.get("energy")
    if chosen is None or not raw.code_output or energy is None or free_energy is None:
        return None
    if chosen.key == "free_energy" and energy != free_energy:
        return (
            "free_energy taken, whose derivatives the forces are (VASP: TOTEN), not "
            "energy (VASP: sigma->0); keys.energy: energy takes the other"
        )
    return None


def mixed_energies(tallies: Sequence[Tally]) -> list[str]:
    """Warn where some files give free energies and others an energy of another name."""
    keys = {t.path: k for t in tallies for role, k in sorted(t.used) if role == "energy"}
    free = [path for path, key in keys.items() if key.lower() == "free_energy"]
    other = [path for path, key in keys.items() if key.lower() != "free_energy"]
    if not free or not other:
        return []
    return [
        f"{free[0]} gives free_energy (with the electronic entropy) and {other[0]} gives "
        f"{keys[other[0]]}; check that both are the same kind of energy, or name one that "
        "all files have (keys.energy)"
    ]


def _seem_per_atom(tally: Tally) -> bool:
    """Whether energies vary far less than energies divided by the number of atoms."""
    if len(tally.sizes) < 2 or max(tally.sizes) < 2 * min(tally.sizes):
        return False
    per_atom = np.array(tally.energies)
    as_given = per_atom * np.array(tally.sizes)
    spread, spread_per_atom = np.std(as_given), np.std(per_atom)
    return bool(
        spread * abs(per_atom.mean()) < 0.1 * spread_per_atom * abs(as_given.mean())
    )


def _range(values: list[float]) -> tuple[float, float] | None:
    return (min(values), max(values)) if values else None
