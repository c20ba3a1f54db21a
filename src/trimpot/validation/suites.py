"""Suites: which properties are measured, and what is known of them. Read from YAML."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import ase.io

from trimpot.elements import atomic_number
from trimpot.errors import InputError
from trimpot.validation.properties.case import Phase
from trimpot.validation.properties.protocols import PROTOCOLS, Protocol
from trimpot.validation.strict_yaml import (
    keys_of,
    named,
    number,
    number_or_none,
    one_of,
    read_yaml,
    text,
    texts,
    true_or_false,
)
from trimpot.validation.suite_rows import (
    Published,
    Quantity,
    published_of,
    quantity_of,
)
from trimpot.validation.suite_variants import chosen_variant, variant_names, with_variant

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = [
    "Property",
    "Published",
    "Quantity",
    "Suite",
    "load_suite",
    "suite_files",
    "suite_names",
    "suite_variants",
]

SUFFIXES = (".yaml", ".yml")

ROLES = ("lattice",)
"""What a property may take from another: its lattice constant."""


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
    long : bool
        Whether it takes so long that it is only measured where it is asked for.
    """

    name: str
    protocol: Protocol
    phase: Phase
    settings: object
    needs: Mapping[str, str] = field(default_factory=dict)
    long: bool = False


@dataclass(frozen=True)
class Suite:
    """Properties in an order in which they can be measured, rows, published columns."""

    name: str
    elements: tuple[str, ...]
    properties: Mapping[str, Property]
    quantities: Mapping[str, Quantity]
    published: tuple[Published, ...] = ()
    description: str = ""
    cost_unit: str = ""

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
        rows = {
            k: q
            for k, q in self.quantities.items()
            if {q.property, q.minus or q.property} <= wanted
        }
        return replace(self, properties=properties, quantities=rows)

    @property
    def long(self) -> tuple[str, ...]:
        """Names of properties that are only measured where they are asked for."""
        return tuple(name for name, one in self.properties.items() if one.long)

    def short(self) -> Suite:
        """Return the suite without its long properties.

        Raises
        ------
        InputError
            If it has no others.
        """
        names = tuple(name for name in self.properties if name not in self.long)
        if not names:
            raise InputError(
                f"suite {self.name}: found only long properties "
                f"({', '.join(self.long)}); ask for them"
            )
        return self.only(names) if self.long else self


def suite_names() -> tuple[str, ...]:
    """Return the names of the suites that come with Trimpot."""
    folder = resources.files(__package__) / "suites"
    return tuple(sorted(f.name[:-5] for f in folder.iterdir() if f.name.endswith(".yaml")))


def suite_files(name: str) -> dict[str, bytes]:
    """Return the files of a suite that comes with Trimpot: itself, and its structures.

    Raises
    ------
    InputError
        If there is no such suite.
    """
    with _found(name) as (path, _):
        phases = named(_plain(path)["phases"], str(path)).values()
        found = [p.get("structure") for p in phases if isinstance(p, dict)]
        names = [path.name, *(str(file) for file in found if file is not None)]
        return {file: (path.parent / file).read_bytes() for file in names}


def suite_variants(which: str | Path) -> tuple[str, ...]:
    """Return the names of the variants of a suite, none if it has none.

    Raises
    ------
    InputError
        If there is no such suite.
    """
    with _found(which) as (path, _):
        return variant_names(_plain(path), str(which))


def load_suite(which: str | Path, elements: Sequence[str] = ()) -> Suite:
    """Return a suite by name (``tungsten``) or of a file (``mine.yaml``).

    Parameters
    ----------
    which
        Name or file; a variant is named after a colon (``fcc-metal:Cu``).
    elements
        What a model knows: of a suite with variants the one that fits is taken.

    Raises
    ------
    InputError
        If there is none, or it is not as it should be; says where and what to do.
    """
    with _found(which) as (path, asked):
        plain = _plain(path)
        variant = chosen_variant(plain, asked, elements, f"suite {str(which)!r}")
        if variant is None:
            return _suite(plain, str(path), path.parent)
        where = f"{path}, variant {variant}"
        suite = _suite(with_variant(plain, variant, str(path)), where, path.parent)
        return replace(suite, name=f"{suite.name}:{variant}")


@contextmanager
def _found(which: str | Path) -> Iterator[tuple[Path, str]]:
    """Yield the file of a suite and the variant that is named, if one is."""
    for base, variant in ((str(which), ""), str(which).rpartition(":")[::2]):
        if base in suite_names():
            with resources.as_file(resources.files(__package__) / "suites") as folder:
                yield folder / f"{base}.yaml", variant
            return
        if base.endswith(SUFFIXES) and Path(base).is_file():
            yield Path(base), variant
            return
    inside = f"; {which} is a folder, name a file in it" if Path(which).is_dir() else ""
    raise InputError(
        f"found no suite {str(which)!r}{inside}, expected one of "
        f"{', '.join(suite_names())}, or a file NAME.yaml; trimpot suites NAME --copy "
        "DIR makes one to change"
    )


