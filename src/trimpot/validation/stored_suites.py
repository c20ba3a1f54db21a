"""Results of a suite in one document, with the suite itself, and back."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any, cast

from trimpot.errors import InputError
from trimpot.validation.properties.case import Phase
from trimpot.validation.properties.outcome import Outcome
from trimpot.validation.properties.protocols import PROTOCOLS, Protocol
from trimpot.validation.suite_results import Measured, SuiteResult
from trimpot.validation.suites import Property, Published, Quantity, Suite

if TYPE_CHECKING:
    from collections.abc import Mapping


def result_to_dict(result: SuiteResult) -> dict[str, object]:
    """Return plain values: ``SuiteResult.to_dict``, and what the suite asked."""
    return {**result.to_dict(), "definition": _suite_to_dict(result.suite)}


def result_from_dict(plain: Mapping[str, object]) -> SuiteResult:
    """Return the result that ``result_to_dict`` turned into plain values.

    Structures of phases that came from files are not in it.

    Raises
    ------
    InputError
        If something is missing or of the wrong kind.
    """
    try:
        suite = _suite_from_dict(cast("Mapping[str, Any]", plain["definition"]))
        models = cast("Mapping[str, Any]", plain["models"])
        measured = {
            name: {
                key: Measured(Outcome.from_dict(one), float(one["seconds"]), cached=True)
                for key, one in model["properties"].items()
            }
            for name, model in models.items()
        }
        keys = {name: str(model["key"]) for name, model in models.items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"the results of a suite are malformed ({type(error).__name__}: {error}); "
            "measure them again"
        ) from error
    return SuiteResult(suite, measured, keys)


def _suite_to_dict(suite: Suite) -> dict[str, object]:
    return {
        **_fields(suite, without=("properties", "quantities", "published")),
        "properties": {name: _property(p) for name, p in suite.properties.items()},
        "quantities": {name: _fields(q) for name, q in suite.quantities.items()},
        "published": [_fields(column) for column in suite.published],
    }


def _property(one: Property) -> dict[str, object]:
    return {
        "protocol": one.protocol.name,
        "version": one.protocol.version,
        "phase": _fields(one.phase, without=("given",)),
        "settings": _settings(one.settings),
        "needs": dict(one.needs),
        "long": one.long,
    }


def _fields(
    one: Suite | Quantity | Published | Phase, without: tuple[str, ...] = ()
) -> dict[str, object]:
    """Return the fields of a dataclass; tuples become lists, as JSON has them."""
    found = {f.name: getattr(one, f.name) for f in dataclasses.fields(one)}
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in found.items()
        if name not in without
    }


def _suite_from_dict(plain: Mapping[str, Any]) -> Suite:
    properties = {
        name: Property(
            name,
            _protocol(str(one["protocol"]), int(one["version"])),
            Phase(**{**one["phase"], "elements": tuple(one["phase"]["elements"])}),
            _settings_of(_protocol(str(one["protocol"]), 0), one["settings"]),
            dict(one["needs"]),
            bool(one["long"]),
        )
        for name, one in plain["properties"].items()
    }
    return Suite(
        **{
            **plain,
            "elements": tuple(plain["elements"]),
            "properties": properties,
            "quantities": {n: Quantity(**q) for n, q in plain["quantities"].items()},
            "published": tuple(Published(**column) for column in plain["published"]),
        }
    )


def _settings(settings: object) -> object:
    if not dataclasses.is_dataclass(settings) or isinstance(settings, type):
        return settings
    return json.loads(json.dumps(dataclasses.asdict(settings)))


def _settings_of(protocol: Protocol, plain: object) -> object:
    """Return settings of a protocol; as they are stored, where it takes others by now."""
    try:
        return protocol.settings_from(plain, protocol.name)
    except (InputError, TypeError):
        return plain


def _protocol(name: str, version: int) -> Protocol:
    """Return a protocol by its name; of one that is no more, its name and version."""
    known = PROTOCOLS.get(name)
    if known is not None:
        return dataclasses.replace(known, version=version)

    def gone(*_: object) -> Outcome:
        raise InputError(f"this release has no protocol {name}; use the one that had it")

    return Protocol(name, type(None), gone, version)
