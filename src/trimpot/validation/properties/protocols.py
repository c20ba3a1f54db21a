"""The protocols by name, with the settings that a suite gives them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import pydantic

from trimpot.errors import InputError
from trimpot.validation.properties import (
    bond_scans,
    compression,
    dimers,
    elastic,
    equation_of_state,
    gamma_line,
    heating,
    hot_gas,
    interstitial,
    liquid,
    long_nvt,
    melting,
    migration,
    molecule,
    phonons,
    surface,
    thermal_expansion,
    vacancy,
)
from trimpot.validation.strict_yaml import keys_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from trimpot.validation.properties.case import Phase
    from trimpot.validation.properties.outcome import Outcome


@dataclass(frozen=True)
class Protocol:
    """How a property is measured.

    Attributes
    ----------
    name : str
        As suites call it.
    settings : type
        Frozen dataclass with defaults.
    measure : callable
        ``measure(subject, case, settings, report) -> Outcome``.
    version : int
        Raised whenever it computes something else; results of others are not used.
    check : callable or None
        ``check(phase, settings)`` raises ``InputError`` where they do not fit together.
    takes : tuple of str
        Of "crystal" and "molecule" those that it can measure.
    """

    name: str
    settings: type
    measure: Callable[..., Outcome]
    version: int
    check: Callable[..., None] | None = None
    takes: tuple[str, ...] = ("crystal",)

    def check_kind(self, phase: Phase, where: str) -> None:
        """Raise ``InputError`` for a molecule or a crystal that it cannot measure."""
        kind = "molecule" if phase.is_molecule else "crystal"
        if kind not in self.takes:
            raise InputError(
                f"{where}: the phase {phase.name} is a {kind}, but {self.name} takes a "
                f"{' or a '.join(self.takes)}; name another phase"
            )

    def settings_from(self, plain: object, where: str) -> object:
        """Return checked settings from plain values.

        Raises
        ------
        InputError
            If a key is unknown or a value is of the wrong kind.
        """
        known = [field.name for field in fields(self.settings)]
        values = keys_of(plain, where, others=known)
        try:
            return pydantic.TypeAdapter(self.settings).validate_python(dict(values))
        except pydantic.ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            raise InputError(
                f"{where}: {place}: found {first['input']!r}; {first['msg']}"
            ) from error


def _protocol(module: Any) -> Protocol:  # noqa: ANN401 - modules of one form
    name = module.__name__.rpartition(".")[2]
    check = getattr(module, "check", None)
    takes = getattr(module, "TAKES", ("crystal",))
    return Protocol(name, module.Settings, module.measure, module.VERSION, check, takes)


PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        _protocol(module)
        for module in (
            bond_scans,
            compression,
            dimers,
            elastic,
            equation_of_state,
            gamma_line,
            heating,
            hot_gas,
            interstitial,
            liquid,
            melting,
            long_nvt,
            migration,
            molecule,
            phonons,
            surface,
            thermal_expansion,
            vacancy,
        )
    )
}
