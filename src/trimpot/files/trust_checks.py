"""Refuse what a file says about trust where it could not be used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trimpot.errors import FileFormatError
from trimpot.splines.one_body import OneBody
from trimpot.splines.state_checks import array
from trimpot.splines.trust import QUANTITIES, order_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trimpot.splines.term import Term

TRUST = ("trust_extent", "trust_limits", "trust_posterior", "trust_variances")
"""Entries of the statistics; all or none."""


def check_trust(
    statistics: Mapping[str, np.ndarray], n_species: int, terms: Sequence[Term]
) -> None:
    """Check the entries beside the terms that they belong to.

    Raises
    ------
    FileFormatError
        Names the entry that is wrong.
    """
    found = [name for name in TRUST if name in statistics]
    if not found:
        return
    missing = [name for name in (*TRUST, "smallest") if name not in statistics]
    if missing:
        raise FileFormatError(f"statistics: {missing[0]} is missing beside {found[0]}")
    free = [t for t in terms if t.n_coefficients]
    with_e0s = sum(t.n_coefficients for t in free)
    known = {with_e0s, sum(t.n_coefficients for t in free if not isinstance(t, OneBody))}
    for name in ("trust_extent", "trust_posterior"):
        values = array(statistics[name], np.float32, f"statistics.{name}")
        if values.ndim != 1 or order_of(len(values)) not in known:
            raise FileFormatError(
                f"statistics.{name}: shape {values.shape}, expected a triangle over the "
                f"{min(known)} fitted coefficients"
            )
    if len(statistics["trust_extent"]) != len(statistics["trust_posterior"]):
        raise FileFormatError("statistics: trust_extent and trust_posterior differ in size")
    limits = array(statistics["trust_limits"], np.float64, "statistics.trust_limits")
    if limits.shape != (n_species,) or not (limits > 0.0).all():
        raise FileFormatError("statistics.trust_limits: expected a length > 0 per species")
    name = "statistics.trust_variances"
    variances = array(statistics["trust_variances"], np.float64, name)
    if variances.shape != (len(QUANTITIES), 2) or (variances < 0.0).any():
        raise FileFormatError(f"{name}: expected two numbers >= 0 per quantity")
