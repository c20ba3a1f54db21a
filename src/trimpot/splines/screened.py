"""Screened terms: a term whose neighbours carry the weights S_ij of a triplet envelope.

A pair counts S_ij V2(r_ij), a triplet S_ij S_ik V3(r_ij, r_ik, r_jk). The weights are fixed
functions of the geometry, so a screened term is as linear in its coefficients as the term
inside. Neighbours without weight are dropped before that term sees them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar, cast

from trimpot import _native
from trimpot.envelopes import TripletEnvelope
from trimpot.splines.density import DensityTerm
from trimpot.splines.pair import PairTerm
from trimpot.splines.term import Regularization, State, Term
from trimpot.splines.triplet import TripletTerm

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trimpot.contract import FloatArray

Inner = TypeVar("Inner", bound=Term)


@dataclass(frozen=True)
class ScreenedTerm(Term, Generic[Inner]):
    """A term among screened neighbours.

    Attributes
    ----------
    inner : Term
        What is weighted.
    envelope : TripletEnvelope
        Of the same species.
    """

    inner: Inner
    envelope: TripletEnvelope
    inner_class: ClassVar[type[Term]]

    @property
    def cutoff(self) -> float:
        """Largest distance at which an atom acts, as an end of a pair or as a screener."""
        return self.inner.cutoff * self.envelope.stretch

    @property
    def n_coefficients(self) -> int:
        """Those of the inner term."""
        return self.inner.n_coefficients

    @property
    def n_limits(self) -> int:
        """Those of the inner term."""
        return self.inner.n_limits

    def with_limits(self, limits: FloatArray) -> ScreenedTerm[Inner]:
        """Return the term with the inner term's arguments bounded."""
        return replace(self, inner=cast("Inner", self.inner.with_limits(limits)))

    def native(self, coefficients: FloatArray | None) -> _native.Term:
        """Return the kernel."""
        return _native.screened(self.envelope.native, self.inner.native(coefficients))

    def regularization(self) -> Regularization:
        """Return the penalties of the inner term."""
        return self.inner.regularization()

    def monotone_rows(self) -> FloatArray:
        """Return the constraints of the inner term."""
        return self.inner.monotone_rows()

    def state(self) -> State:
        """Return the states of the inner term and of the envelope."""
        return {"inner": self.inner.state(), "envelope": self.envelope.state()}

    @classmethod
    def from_state(
        cls, species: tuple[int, ...], state: Mapping[str, object]
    ) -> ScreenedTerm[Inner]:
        """Restore the term."""
        inner = cls.inner_class.from_state(
            species, cast("Mapping[str, object]", state["inner"])
        )
        envelope = TripletEnvelope.from_state(
            species, cast("Mapping[str, object]", state["envelope"])
        )
        return cls(cast("Inner", inner), envelope)


@dataclass(frozen=True)
class ScreenedPair(ScreenedTerm[PairTerm]):
    """E_i = sum_j S_ij V2(r_ij)."""

    kind: ClassVar[str] = "screened_pair"
    inner_class: ClassVar[type[Term]] = PairTerm


@dataclass(frozen=True)
class ScreenedTriplet(ScreenedTerm[TripletTerm]):
    """E_i = sum_{j<k} S_ij S_ik V3(r_ij, r_ik, r_jk)."""

    kind: ClassVar[str] = "screened_triplet"
    inner_class: ClassVar[type[Term]] = TripletTerm


@dataclass(frozen=True)
class ScreenedDensity(ScreenedTerm[DensityTerm]):
    """Polynomials of densities in which neighbours count S_ij."""

    kind: ClassVar[str] = "screened_density"
    inner_class: ClassVar[type[Term]] = DensityTerm
