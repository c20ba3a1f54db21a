"""Network potentials as documents: settings, weights, isolated atoms, prior."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import TYPE_CHECKING, cast

import numpy as np

from trimpot.data.charges import LARGEST_CHARGE
from trimpot.elements import SYMBOLS
from trimpot.envelopes import EnvelopeSettings
from trimpot.envelopes.settings import Limits
from trimpot.errors import FileFormatError, InputError
from trimpot.files.encoding import flatten, unflatten
from trimpot.files.network_kernel import KERNEL, check_kernel
from trimpot.files.spline_document import species_of, spline_document, spline_potential
from trimpot.networks.charges import ChargeStates
from trimpot.networks.mlanet.settings import (
    MLANetSettings,
    defaults_of_later,
    described,
)
from trimpot.networks.mlanet.shapes import check_state
from trimpot.networks.potential import NetworkPotential
from trimpot.splines.state_checks import LONGEST_CUTOFF, array
from trimpot.splines.state_checks import fields as exactly

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trimpot.files.encoding import Json, Tensors
    from trimpot.networks.charges import Kind
    from trimpot.networks.potential import NetworkPrecision
    from trimpot.splines.potential import SplinePotential

PARTS = (
    "species",
    "cutoff",
    "precision",
    "settings",
    "e0s",
    "mean_weight",
    "scale",
    "weights",
    "prior",
    "provenance",
)
CHARGES = "charges"
"""Of networks that tell total charges apart; not there in others."""


def network_document(potential: NetworkPotential) -> tuple[dict[str, Json], Tensors]:
    """Return the parts of the document that belong to a network potential, and tensors."""
    tensors: Tensors = {}
    prior: dict[str, Json] | None = None
    if potential.prior is not None:
        prior, tensors = spline_document(potential.prior)
    document: dict[str, Json] = {
        "species": [SYMBOLS[z] for z in potential.species],
        "cutoff": potential.cutoff,
        "precision": potential.precision,
        "settings": flatten(described(potential.settings), "settings", {}),
        "e0s": flatten(potential.e0s, "e0s", tensors),
        "mean_weight": float(potential.mean_weight),
        "scale": float(potential.scale),
        "weights": flatten(dict(potential.state), "weights", tensors),
        "prior": prior,
        "provenance": flatten(dict(potential.provenance), "provenance", {}),
    }
    if potential.charges is not None:
        document[CHARGES] = _charges_document(potential.charges)
    return document, tensors


def network_potential(document: dict[str, object], tensors: Tensors) -> NetworkPotential:
    """Return the potential of a document after checking every part of it.

    Raises
    ------
    FileFormatError
        Names the part that is wrong.
    """
    used: set[str] = set()
    optional = tuple(name for name in (CHARGES, KERNEL) if name in document)
    parts = exactly(document, (*PARTS, *optional), "the description")
    species = species_of(parts["species"])
    if not isinstance(parts["provenance"], dict):
        raise FileFormatError("provenance: expected a mapping")
    e0s = array(unflatten(parts["e0s"], tensors, used), np.float64, "e0s")
    state = _weights(unflatten(parts["weights"], tensors, used))
    kernel = unflatten(parts[KERNEL], tensors, used) if KERNEL in parts else None
    rest = {name: values for name, values in tensors.items() if name not in used}
    try:
        potential = NetworkPotential(
            species,
            _settings(parts["settings"], species),
            state,
            e0s,
            mean_weight=_number(parts["mean_weight"], "mean_weight"),
            scale=_number(parts["scale"], "scale"),
            prior=_prior(parts["prior"], rest),
            charges=_charges(parts[CHARGES]) if CHARGES in parts else None,
            precision=cast("NetworkPrecision", f"{parts['precision']!s:.20}"),
            provenance=parts["provenance"],
        )
    except InputError as error:
        raise FileFormatError(str(error)) from error
    if parts["cutoff"] != potential.cutoff:
        raise FileFormatError(
            f"cutoff {parts['cutoff']!s:.40} A, but its parts reach {potential.cutoff} A"
        )
    _check_weights(potential)
    if KERNEL in parts:
        check_kernel(kernel, potential)
    return potential


def _weights(value: object) -> dict[str, np.ndarray]:
    if not isinstance(value, dict):
        raise FileFormatError(f"weights: found {type(value).__name__}, expected a mapping")
    return {
        name: array(values, np.float32, f"weights.{name:.80}")
        for name, values in value.items()
    }


def _check_weights(potential: NetworkPotential) -> None:
    """Compare names and shapes with those of the network of these settings."""
    try:
        n_kinds = None if potential.charges is None else len(potential.charges.kinds)
        check_state(potential.settings, potential.species, potential.state, n_kinds)
    except InputError as error:
        raise FileFormatError(str(error)) from error


def _charges_document(charges: ChargeStates) -> dict[str, Json]:
    kinds: list[Json] = [[SYMBOLS[z], charge] for z, charge in charges.kinds]
    energies: list[Json] = [float(charges.energies[q]) for q in charges.charges]
    return {"kinds": kinds, "energies": energies}


def _charges(value: object) -> ChargeStates:
    """Return the charges of a network: kinds, and an energy per charge, ascending."""
    parts = exactly(value, ("kinds", "energies"), CHARGES)
    kinds, energies = parts["kinds"], parts["energies"]
    if not isinstance(kinds, list) or not isinstance(energies, list):
        raise FileFormatError(f"{CHARGES}: expected lists of kinds and energies")
    read = tuple(_kind(kind) for kind in kinds)
    charges = sorted({charge for _, charge in read})
    if len(charges) != len(energies):
        raise FileFormatError(
            f"{CHARGES}: found {len(energies)} energies for {len(charges)} charges"
        )
    numbers = [_number(energy, f"{CHARGES}.energies") for energy in energies]
    return ChargeStates(read, dict(zip(charges, numbers, strict=True)))


def _kind(value: object) -> Kind:
    """Return a pair of an element and a total charge."""
    if isinstance(value, list) and len(value) == 2:
        symbol, charge = value
        whole = type(charge) is int and abs(charge) <= LARGEST_CHARGE
        if isinstance(symbol, str) and symbol in SYMBOLS[1:] and whole:
            return SYMBOLS.index(symbol), charge
    raise FileFormatError(
        f"{CHARGES}.kinds: found {value!s:.40}, expected an element and a total charge"
    )


def _prior(value: object, tensors: Tensors) -> SplinePotential | None:
    if value is not None:
        if not isinstance(value, dict):
            raise FileFormatError(
                f"prior: found {type(value).__name__}, expected a mapping"
            )
        try:
            return spline_potential(value, tensors)
        except FileFormatError as error:
            raise FileFormatError(f"prior: {error}") from error
    if tensors:
        raise FileFormatError(f"tensors that belong to nothing: {sorted(tensors)!s:.200}")
    return None


def _settings(value: object, species: tuple[int, ...]) -> MLANetSettings:
    """Return settings with every field there, of the right type and within its range."""
    if isinstance(value, dict):
        value = {**defaults_of_later(), **value}
    given = _named(value, MLANetSettings, "settings")
    if given["envelope"] is not None:
        envelope = _named(given["envelope"], EnvelopeSettings, "settings.envelope")
        trios = envelope["trios"]
        if not isinstance(trios, dict):
            raise FileFormatError("settings.envelope.trios: expected a mapping")
        for name, limits in trios.items():
            _named(limits, Limits, f"settings.envelope.trios.{name:.20}")
    from pydantic import TypeAdapter, ValidationError

    try:
        # strict, but for lists that stand for tuples in JSON
        found = TypeAdapter(MLANetSettings).validate_json(json.dumps(given), strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, ("settings", *first["loc"])))
        raise FileFormatError(f"{where:.100}: {first['msg']:.200}") from error
    if found.cutoff > LONGEST_CUTOFF:
        raise FileFormatError(f"settings.cutoff: {found.cutoff} A is no short range")
    if found.envelope is not None:
        found.envelope.build(species)  # refuses limits and elements that do not fit
    return found


def _named(value: object, settings: type, where: str) -> Mapping[str, object]:
    names = tuple(f.name for f in fields(settings))
    return exactly(value, names, where)


def _number(value: object, where: str) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise FileFormatError(f"{where}: found {value!s:.40}, expected a number")
    return float(value)
