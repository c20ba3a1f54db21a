"""What happens where nothing sensible can be computed: a finite number or a clear error."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trimpot.contract import Structure
from trimpot.elements import SYMBOLS
from trimpot.engines.singlepoint import symbol
from trimpot.errors import InputError, TrimpotError
from trimpot.neighbors import neighborhood
from trimpot.validation.checks.verdict import Family, Measured, Spec
from trimpot.validation.transform import free_cluster

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from trimpot.contract import Potential
    from trimpot.validation.checks.judged import Judged
    from trimpot.validation.checks.verdict import Found

CLOSE = (1e-12, 1e-8, 1e-4, 1e-2, 0.05, 0.1, 0.2)
"""Distances in angstrom of atoms that overlap."""

GASES, GAS_ATOMS = 10, 8


def measure(judged: Judged) -> Mapping[str, Found]:
    """Put atoms onto each other, at random into small cells, and unknown ones beside."""
    potential = judged.potential
    pairs = judged.pairs
    same = ((_dimer(p, 0.0), f"{_name(p)} at 0 A") for p in pairs)
    near = ((_dimer(p, r), f"{_name(p)} at {r:g} A") for p in pairs for r in CLOSE)
    return {
        "coincident-atoms": _silent(potential, same),
        "overlapping-atoms": _silent(potential, near),
        "dense-gas": _silent(potential, _gases(judged)),
        "no-neighbours": _silent(potential, _lonely(potential)),
        "unknown-element": _unknown(potential),
    }


def _silent(potential: Potential, cases: Iterable[tuple[Structure, str]]) -> Measured:
    """Count answers that are not numbers, and errors that do not say what was met."""
    wrong, first = 0, ""
    for structure, name in cases:
        reason = _fault(potential, structure)
        if reason:
            wrong += 1
            first = first or f"{name}: {reason}"
    return Measured(float(wrong), first)


def _fault(potential: Potential, structure: Structure) -> str:
    try:
        around = neighborhood(structure, potential.cutoff)
        found = potential.evaluate(around, threads=1)
    except TrimpotError:
        return ""
    except Exception as error:  # noqa: BLE001 - any other error is what is looked for
        return f"{type(error).__name__}: {error}"
    arrays = [found.energies, found.forces]
    if found.conservative:
        arrays.append(found.virial)
    return "" if all(np.isfinite(a).all() for a in arrays) else "NaN or infinity"


def _dimer(pair: tuple[int, int], r: float) -> Structure:
    return free_cluster([*pair], np.array([[0.0, 0.0, 0.0], [r, 0.0, 0.0]]))


def _name(pair: tuple[int, int]) -> str:
    return f"{symbol(pair[0])}-{symbol(pair[1])}"


def _gases(judged: Judged) -> Iterable[tuple[Structure, str]]:
    """Yield atoms at random in cells of a third to the whole volume of a crystal."""
    rng = judged.rng
    numbers = np.resize(np.array(judged.potential.species, dtype=np.int32), GAS_ATOMS)
    for k in range(GASES):
        density = rng.uniform(1.0, 3.0) / judged.samples.nearest**3
        side = (GAS_ATOMS / density) ** (1.0 / 3.0)
        positions = side * rng.uniform(size=(GAS_ATOMS, 3))
        pbc = np.ones(3, dtype=np.bool_)
        yield Structure(numbers, positions, side * np.eye(3), pbc), f"gas {k}"


def _lonely(potential: Potential) -> Iterable[tuple[Structure, str]]:
    """Yield structures whose lists of neighbours are empty."""
    for z in potential.species:
        yield free_cluster([z], np.zeros((1, 3))), symbol(z)
        r = 3.0 * potential.cutoff
        yield _dimer((z, z), r), f"{symbol(z)}-{symbol(z)} at {r:g} A"
        alone = free_cluster([z], np.zeros((1, 3)))
        pbc = np.ones(3, dtype=np.bool_)
        yield Structure(alone.numbers, alone.positions, r * np.eye(3), pbc), symbol(z)


def _unknown(potential: Potential) -> Measured:
    """Give an element outside the potential, which must be refused by name."""
    unknown = next((z for z in range(1, len(SYMBOLS)) if z not in potential.species), None)
    if unknown is None:
        return Measured(0.0, "every element is known")
    known = potential.species[0]
    pair = free_cluster([known, unknown], np.array([[0.0, 0.0, 0.0], [2.0, 0.0, 0.0]]))
    around = neighborhood(pair, max(potential.cutoff, 2.5))
    try:
        potential.evaluate(around, threads=1)
    except InputError as error:
        named = symbol(unknown) in str(error) or str(unknown) in str(error)
        return Measured(0.0 if named else 1.0, str(error)[:80])
    except Exception as error:  # noqa: BLE001 - any other error is what is looked for
        return Measured(1.0, f"{symbol(unknown)}: {type(error).__name__}: {error}"[:120])
    return Measured(1.0, f"{symbol(unknown)} was taken without a word")


_SILENT = (
    "NaN or an unclear error comes out where atoms overlap: dynamics goes on with garbage, "
    "or stops without saying why."
)

SPECS = (
    Spec(
        "coincident-atoms",
        "dimers at distance 0 without a number or a clear error",
        "cases",
        0.0,
        _SILENT,
    ),
    Spec(
        "overlapping-atoms",
        "dimers from 1e-12 to 0.2 A without a number or a clear error",
        "cases",
        0.0,
        _SILENT,
    ),
    Spec(
        "dense-gas",
        "random atoms in small cells without a number or a clear error",
        "cases",
        0.0,
        _SILENT,
    ),
    Spec(
        "no-neighbours",
        "atoms without neighbours without a number or a clear error",
        "cases",
        0.0,
        "Atoms without neighbours cannot be computed: evaporating atoms stop a run.",
    ),
    Spec(
        "unknown-element",
        "an unknown element that is not refused by its name",
        "cases",
        0.0,
        "Elements that were never learned get an energy without a word.",
    ),
)

FAMILY = Family("guards", SPECS, measure)
