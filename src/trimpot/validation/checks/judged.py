"""The potential that is judged, with everything that checks need."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from trimpot.engines.singlepoint import evaluate
from trimpot.errors import InputError
from trimpot.validation.checks.known import Known
from trimpot.validation.checks.samples import Samples, make_samples

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trimpot.contract import Potential, Structure

MOST_STRUCTURES = 8

STIFF = 10.0
"""Force in eV/A up to which bounds of single arithmetic are absolute."""

Of = TypeVar("Of")


@dataclass(frozen=True)
class CheckSettings:
    """How much work the checks are.

    Attributes
    ----------
    seed : int
        Of displacements, rotations and velocities.
    threads : int
        The number of threads that is compared with one and two; 0: all cores.
    pairs, trios : int
        Most pairs and trios of species that are scanned; of more, these are drawn at
        random.
    drift_ps : float
        Length of the run that measures drift, in ps for atoms of 20 amu or more.
    calls : int
        Number of calls of which the memory is watched.
    """

    seed: int = 1
    threads: int = 0
    pairs: int = 60
    trios: int = 12
    drift_ps: float = 10.0
    calls: int = 2000

    def __post_init__(self) -> None:
        low = {
            "seed": 0,
            "threads": 0,
            "pairs": 1,
            "trios": 1,
            "drift_ps": 0.05,
            "calls": 10,
        }
        for name, least in low.items():
            if not getattr(self, name) >= least:
                raise InputError(
                    f"checks: {name} is {getattr(self, name)}, expected at least {least}"
                )


@dataclass(frozen=True)
class Judged:
    """A potential under examination.

    Attributes
    ----------
    potential : Potential
        As it will be used.
    known : Known
    settings : CheckSettings
    samples : Samples
    """

    potential: Potential
    known: Known
    settings: CheckSettings
    samples: Samples = field(repr=False)

    @property
    def sharp(self) -> Potential:
        """The potential in the best arithmetic that it has."""
        return self.known.sharp or self.potential

    @property
    def sharp_is_single(self) -> bool:
        """Whether even that is single."""
        return self.known.single and self.known.sharp is None

    def rounding(self, structure: Structure) -> float:
        """Return how many times larger than usual rounding errors are, at least 1.

        In single arithmetic they grow with forces: 1 up to ``STIFF``. Deviations of such a
        potential are divided by it. In double arithmetic it is always 1.
        """
        if not self.known.single:
            return 1.0
        forces = evaluate(self.potential, structure, threads=1).forces
        return max(1.0, float(np.abs(forces).max(initial=0.0)) / STIFF)

    def is_single(self, *, sharp: bool) -> bool:
        """Return whether what a check judges computes in single arithmetic."""
        return self.sharp_is_single if sharp else self.known.single

    @property
    def rng(self) -> np.random.Generator:
        """A new generator, always the same: a check does not depend on others."""
        return np.random.default_rng(self.settings.seed)

    @property
    def radii(self) -> tuple[float, ...]:
        """Every distance at which something is switched off, descending."""
        known = {round(r, 9) for r in self.known.radii if r > 0.1}
        return tuple(sorted({*known, self.potential.cutoff}, reverse=True))

    @property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """Pairs of species; at most ``settings.pairs`` of them."""
        every = list(combinations_with_replacement(self.potential.species, 2))
        return self._drawn(every, self.settings.pairs)

    @property
    def trios(self) -> tuple[tuple[int, int, int], ...]:
        """Trios of species, centre first; at most ``settings.trios`` of them."""
        every = [(c, a, b) for c in self.potential.species for a, b in self.pairs]
        return self._drawn(every, self.settings.trios)

    def _drawn(self, every: Sequence[Of], most: int) -> tuple[Of, ...]:
        if len(every) <= most:
            return tuple(every)
        chosen = self.rng.choice(len(every), most, replace=False)
        return tuple(every[k] for k in sorted(chosen))


def judged_of(
    potential: Potential,
    known: Known | None = None,
    structures: Sequence[Structure] = (),
    settings: CheckSettings = CheckSettings(),
) -> Judged:
    """Return a potential with samples made for it.

    Of more than eight structures eight are taken, evenly.
    """
    rng = np.random.default_rng(settings.seed)
    count = min(MOST_STRUCTURES, len(structures))
    places = np.linspace(0, len(structures) - 1, count).round().astype(int)
    given = [structures[k] for k in places]
    known = known or Known()
    samples = make_samples(potential, given, rng, known.shortest)
    return Judged(potential, known, settings, samples)
