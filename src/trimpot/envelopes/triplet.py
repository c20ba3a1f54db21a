"""The triplet envelope (screening): weights of pairs by what stands between their ends.

    C_ikj = h^2 / (t (1 - t)),  t = r_ij.r_ik / r_ij^2,  h r_ij: distance of k from line ij

is the same for all k on an ellipsoid through i and j (for C = 1 a sphere). k screens the
pair where 0 < t < 1 and C < C_max; where C <= C_min it screens it entirely.

References
----------
Baskes, Mater. Chem. Phys. 50, 152 (1997), doi:10.1016/S0254-0584(97)80252-0;
Annevelink, Shankar, arXiv:2602.02228 (2026).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, cast, get_args

import numpy as np

from trimpot.envelopes.switches import Switch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trimpot import _native
    from trimpot.contract import BoolArray, FloatArray

Combine = Literal["product", "softmin"]
"""How several screening atoms act together."""

COMBINE: tuple[str, ...] = get_args(Combine)

LONGEST_ELLIPSOID = 2.0
"""Up to this C_max whatever screens a pair is closer to both ends than they are."""


@dataclass(frozen=True)
class TripletEnvelope:
    """Weights S_ij in [0, 1] of pairs, from third atoms k.

    With x_k = (C_ikj - C_min) / (C_max - C_min), clipped to [0, 1], and the switch s:
    ``product``: S = prod_k s(x_k). ``softmin``: S = s(1 - y) with
    y^4 = sum_k (1 - x_k)^4, clipped to 1: shortfalls of several atoms add up, so a pair
    that several atoms screen in part is gone earlier.

    Attributes
    ----------
    species : tuple of int
        Atomic numbers, ascending.
    c_min, c_max : (s, s, s) float64
        By species [i, j, k] of the ends i, j (symmetric) and of k.
    screens : (s, s, s) bool
        Whether k screens the pair at all.
    switch : str
        See ``switches.switch``.
    combine : str
        ``product`` or ``softmin``.
    inner, outer : float
        Pairs closer than ``inner`` (angstrom) are never screened, pairs beyond ``outer``
        fully: c_max times a bump that falls from 1 to 0 between them is added to C.
        0 and 0: no such radius.
    """

    species: tuple[int, ...]
    c_min: FloatArray
    c_max: FloatArray
    screens: BoolArray
    switch: Switch = "smooth"
    combine: Combine = "product"
    inner: float = 0.0
    outer: float = 0.0

    @property
    def stretch(self) -> float:
        """How far from an end of a pair a screening atom can be, in lengths of the pair.

        The ellipsoid C = C_max reaches 1, and C_max / (2 sqrt(C_max - 1)) for C_max > 2.
        """
        largest = max([LONGEST_ELLIPSOID, *self.c_max[self.screens]])
        return float(largest / (2.0 * np.sqrt(largest - 1.0)))

    @cached_property
    def native(self) -> _native.Screening:
        """The kernel."""
        from trimpot import _native
        from trimpot.envelopes.switches import SWITCHES

        return _native.Screening(
            len(self.species),
            np.where(self.screens, self.c_min, NEVER_MIN).ravel(),
            np.where(self.screens, self.c_max, NEVER_MAX).ravel(),
            SWITCHES.index(self.switch),
            self.combine == "softmin",
            self.inner,
            self.outer,
        )

    def __getstate__(self) -> dict[str, object]:
        """Return all but the kernel, which a copy or a stored model makes anew."""
        return {name: value for name, value in vars(self).items() if name != "native"}

    def state(self) -> dict[str, object]:
        """Return the description that ``from_state`` restores."""
        return {
            "c_min": self.c_min,
            "c_max": self.c_max,
            "screens": self.screens.astype(np.int32),
            "switch": self.switch,
            "combine": self.combine,
            "inner": self.inner,
            "outer": self.outer,
        }

    @classmethod
    def from_state(
        cls, species: tuple[int, ...], state: Mapping[str, object]
    ) -> TripletEnvelope:
        """Restore an envelope from its state."""
        return cls(
            species,
            cast("FloatArray", state["c_min"]),
            cast("FloatArray", state["c_max"]),
            cast("BoolArray", state["screens"]) != 0,
            cast("Switch", state["switch"]),
            cast("Combine", state["combine"]),
            float(cast("float", state["inner"])),
            float(cast("float", state["outer"])),
        )


NEVER_MIN, NEVER_MAX = -2.0, -1.0
"""C lies above both, always: how kernels are told that k does not screen."""
