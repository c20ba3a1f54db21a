"""Candidates of ``choose``: one complete configuration per combination of its values."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import combinations, product
from math import prod

from trimpot.config.building import build
from trimpot.config.overrides import set_value
from trimpot.config.plain import one_line, to_plain
from trimpot.config.settings import Config, ModelSettings
from trimpot.errors import InputError

MOST_CANDIDATES = 32
"""The best of many is partly the luckiest: its held-out error flatters."""

FIXED = ("model", "model.kind", "model.species")
"""What decides which data can be fitted at all is nothing to choose."""


@dataclass(frozen=True)
class Candidate:
    """One combination of the values to choose from.

    Attributes
    ----------
    values : mapping
        Value of each dotted key of ``choose``.
    config : Config
        With these values set, and nothing left to choose.
    """

    values: Mapping[str, object]
    config: Config

    @property
    def label(self) -> str:
        """The values as ``--set`` takes them."""
        return as_settings(self.values)


def as_settings(values: Mapping[str, object]) -> str:
    """Return values as ``key=value``, ..."""
    return ", ".join(f"{key}={one_line(value)}" for key, value in values.items())


def candidates(config: Config) -> tuple[Candidate, ...]:
    """Return all combinations of the values in ``choose``; none where it is empty.

    Raises
    ------
    InputError
        For keys that cannot be chosen, empty lists, too many combinations, and values
        that no setting means.
    """
    if not config.choose:
        return ()
    _check_keys(config.choose)
    count = prod(len(values) for values in config.choose.values())
    if count > MOST_CANDIDATES:
        sizes = " x ".join(str(len(values)) for values in config.choose.values())
        raise InputError(
            f"choose: {sizes} = {count} combinations, expected at most {MOST_CANDIDATES}; "
            "leave out values, or choose one key after the other"
        )
    found = tuple(
        _candidate(config, dict(zip(config.choose, values, strict=True)))
        for values in product(*config.choose.values())
    )
    _check_different(found)
    return found


def _check_keys(choose: Mapping[str, tuple[object, ...]]) -> None:
    for key, values in choose.items():
        if not key.startswith("model.") or key in FIXED:
            raise InputError(
                f"choose: found the key {key}, expected one below model, such as "
                "model.terms.0.cutoff, but for kind and species; data are the same for all "
                "candidates, and kappa, ridge and curvature of fit are lists of candidates "
                "already"
            )
        if not values:
            raise InputError(f"choose.{key}: the list is empty, expected candidates")
    for first, second in combinations(sorted(choose), 2):
        if second.startswith(f"{first}."):
            raise InputError(
                f"choose: {second} is a part of {first}; list complete values of {first}"
            )


def _candidate(config: Config, values: Mapping[str, object]) -> Candidate:
    plain = {"model": to_plain(config.model)}
    for key, value in values.items():
        set_value(plain, key.split("."), copy.deepcopy(value), f"choose.{key}")
    try:
        model = build(ModelSettings, plain["model"], "model")
    except InputError as error:
        raise InputError(f"choose, candidate {as_settings(values)}: {error}") from error
    return Candidate(values, replace(config, model=model, choose={}))


def _check_different(found: tuple[Candidate, ...]) -> None:
    for first, second in combinations(found, 2):
        if first.config.model == second.config.model:
            raise InputError(
                f"choose: the candidates {first.label} and {second.label} are the same; "
                "leave one out"
            )