def _plain(path: Path) -> Mapping[str, object]:
    return keys_of(
        read_yaml(path),
        str(path),
        needed=("name", "phases", "properties"),
        others=(
            *("elements", "quantities", "published", "description", "cost_unit"),
            "variants",
        ),
    )


def _suite(values: Mapping[str, object], where: str, folder: Path) -> Suite:
    if "elements" not in values:
        raise InputError(f"{where}: found no elements; add elements: [W]")
    elements = texts(values["elements"], f"{where}: elements", "elements: [W]")
    for symbol in elements:
        atomic_number(symbol)
    phases = {
        name: _phase(plain, name, f"{where}: phases: {name}", elements, folder)
        for name, plain in named(values["phases"], f"{where}: phases").items()
    }
    properties = {
        name: _property(plain, name, f"{where}: properties: {name}", phases)
        for name, plain in named(values["properties"], f"{where}: properties").items()
    }
    properties = _ordered(properties, where)
    plain_rows = named(values.get("quantities", {}), f"{where}: quantities")
    quantities = {
        name: quantity_of(plain, name, f"{where}: quantities: {name}", properties)
        for name, plain in plain_rows.items()
    }
    plain_columns = named(values.get("published", {}), f"{where}: published")
    published = tuple(
        published_of(plain, name, f"{where}: published: {name}", quantities)
        for name, plain in plain_columns.items()
    )
    name, description, cost_unit = (
        text(values.get(key, ""), f"{where}: {key}")
        for key in ("name", "description", "cost_unit")
    )
    return Suite(name, elements, properties, quantities, published, description, cost_unit)


def _phase(
    plain: object, name: str, where: str, elements: tuple[str, ...], folder: Path
) -> Phase:
    keys = ("lattice", "elements", "a", "c_over_a", "structure")
    values = keys_of(plain, where, others=keys)
    if "structure" in values:
        keys_of(values, where, needed=("structure",))
        return _phase_of_file(
            text(values["structure"], f"{where}: structure"), name, folder
        )
    values = keys_of(values, where, needed=("lattice", "a"), others=keys)
    own = values.get("elements", list(elements))
    return Phase(
        name,
        text(values["lattice"], f"{where}: lattice"),
        texts(own, f"{where}: elements", "elements: [W]"),
        number(values["a"], f"{where}: a"),
        number_or_none(values.get("c_over_a"), f"{where}: c_over_a"),
    )


def _phase_of_file(file: str, name: str, folder: Path) -> Phase:
    """Return a phase of a structure file, beside the suite; molecules have no periods."""
    try:
        atoms = ase.io.read(folder / file)
    except Exception as error:
        raise InputError(f"phase {name}: cannot read {folder / file}: {error}") from error
    if isinstance(atoms, list) or len(atoms) == 0 or atoms.pbc.any() != atoms.pbc.all():
        raise InputError(
            f"phase {name}: {folder / file} holds neither a crystal nor a molecule; "
            "expected atoms with three periods or none"
        )
    symbols = tuple(dict.fromkeys(atoms.get_chemical_symbols()))  # type: ignore[no-untyped-call]
    a = float(atoms.cell.lengths()[0]) if atoms.pbc.all() else 1.0
    return Phase(name, "file", symbols, a, given=atoms)


def _property(
    plain: object, name: str, where: str, phases: Mapping[str, Phase]
) -> Property:
    values = keys_of(
        plain, where, needed=("protocol", "phase"), others=("needs", "settings", "long")
    )
    protocol = one_of(values["protocol"], PROTOCOLS, f"{where}: protocol")
    phase = one_of(values["phase"], phases, f"{where}: phase")
    roles = keys_of(values.get("needs", {}), f"{where}: needs", others=ROLES)
    needs = {role: text(n, f"{where}: needs: {role}") for role, n in roles.items()}
    settings = protocol.settings_from(values.get("settings", {}), f"{where}: settings")
    protocol.check_kind(phase, where)
    if protocol.check is not None:
        try:
            protocol.check(phase, settings)
        except InputError as error:
            raise InputError(f"{where}: {error}") from error
    long = true_or_false(values.get("long", False), f"{where}: long")
    return Property(name, protocol, phase, settings, needs, long)


def _ordered(properties: Mapping[str, Property], where: str) -> dict[str, Property]:
    """Return properties so that what one needs stands before it."""
    ordered: dict[str, Property] = {}
    for name, one in properties.items():
        for needed in one.needs.values():
            one_of(needed, properties, f"{where}: properties: {name}: needs")
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
