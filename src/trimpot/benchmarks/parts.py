"""Neighbours, triplets and the share of each part, for potentials that are sums."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from trimpot.benchmarks.subjects import Ours, interleaved
from trimpot.contract import Potential
from trimpot.errors import InputError
from trimpot.neighbors import neighborhood

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trimpot.benchmarks.running import RunSettings
    from trimpot.benchmarks.states import State
    from trimpot.contract import Precision, Structure

AT_REST = 1e-6
"""A time step, fs, in which no atom moves."""

NO_REACH = 0.1
"""Angstrom: parts that end here act on single atoms."""


@runtime_checkable
class SumOfParts(Potential, Protocol):
    """A potential that can be taken apart."""

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of its parts."""
        ...

    def only(self, *parts: str) -> Potential:
        """Return the sum of some of its parts."""
        ...


@dataclass(frozen=True)
class PartCounts:
    """What one part of a potential works on.

    Attributes
    ----------
    cutoff : float
        Largest cutoff of the part, angstrom.
    neighbors, triplets : float
        Mean per atom: neighbours within the cutoff, and pairs of them.
    """

    cutoff: float
    neighbors: float
    triplets: float


@dataclass(frozen=True)
class Counts:
    """Sizes of the work per atom.

    Attributes
    ----------
    neighbors, listed : float
        Neighbours within the cutoff, and within cutoff and skin.
    parts : mapping
        By the name of the part; empty for a potential that cannot be taken apart.
    """

    neighbors: float
    listed: float
    parts: Mapping[str, PartCounts] = field(default_factory=dict)


def counts(potential: Potential, structure: Structure, skin: float) -> Counts:
    """Return neighbours and triplets per atom."""
    parts = {}
    for name, part in reaching(potential).items():
        n = _neighbors(structure, part.cutoff)
        triplets = float((n * (n - 1) / 2).mean())
        parts[name] = PartCounts(part.cutoff, float(n.mean()), triplets)
    return Counts(
        float(_neighbors(structure, potential.cutoff).mean()),
        float(_neighbors(structure, potential.cutoff + skin).mean()),
        parts,
    )


def reaching(potential: Potential) -> dict[str, Potential]:
    """Return the parts that act between atoms; none if it cannot be taken apart."""
    if not isinstance(potential, SumOfParts):
        return {}
    alone = {name: potential.only(name) for name in potential.parts}
    return {name: part for name, part in alone.items() if part.cutoff > NO_REACH}


def shares(
    potential: Potential,
    state: State,
    settings: RunSettings,
    *,
    precision: Precision = "double",
    threads: int = 1,
) -> dict[str, float]:
    """Return us/atom/step by part: ``list``, each part, ``shared``; they sum to the whole.

    A part costs what the kernels of the whole take beyond those of the potential without
    it, both with atoms at rest: without a part they would move elsewhere. ``shared`` is
    the rest: loops, what parts share, checks of the result. List upkeep is that of moving
    atoms. Differences of two times have their noise: small ones may be negative.
    """
    names = list(reaching(potential))
    whole = Ours("whole", potential, precision, threads)
    others = []
    if isinstance(potential, SumOfParts) and len(names) > 1:
        for name in names:
            rest = potential.only(*(part for part in potential.parts if part != name))
            others.append(Ours(name, rest, precision, threads))
    still = replace(settings, timestep_fs=AT_REST)
    try:
        measured = interleaved([whole, *others], state, still)
    except InputError:  # the rest of a potential may lack a precision that the whole has
        names, measured = [], interleaved([whole], state, still)
    (moving,) = interleaved([whole], state, settings)
    scale = 1e6 / len(state)
    kernels = [scale * float(np.median([r.kernels for r in m.runs])) for m in measured]
    found = {
        "list": scale * float(np.median([run.list for run in moving.runs])),
        **{name: kernels[0] - rest for name, rest in zip(names, kernels[1:], strict=False)},
    }
    if len(names) == 1:
        found[names[0]] = kernels[0]
    all_of_it = scale * float(np.median([run.seconds for run in moving.runs]))
    return found | {"shared": all_of_it - sum(found.values())}


def _neighbors(structure: Structure, cutoff: float) -> np.ndarray:
    return np.diff(neighborhood(structure, cutoff).first)
