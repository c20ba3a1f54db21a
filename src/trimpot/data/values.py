"""Turn the values behind label keys into energies, forces and stresses, checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trimpot.data.labels import Candidate, Plan, pick
from trimpot.data.rules import VOIGT_ORDERS
from trimpot.errors import DataError

if TYPE_CHECKING:
    from trimpot.contract import FloatArray, Structure
    from trimpot.data.frames import Scalar
    from trimpot.data.records import Place, RawFrame, Value
    from trimpot.data.rules import ReadRules

_VOIGT = np.array([[0, 5, 4], [5, 1, 3], [4, 3, 2]])  # xx yy zz yz xz xy
_MAX_ENERGY_PER_ATOM = 1e6  # eV; all-electron uranium has 7.6e5
_ASYMMETRY = 1e-2  # of the largest component; above, the tensor is misread


@dataclass(frozen=True)
class Labels:
    """Labels of one frame and the keys that gave them."""

    energy: float | None
    forces: FloatArray | None
    stress: FloatArray | None
    used: dict[str, Candidate]


def labels_of(raw: RawFrame, plan: Plan, structure: Structure, rules: ReadRules) -> Labels:
    """Return the labels of a frame in eV, eV/A and eV/A^3 (tension positive).

    Raises
    ------
    DataError
        For conflicting keys, wrong shapes, NaN, or values that cannot be in these units.
    """
    used: dict[str, Candidate] = {}
    energy, forces = None, None
    if (found := pick(raw, "energy", plan.candidates["energy"])) is not None:
        used["energy"] = found[0]
        energy = _energy(found[1], found[0], raw.place, len(structure), rules)
    if (found := pick(raw, "forces", plan.candidates["forces"])) is not None:
        used["forces"] = found[0]
        forces = _forces(found[1], found[0], raw.place, len(structure), rules)
    stress = _stress(raw, plan, structure, rules, used)
    return Labels(energy, forces, stress, used)


def config_type_of(raw: RawFrame, plan: Plan) -> str:
    """Return the group of a frame, ``default`` where the file names none."""
    if plan.config_key is None:
        return "default"
    return str(raw.fields[plan.config_key.key])


def info_of(raw: RawFrame, plan: Plan, used: dict[str, Candidate]) -> dict[str, Scalar]:
    """Return the scalar fields of a frame that are neither label nor group."""
    taken = {candidate.key for candidate in used.values()}
    if plan.config_key is not None:
        taken.add(plan.config_key.key)
    return {
        key: value
        for key, value in raw.fields.items()
        if key not in taken and not isinstance(value, np.ndarray)
    }


def _numeric(value: Value, key: Candidate, place: Place, shape: str) -> FloatArray:
    """Return a value as finite float64 array."""
    array = np.asarray(value)
    if array.dtype.kind not in "if":
        raise DataError(
            f"{place}: {key} = {value!s:.40}, expected {shape}; correct it, or name "
            "another key"
        )
    if not np.isfinite(array).all():
        at = np.argwhere(~np.isfinite(np.atleast_1d(array)))[0].tolist()
        raise DataError(
            f"{place}: {key} is NaN or infinite (at index {at}), expected finite numbers; "
            "delete the frame, or only this label: frames may lack labels"
        )
    return array.astype(np.float64, copy=False)


def _energy(
    value: Value, key: Candidate, place: Place, n_atoms: int, rules: ReadRules
) -> float:
    array = _numeric(value, key, place, "one number in eV")
    if array.size != 1:
        raise DataError(
            f"{place}: {key} has shape {array.shape}, expected one total energy in eV; "
            "name the key of the total energy (keys.energy)"
        )
    energy = rules.energy_factor(n_atoms) * float(array.reshape(()))
    if abs(energy) > _MAX_ENERGY_PER_ATOM * n_atoms:
        raise DataError(
            f"{place}: {key} = {energy:.6g} for {n_atoms} atoms, beyond any energy in eV "
            f"(at most {_MAX_ENERGY_PER_ATOM:.0e} eV per atom); convert the energies to eV"
        )
    return energy


def _forces(
    value: Value, key: Candidate, place: Place, n_atoms: int, rules: ReadRules
) -> FloatArray:
    array = _numeric(value, key, place, "three numbers per atom in eV/A")
    if array.shape != (n_atoms, 3):
        raise DataError(
            f"{place}: {key} has shape {array.shape}, expected ({n_atoms}, 3); name the "
            "key of the forces (keys.forces), in Properties for example forces:R:3"
        )
    if rules.force_factor != 1.0:
        array = rules.force_factor * array
    largest = float(max(array.max(), -array.min()))
    if largest > rules.max_force:
        atom = int(np.argmax(np.abs(array).max(axis=1)))
        raise DataError(
            f"{place}: {key} of atom {atom} reaches {largest:.4g} eV/A, expected at most "
            f"{rules.max_force:g}; delete the frame (atoms too close, or not converged), "
            "convert the unit, or raise max_force if this is meant"
        )
    return array


def _stress(
    raw: RawFrame,
    plan: Plan,
    structure: Structure,
    rules: ReadRules,
    used: dict[str, Candidate],
) -> FloatArray | None:
    """Return the stress from a stress key or from a virial, -virial/V."""
    tensors: list[tuple[Candidate, FloatArray]] = []
    for role in ("stress", "virial"):
        found = pick(raw, role, plan.candidates[role])
        if found is None:
            continue
        if raw.cell is None or not structure.volume > 0.0:
            raise DataError(
                f"{raw.place}: {found[0]} is given but the frame has no cell with a "
                "volume, expected a Lattice beside it; add the Lattice or delete the label"
            )
        factor = rules.stress_factor
        if role == "virial":
            factor = -rules.virial_factor / structure.volume
        if raw.code_output and found[0].origin == "results":
            factor = 1.0  # ASE knows unit and sign
        tensor = _tensor(found[1], found[0], raw.place, VOIGT_ORDERS[rules.voigt_order])
        tensors.append((found[0], factor * tensor))
        used[role] = found[0]
    if not tensors:
        return None
    if len(tensors) == 2 and not np.allclose(
        tensors[0][1], tensors[1][1], rtol=1e-3, atol=1e-5
    ):
        raise DataError(_disagreement(raw.place, tensors))
    used.pop("virial" if len(tensors) == 2 else "", None)
    return tensors[0][1]


def _disagreement(place: Place, tensors: list[tuple[Candidate, FloatArray]]) -> str:
    (stress_key, stress), (virial_key, virial) = tensors
    values = f"{stress[0, 0]:.5g} and {virial[0, 0]:.5g} eV/A^3 in xx"
    opposite = np.allclose(stress, -virial, rtol=1e-3, atol=1e-5)
    sign = "; they differ by the sign alone" if opposite else ""
    return (
        f"{place}: {stress_key} and -{virial_key}/V disagree ({values}){sign}; expected "
        "virial = -V stress with tension positive; name the one that counts: "
        f"keys.stress: {stress_key.key} or keys.virial: {virial_key.key}"
    )


def _tensor(
    value: Value, key: Candidate, place: Place, order: tuple[int, int, int]
) -> FloatArray:
    """Return a symmetric (3, 3) tensor from 9 components or 6 in a Voigt order."""
    array = _numeric(value, key, place, "6 or 9 numbers")
    if array.size == 6 and array.ndim == 1:
        return np.asarray(array[[0, 1, 2, *order]][_VOIGT], dtype=np.float64)
    if array.size != 9:
        raise DataError(
            f"{place}: {key} has shape {array.shape}, expected 9 components (3x3) or 6 in "
            "the order xx yy zz yz xz xy; write one of these"
        )
    full = array.reshape(3, 3)
    asymmetry = float(np.abs(full - full.T).max())
    if asymmetry > _ASYMMETRY * float(np.abs(full).max()):
        raise DataError(
            f"{place}: {key} is not symmetric (components differ by {asymmetry:.3g}), "
            "expected a symmetric tensor with rows xx xy xz, yx yy yz, zx zy zz; correct "
            "the order of its components"
        )
    return 0.5 * (full + full.T)
