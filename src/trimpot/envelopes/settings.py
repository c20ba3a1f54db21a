"""Settings of a triplet envelope, as a configuration writes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from trimpot.elements import atomic_number, group_name, parse_group
from trimpot.envelopes.switches import Switch
from trimpot.envelopes.triplet import Combine, TripletEnvelope
from trimpot.errors import InputError

LARGEST_C = 10.0
"""A larger C_max would make lists more than 1.7 times as long as the pairs."""


@dataclass(frozen=True)
class Limits:
    """C_min and C_max of one trio; None keeps the envelope's own."""

    c_min: float | None = None
    c_max: float | None = None


@dataclass(frozen=True)
class EnvelopeSettings:
    """Settings of a triplet envelope (screening).

    Attributes
    ----------
    c_min, c_max : float
        A pair is gone where a third atom has C <= c_min and untouched by atoms with
        C >= c_max. Crystals have many atoms at C = 1/3, 1/2, 1 and 2: choose others.
    switch : str
        ``smooth`` or ``bump`` (C-infinity), ``quintic`` (C2) or ``meam`` (C1, as LAMMPS
        has it).
    combine : str
        ``product`` over third atoms, or ``softmin``, in which partial screening adds up.
    never_screen : list of str
        Elements that screen nothing, for example hydrogen between two oxygens.
    inner, outer : float
        Pairs closer than ``inner`` angstrom are not screened, those beyond ``outer``
        fully; both 0: no such radius.
    trios : mapping
        Limits per trio "I-K-J" with the screening atom in the middle, e.g.
        ``{"O-H-O": {"c_min": 0.1, "c_max": 0.5}}``.
    """

    c_min: float = 0.3
    c_max: float = 1.1
    switch: Switch = "smooth"
    combine: Combine = "product"
    never_screen: tuple[str, ...] = ()
    inner: float = 0.0
    outer: float = 0.0
    trios: Mapping[str, Limits] = field(default_factory=dict)

    def build(self, species: tuple[int, ...]) -> TripletEnvelope:
        """Return the envelope for these species (atomic numbers, ascending).

        Raises
        ------
        InputError
            For limits that are not 0 <= c_min < c_max, an unknown element, radii in the
            wrong order.
        """
        shape = (len(species),) * 3
        c_min, c_max = (np.full(shape, float(c)) for c in (self.c_min, self.c_max))
        for name, limits in self.trios.items():
            i, k, j = (_place(z, species, name) for z in parse_group(name, 3))
            for array, value in ((c_min, limits.c_min), (c_max, limits.c_max)):
                if value is not None:
                    array[i, j, k] = array[j, i, k] = value
        screens = np.ones(shape, dtype=bool)
        for name in self.never_screen:
            screens[:, :, _place(atomic_number(name), species, name)] = False
        self._check(c_min, c_max)
        return TripletEnvelope(
            species,
            c_min,
            c_max,
            screens,
            self.switch,
            self.combine,
            self.inner,
            self.outer,
        )

    def _check(self, c_min: np.ndarray, c_max: np.ndarray) -> None:
        for low, high in zip(c_min.ravel(), c_max.ravel(), strict=True):
            if not 0.0 <= low < high <= LARGEST_C:
                raise InputError(
                    f"envelope: found c_min {low:g} and c_max {high:g}, expected "
                    f"0 <= c_min < c_max <= {LARGEST_C:g} (typical: 0.3 and 1.2)"
                )
        ordered = self.inner == self.outer == 0.0 or 0.0 <= self.inner < self.outer < np.inf
        if not ordered:
            raise InputError(
                f"envelope: found inner {self.inner:g} A and outer {self.outer:g} A, "
                "expected 0 <= inner < outer, or both 0"
            )


def _place(z: int, species: tuple[int, ...], name: str) -> int:
    if z not in species:
        raise InputError(
            f"envelope: {name!r} names an element outside the model's species "
            f"{group_name(species)}"
        )
    return species.index(z)
