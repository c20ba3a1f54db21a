"""Isolated-atom energies as a term: E_i = E0 of the species of atom i."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from trimpot import _native
from trimpot.splines.term import Regularization, State, Term

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trimpot.contract import FloatArray


@dataclass(frozen=True)
class OneBody(Term):
    """One energy per species; its coefficients are the E0s in eV, in species order."""

    species: tuple[int, ...]
    kind: ClassVar[str] = "one_body"

    @property
    def cutoff(self) -> float:
        """No reach."""
        return 0.0

    @property
    def n_coefficients(self) -> int:
        """One per species."""
        return len(self.species)

    def native(self, coefficients: FloatArray | None) -> _native.Term:
        """Return the kernel."""
        n = self.n_coefficients
        given = np.zeros(0) if coefficients is None else coefficients
        return _native.one_body(np.arange(n, dtype=np.int32), n, given)

    def regularization(self) -> Regularization:
        """Return ridge only: the fit adds small corrections to a composition baseline."""
        n = self.n_coefficients
        return Regularization(np.ones(n), Regularization.none(n).curvature)

    def state(self) -> State:
        """Return nothing: the species say all."""
        return {}

    @classmethod
    def from_state(cls, species: tuple[int, ...], state: Mapping[str, object]) -> OneBody:  # noqa: ARG003
        """Restore the term."""
        return cls(species)
