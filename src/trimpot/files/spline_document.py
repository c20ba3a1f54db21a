"""Spline potentials as documents: species, terms with their state, coefficients."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from trimpot.elements import SYMBOLS, atomic_number
from trimpot.errors import FileFormatError, InputError
from trimpot.files.encoding import flatten, unflatten
from trimpot.files.trust_checks import TRUST, check_trust
from trimpot.splines.potential import SplinePotential
from trimpot.splines.registry import restore_term
from trimpot.splines.state_checks import array, fields, items

if TYPE_CHECKING:
    from trimpot.contract import FloatArray
    from trimpot.files.encoding import Json, Tensors
    from trimpot.splines.term import Term

PARTS = ("species", "cutoff", "precision", "terms", "provenance", "statistics")

STATISTICS = {"coverage": 1, "pair_counts": 3, "pair_cutoff": 1, "smallest": 2}
"""What may stand in the statistics, with its number of dimensions."""


def spline_document(potential: SplinePotential) -> tuple[dict[str, Json], Tensors]:
    """Return the parts of the document that belong to a spline potential, and tensors."""
    tensors: Tensors = {}
    terms: list[Json] = [
        {
            "kind": term.kind,
            "state": flatten(term.state(), f"terms.{n}", tensors),
            "coefficients": flatten(values, f"terms.{n}.coefficients", tensors),
        }
        for n, (term, values) in enumerate(
            zip(potential.terms, potential.coefficients, strict=True)
        )
    ]
    document: dict[str, Json] = {
        "species": [SYMBOLS[z] for z in potential.species],
        "cutoff": potential.cutoff,
        "precision": "float64",
        "terms": terms,
        "provenance": flatten(dict(potential.provenance), "provenance", {}),
        "statistics": flatten(dict(potential.statistics), "statistics", tensors),
    }
    return document, tensors


def spline_potential(document: dict[str, object], tensors: Tensors) -> SplinePotential:
    """Return the potential of a document after checking every part of it.

    Raises
    ------
    FileFormatError
        Names the part that is wrong.
    """
    used: set[str] = set()
    parts = fields(document, PARTS, "the description")
    species = species_of(parts["species"])
    if parts["precision"] != "float64":
        raise FileFormatError(f"precision {parts['precision']!s:.20}, expected float64")
    restored = [
        _term(entry, species, f"terms.{n}", tensors, used)
        for n, entry in enumerate(items(parts["terms"], "terms"))
    ]
    statistics = _statistics(parts["statistics"], len(species), tensors, used)
    left_over = sorted(set(tensors) - used)
    if left_over:
        raise FileFormatError(f"tensors that belong to nothing: {left_over!s:.200}")
    if not isinstance(parts["provenance"], dict):
        raise FileFormatError("provenance: expected a mapping")
    terms, coefficients = zip(*restored, strict=True) if restored else ((), ())
    check_trust(statistics, len(species), terms)
    try:
        potential = SplinePotential(
            species, terms, coefficients, parts["provenance"], statistics
        )
    except InputError as error:
        raise FileFormatError(str(error)) from error
    if parts["cutoff"] != potential.cutoff:
        raise FileFormatError(
            f"cutoff {parts['cutoff']!s:.40} A, but its terms reach {potential.cutoff} A"
        )
    return potential


def species_of(value: object) -> tuple[int, ...]:
    """Return atomic numbers of symbols, which must ascend."""
    symbols = items(value, "species")
    if not symbols or not all(isinstance(s, str) for s in symbols):
        raise FileFormatError(f"species: found {symbols!s:.100}, expected element symbols")
    try:
        species = tuple(atomic_number(cast("str", s)[:20]) for s in symbols)
    except InputError as error:
        raise FileFormatError(f"species: {error}") from error
    if 0 in species or sorted(set(species)) != list(species):
        raise FileFormatError(f"species: {symbols!s:.100} are not ascending elements")
    return species


def _term(
    entry: object,
    species: tuple[int, ...],
    where: str,
    tensors: Tensors,
    used: set[str],
) -> tuple[Term, np.ndarray]:
    parts = fields(entry, ("kind", "state", "coefficients"), where)
    term = restore_term(
        f"{parts['kind']!s:.40}", species, unflatten(parts["state"], tensors, used)
    )
    coefficients = unflatten(parts["coefficients"], tensors, used)
    return term, array(coefficients, np.float64, f"{where}.coefficients")


def _statistics(
    value: object, n_species: int, tensors: Tensors, used: set[str]
) -> dict[str, FloatArray]:
    """Return the statistics; infinity stands for pairs that do not occur."""
    found = unflatten(value, tensors, used)
    if not isinstance(found, dict) or not set(found) <= {*STATISTICS, *TRUST}:
        raise FileFormatError(f"statistics: expected some of {', '.join(STATISTICS)}")
    for name, values in found.items():
        if name in TRUST:
            continue
        is_float = isinstance(values, np.ndarray) and values.dtype == np.float64
        if not is_float or values.ndim != STATISTICS[name] or np.isnan(values).any():
            raise FileFormatError(
                f"statistics.{name}: expected {STATISTICS[name]}-dimensional float64 "
                "without NaN"
            )
        per_pair = values.ndim > 1
        if per_pair and values.shape[:2] != (n_species, n_species):
            raise FileFormatError(f"statistics.{name}: shape {values.shape}")
    return found
