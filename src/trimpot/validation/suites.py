"""Suites: which properties are measured, and what is known of them. Read from YAML."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import ase.io

from trimpot.elements import atomic_number
from trimpot.errors import InputError
from trimpot.validation.properties.case import Phase
from trimpot.validation.properties.protocols import PROTOCOLS, Protocol
from trimpot.validation.strict_yaml import (
    fraction_or_number,
    keys_of,
    named,
    number,
    number_or_none,
    read_yaml,
    text,
    texts,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

SUFFIXES = (".yaml", ".yml")

T = TypeVar("T")


@dataclass(frozen=True)
class Property:
    """One measurement of a suite.

    Attributes
    ----------
    name : str
        As the suite calls it.
    protocol : Protocol
        How it is measured.
    phase : Phase
        Of which crystal.
    settings : object
        Of the protocol.
    needs : mapping of str to str
        Names of properties whose outcomes it takes, by what they are to it.
    """

    name: str
    protocol: Protocol
    phase: Phase
    settings: object
    needs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Quantity:
    """A row of the table: a value of a property, and what is known of it.

    Attributes
    ----------
    name : str
        Of the row.
    property, value : str
        Which value of which property.
    unit : str
        Of value, reference and tolerance.
    reference : float or None
        What it should be.
    uncertainty : float or None
        Of the reference.
    tolerance : float or None
        Largest deviation that is accepted.
    source, theory : str
        Where the reference is from, and its level of theory.
    """

    name: str
    property: str
    value: str
    unit: str
    reference: float | None = None
    uncertainty: float | None = None
    tolerance: float | None = None
    source: str = ""
    theory: str = ""


@dataclass(frozen=True)
class Published:
    """A column that was not measured here.

    Attributes
    ----------
    name : str
        Of the model.
    source : str
        Where the numbers are from.
    values : mapping of str to float
        By name of the quantity.
    """

    name: str
    source: str
    values: Mapping[str, float]


@dataclass(frozen=True)
class Suite:
    """Properties in an order in which they can be measured, rows, published columns."""

    name: str
    elements: tuple[str, ...]
    properties: Mapping[str, Property]
    quantities: Mapping[str, Quantity]
    published: tuple[Published, ...] = ()
    description: str = ""

    def only(self, names: tuple[str, ...]) -> Suite:
        """Return the suite of some properties, what they need, and their rows.

        Raises
        ------
        InputError
            If a name is unknown.
        """
        for name in names:
            if name not in self.properties:
                raise InputError(
                    f"suite {self.name}: found no property {name!r}, expected some of "
                    f"{', '.join(self.properties)}"
                )
        wanted = set(names)
        for name in reversed(list(self.properties)):  # needs stand before
            if name in wanted:
                wanted |= set(self.properties[name].needs.values())
        properties = {k: p for k, p in self.properties.items() if k in wanted}
        rows = {k: q for k, q in self.quantities.items() if q.property in wanted}
        return Suite(
            self.name, self.elements, properties, rows, self.published, self.description
        )


def suite_names() -> tuple[str, ...]:
    """Return the names of the suites that come with Trimpot."""
    folder = resources.files(__package__) / "suites"
    return tuple(sorted(f.name[:-5] for f in folder.iterdir() if f.name.endswith(".yaml")))


def load_suite(which: str | Path) -> Suite:
    """Return a suite by name (``tungsten``) or of a file (``mine.yaml``).

    Raises
    ------
    InputError
        If there is none, or it is not as it should be; says where and what to do.
    """
    if str(which) in suite_names():
        with resources.as_file(resources.files(__package__) / "suites") as folder:
            return _suite(folder / f"{which}.yaml")
    if not str(which).endswith(SUFFIXES) or not Path(which).is_file():
        raise InputError(
            f"found no suite {str(which)!r}, expected one of {', '.join(suite_names())}, "
            "or a file NAME.yaml; copy one of those to write your own"
        )
    return _suite(Path(which))


def _suite(path: Path) -> Suite:
    where = str(path)
    values = keys_of(
        read_yaml(path),
        where,
        needed=("name", "elements", "phases", "properties"),
        others=("quantities", "published", "description"),
    )
    elements = texts(values["elements"], f"{where}: elements", "elements: [W]")
    for symbol in elements:
        atomic_number(symbol)
    phases = {
        name: _phase(plain, name, f"{where}: phases: {name}", path.parent)
        for name, plain in named(values["phases"], f"{where}: phases").items()
    }
    properties = {
        name: _property(plain, name, f"{where}: properties: {name}", phases)
        for name, plain in named(values["properties"], f"{where}: properties").items()
    }
    properties = _ordered(properties, where)
    plain_rows = named(values.get("quantities", {}), f"{where}: quantities")
    quantities = {
        name: _quantity(plain, name, f"{where}: quantities: {name}", properties)
        for name, plain in plain_rows.items()
    }
    plain_columns = named(values.get("published", {}), f"{where}: published")
    published = tuple(
        _published(plain, name, f"{where}: published: {name}", quantities)
        for name, plain in plain_columns.items()
    )
    name = text(values["name"], f"{where}: name")
    description = text(values.get("description", ""), f"{where}: description")
    return Suite(name, elements, properties, quantities, published, description)


def _phase(plain: object, name: str, where: str, folder: Path) -> Phase:
    keys = ("lattice", "elements", "a", "c_over_a", "structure")
    values = keys_of(plain, where, others=keys)
    if "structure" in values:
        keys_of(values, where, needed=("structure",))
        file = folder / text(values["structure"], f"{where}: structure")
        try:
            atoms = ase.io.read(file)
        except Exception as error:
            raise InputError(f"{where}: cannot read {file}: {error}") from error
        if isinstance(atoms, list) or atoms.pbc.any() != atoms.pbc.all():
            raise InputError(
                f"{where}: {file} holds neither a crystal nor a molecule; expected three "
                "periods or none"
            )
        symbols = tuple(dict.fromkeys(atoms.get_chemical_symbols()))  # type: ignore[no-untyped-call]
        a = float(atoms.cell.lengths()[0]) if atoms.pbc.all() else 1.0
        return Phase(name, "file", symbols, a, given=atoms)
    values = keys_of(values, where, needed=("lattice", "elements", "a"), others=keys)
    return Phase(
        name,
        text(values["lattice"], f"{where}: lattice"),
        texts(values["elements"], f"{where}: elements", "elements: [W]"),
        number(values["a"], f"{where}: a"),
        number_or_none(values.get("c_over_a"), f"{where}: c_over_a"),
    )


def _property(
    plain: object, name: str, where: str, phases: Mapping[str, Phase]
) -> Property:
    values = keys_of(
        plain, where, needed=("protocol", "phase"), others=("needs", "settings")
    )
    protocol = _known(values["protocol"], PROTOCOLS, f"{where}: protocol")
    phase = _known(values["phase"], phases, f"{where}: phase")
    needs = {
        role: text(needed, f"{where}: needs: {role}")
        for role, needed in named(values.get("needs", {}), f"{where}: needs").items()
    }
    settings = protocol.settings_from(values.get("settings", {}), f"{where}: settings")
    protocol.check_kind(phase, where)
    if protocol.check is not None:
        try:
            protocol.check(phase, settings)
        except InputError as error:
            raise InputError(f"{where}: {error}") from error
    return Property(name, protocol, phase, settings, needs)


def _ordered(properties: Mapping[str, Property], where: str) -> dict[str, Property]:
    """Return properties so that what one needs stands before it."""
    ordered: dict[str, Property] = {}
    for name, one in properties.items():
        for needed in one.needs.values():
            _known(needed, properties, f"{where}: properties: {name}: needs")
    while len(ordered) < len(properties):
        ready = {
            name: one
            for name, one in properties.items()
            if name not in ordered and set(one.needs.values()) <= set(ordered)
        }
        if not ready:
            rest = ", ".join(name for name in properties if name not in ordered)
            raise InputError(
                f"{where}: properties: {rest} need each other in a circle; remove a need"
            )
        ordered |= ready
    return ordered


def _quantity(
    plain: object, name: str, where: str, properties: Mapping[str, Property]
) -> Quantity:
    values = keys_of(
        plain,
        where,
        needed=("property", "value", "unit"),
        others=("reference", "uncertainty", "tolerance", "source", "theory"),
    )
    reference = number_or_none(values.get("reference"), f"{where}: reference")
    if reference is not None and "source" not in values:
        raise InputError(f"{where}: found a reference without a source; name it")
    measured = text(values["property"], f"{where}: property")
    _known(measured, properties, f"{where}: property")
    return Quantity(
        name,
        measured,
        text(values["value"], f"{where}: value"),
        text(values["unit"], f"{where}: unit"),
        reference,
        number_or_none(values.get("uncertainty"), f"{where}: uncertainty"),
        fraction_or_number(values.get("tolerance"), reference, f"{where}: tolerance"),
        text(values.get("source", ""), f"{where}: source"),
        text(values.get("theory", ""), f"{where}: theory"),
    )


def _published(
    plain: object, name: str, where: str, quantities: Mapping[str, Quantity]
) -> Published:
    values = keys_of(plain, where, needed=("source", "values"))
    numbers = keys_of(values["values"], f"{where}: values", others=tuple(quantities))
    return Published(
        name,
        text(values["source"], f"{where}: source"),
        {key: number(value, f"{where}: {key}") for key, value in numbers.items()},
    )


def _known(name: object, known: Mapping[str, T], where: str) -> T:
    if not isinstance(name, str) or name not in known:
        raise InputError(
            f"{where}: found {name!r}, expected one of {', '.join(known) or 'none'}"
        )
    return known[name]
