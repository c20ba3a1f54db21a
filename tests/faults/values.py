"""Faults of the numbers in a file that reads well."""

from __future__ import annotations

import numpy as np

from faults.clean import (
    ATOM,
    SETS,
    atom,
    changed,
    frame_text,
    metal,
    molecules,
    text,
    unlike,
)
from trimpot.data.rules import ENERGY_FACTORS, FORCE_FACTORS

SOME = (2, 6, 50, 55)


def flat_forces():
    return text(changed(metal(), forces=lambda s: s.forces[:, :2]))


def stress_and_virial():
    parts = []
    for s in metal():
        words = frame_text(s)
        if s.stress is not None:
            row = " ".join(f"{x:.10g}" for x in (s.volume * s.stress).ravel())
            words = words.replace(" stress=", f' virial="{row}" stress=')
        parts.append(words)
    return "".join(parts)


def force_sign(name="metal"):
    return text(changed(SETS[name](), forces=lambda s: -s.forces))


def forces_in(unit, name="metal"):
    return text(changed(SETS[name](), forces=lambda s: s.forces / FORCE_FACTORS[unit]))


def energies_in(unit, name="metal"):
    return text(changed(SETS[name](), energy=lambda s: s.energy / ENERGY_FACTORS[unit]))


def atomic_units():
    out = changed(metal(), energy=lambda s: s.energy / ENERGY_FACTORS["Ha"])
    return text(changed(out, forces=lambda s: s.forces / FORCE_FACTORS["Ha/bohr"]))


def two_mistakes():
    out = changed(metal(), energy=lambda s: s.energy / ENERGY_FACTORS["kcal/mol"])
    return text(changed(out, forces=lambda s: -s.forces))


def molecules_in_hartree():
    return energies_in("Ha", "molecules")


def molecules_in_atomic_units():
    out = changed(molecules(), energy=lambda s: s.energy / ENERGY_FACTORS["Ha"])
    return text(changed(out, forces=lambda s: s.forces / FORCE_FACTORS["Ha/bohr"]))


def per_atom(name="metal"):
    return text(changed(SETS[name](), energy=lambda s: s.energy / len(s)))


def huge_energy():
    return text(changed(metal(), energy=lambda s: 1e9 * s.energy))


def stress_in(factor, name="metal"):
    def stress(s):
        return None if s.stress is None else factor * s.stress

    return text(changed(SETS[name](), stress=stress))


def _times_volume(sign, key):
    def stress(s):
        return None if s.stress is None else sign * s.volume * s.stress

    return text(changed(metal(), stress=stress), stress=key)


def virial_as_stress():
    return _times_volume(-1.0, "stress")


def flipped_virial():
    return _times_volume(1.0, "virial")


def stress_as_virial():
    return text(metal(), stress="virial")


def lengths(factor):
    return text(
        changed(
            metal(),
            positions=lambda s: factor * s.positions,
            cell=lambda s: None if s.cell is None else factor * s.cell,
        )
    )


def fractional():
    def positions(s):
        if s.cell is None:
            return s.positions
        x = s.positions @ np.linalg.inv(s.cell)
        return x - np.floor(x)

    return text(changed(metal(), positions=positions))


def two_theories():
    extra = changed(metal()[:6], energy=lambda s: s.energy + 0.3 * len(s), group="other")
    return text(metal() + extra)


def shifted_group():
    hot = [i for i, s in enumerate(metal()) if s.group == "hot"]
    return text(changed(metal(), hot, energy=lambda s: s.energy + 1.3 * len(s)))


def atomisation_file():
    part = changed(unlike(), energy=lambda s: s.energy - ATOM * len(s))
    return {"total.extxyz": text(metal()), "atomisation.extxyz": text(part)}


def atomisation():
    """Energies without those of atoms, beside an isolated atom of all electrons."""
    out = changed(metal()[:-1], energy=lambda s: s.energy - ATOM * len(s))
    return text((*out, *changed((atom(),), energy=-439_000.0)))


def zero_atom():
    out = changed(metal()[:-1], energy=lambda s: s.energy - 60.0 * len(s))
    return text((*out, *changed((atom(),), energy=0.0)))


def two_atoms():
    return text((*metal(), *changed((atom(),), energy=ATOM + 0.4)))


def atom_without_energy():
    return text((*metal()[:-1], *changed((atom(),), energy=None)))


def not_isolated():
    return text(changed(metal(), (3,), group="IsolatedAtom"))


def zero_forces():
    return text(changed(metal(), SOME, forces=lambda s: 0.0 * s.forces))


def frozen():
    def forces(s):
        keep = np.arange(len(s)) >= 2
        return s.forces * keep[:, None]

    return text(changed(metal(), range(10), forces=forces))


def copied_forces():
    return text(changed(metal(), (6, 7), forces=metal()[5].forces))


def constant_energy():
    return text(changed(metal(), range(24), energy=metal()[0].energy))


def zero_energies():
    return text(changed(metal(), SOME, energy=0.0))


def zero_stresses():
    return text(changed(metal(), SOME, stress=np.zeros((3, 3))))


def some_net():
    return text(
        changed(metal(), SOME, forces=lambda s: s.forces + np.array([1.2, 0.0, -0.7]))
    )


def all_net():
    rng = np.random.default_rng(3)
    return text(changed(metal(), forces=lambda s: s.forces + 0.5 * rng.normal(size=3)))


def bad_energy():
    return text(changed(metal(), (52,), energy=lambda s: s.energy + 3.0))


def bad_forces():
    rng = np.random.default_rng(4)

    def forces(s):
        noise = 6.0 * rng.normal(size=s.forces.shape)
        return s.forces + noise - noise.mean(axis=0)

    return text(changed(metal(), (52,), forces=forces))


def one_flipped():
    return text(changed(metal(), (9,), forces=lambda s: -s.forces))


def rounded(digits):
    return text(changed(metal(), energy=lambda s: round(s.energy, digits)))


def coarse_forces():
    return text(changed(metal(), forces=lambda s: np.round(s.forces, 2)))


def huge_force():
    def forces(s):
        out = s.forces.copy()
        out[0], out[1] = [1e4, 0.0, 0.0], [-1e4, 0.0, 0.0]
        return out

    return text(changed(metal(), (52,), forces=forces))


def _moved_to(distance):
    def positions(s):
        out = s.positions.copy()
        out[1] = out[0] + [distance, 0.0, 0.0]
        return out

    return text(changed(metal(), (52,), positions=positions))


def overlap():
    return _moved_to(0.02)


def close():
    return _moved_to(0.7)


def open_boxes():
    return text(changed(metal(), pbc=False))


def lost_lattices():
    return text(changed(metal(), SOME, cell=None, stress=None, pbc=False))
