"""What our own potentials say of themselves, for the checks of ``validate``."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from trimpot.files import load, save
from trimpot.networks.potential import NetworkPotential
from trimpot.splines.core import ZblTerm
from trimpot.splines.density import DensityTerm
from trimpot.splines.pair import PairTerm
from trimpot.splines.potential import SplinePotential
from trimpot.splines.screened import ScreenedTerm
from trimpot.splines.triplet import TripletTerm
from trimpot.validation.checks import Known

if TYPE_CHECKING:
    from trimpot.contract import Potential
    from trimpot.splines.term import Term


def known_of(potential: Potential) -> Known:
    """Return radii, shortest distances, isolated energies, arithmetic of a potential.

    Of potentials that are not ours nothing is known.
    """
    if isinstance(potential, SplinePotential):
        return Known(
            radii=_radii(potential),
            shortest=_shortest(potential),
            isolated=_one_body(potential),
            reloaded=lambda: _reloaded(potential),
        )
    if isinstance(potential, NetworkPotential):
        prior = potential.prior
        single = potential.precision == "float32"
        own = [potential.settings.cutoff, potential.reach]
        return Known(
            radii=(*own, *(_radii(prior) if prior else ())),
            shortest={} if prior is None else _shortest(prior),
            isolated=dict(zip(potential.species, potential.e0s.tolist(), strict=True)),
            single=single,
            sharp=replace(potential, precision="float64") if single else None,
            reloaded=lambda: _reloaded(potential),
        )
    return Known()


def _radii(potential: SplinePotential) -> tuple[float, ...]:
    found = {round(r, 9) for term in potential.terms for r in _radii_of(term) if r > 0.0}
    return tuple(sorted(found))


def _radii_of(term: Term) -> list[float]:
    """Return every distance at which a term or its envelope switches something off."""
    radii = [term.cutoff]
    if isinstance(term, PairTerm):
        radii += [float(curve.knots[-1]) for curve in term.curves]
    elif isinstance(term, ZblTerm):
        radii += [*term.inner.ravel().tolist(), *term.outer.ravel().tolist()]
    elif isinstance(term, TripletTerm):
        for grid in term.grids:
            for knots in (grid.knots_ij, grid.knots_ik, grid.knots_jk):
                radii += [float(knots[0]), float(knots[-1])]
    elif isinstance(term, DensityTerm):
        radii += term.radial.high.ravel().tolist()
        radii += term.angular.high.ravel().tolist() if term.angular.n else []
    elif isinstance(term, ScreenedTerm):
        radii += [*_radii_of(term.inner), term.envelope.inner, term.envelope.outer]
    return radii


def _shortest(potential: SplinePotential) -> dict[tuple[int, int], float]:
    smallest = potential.statistics.get("smallest")
    if smallest is None:
        return {}
    return {
        (a, b): float(smallest[i, j])
        for i, a in enumerate(potential.species)
        for j, b in enumerate(potential.species)
        if i <= j and np.isfinite(smallest[i, j])
    }


def _one_body(potential: SplinePotential) -> dict[int, float]:
    """Return the coefficients of the one-body terms: the E0s."""
    pairs = zip(potential.terms, potential.coefficients, strict=True)
    e0s = [c for term, c in pairs if term.kind == "one_body"]
    total = sum(e0s) if e0s else np.zeros(len(potential.species))
    return dict(zip(potential.species, np.asarray(total).tolist(), strict=True))


def _reloaded(potential: SplinePotential | NetworkPotential) -> Potential:
    with tempfile.TemporaryDirectory(prefix="trimpot-") as folder:
        path = Path(folder) / "model.trimpot"
        save(potential, path)
        return load(path)
