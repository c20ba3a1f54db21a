"""What is in the data, group by group."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from trimpot.data.report import pressure_gpa

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trimpot.data.checks.contacts import Contact
    from trimpot.data.frames import Frame

Range = tuple[float, float]


@dataclass(frozen=True)
class Group:
    """Frames of one config_type.

    Attributes
    ----------
    name : str
    frames : int
    atoms : (low, high)
        Atoms per frame.
    energy, forces, stress : int
        Frames with this label.
    energy_per_atom : (low, high) in eV, or None
    largest_force : float or None, eV/A
    pressure : (low, high) in GPa, compression positive, or None
    volume_per_atom : (low, high) in A^3 of frames periodic in all directions, or None
    smallest_distance : float or None, A
    """

    name: str
    frames: int
    atoms: tuple[int, int]
    energy: int
    forces: int
    stress: int
    energy_per_atom: Range | None
    largest_force: float | None
    pressure: Range | None
    volume_per_atom: Range | None
    smallest_distance: float | None

    def to_dict(self) -> dict[str, object]:
        """Return the group for JSON."""
        return asdict(self)


def overview(frames: Sequence[Frame], contacts: Sequence[Contact]) -> tuple[Group, ...]:
    """Return the groups by number of frames, largest first."""
    members: dict[str, list[int]] = defaultdict(list)
    for index, frame in enumerate(frames):
        members[frame.config_type].append(index)
    groups = [
        _group(name, [frames[i] for i in chosen], [contacts[i] for i in chosen])
        for name, chosen in members.items()
    ]
    return tuple(sorted(groups, key=lambda g: (-g.frames, g.name)))


def _group(name: str, frames: list[Frame], contacts: list[Contact]) -> Group:
    sizes = [len(f) for f in frames]
    forces = [float(np.abs(f.forces).max()) for f in frames if f.forces is not None]
    near = [c.distance for c in contacts if np.isfinite(c.distance)]
    bulk = [f for f in frames if f.structure.pbc.all()]
    return Group(
        name,
        len(frames),
        (min(sizes), max(sizes)),
        sum(f.energy is not None for f in frames),
        len(forces),
        sum(f.stress is not None for f in frames),
        _range([f.energy / len(f) for f in frames if f.energy is not None]),
        max(forces, default=None),
        _range([pressure_gpa(float(f.stress.trace())) for f in frames
                if f.stress is not None]),
        _range([f.structure.volume / len(f) for f in bulk]),
        min(near, default=None),
    )  # fmt: skip


def _range(values: list[float]) -> Range | None:
    return (min(values), max(values)) if values else None
