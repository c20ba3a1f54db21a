"""A second corpus: mistakes of the field in small parts of real data sets.

Written from the documentation alone, without sight of the checks or of the first corpus.
``first`` is what the check said then: named, vague, wrong (another cause) or missed.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from faults.clean import Sample, changed, frame_text, text
from trimpot import read
from trimpot.units import BOHR_A, GPA_PER_EV_PER_A3, HARTREE_EV, KCAL_MOL_EV, RYDBERG_EV

DATA = Path(__file__).parents[3] / "shared" / "data"
ATOMS = {1: -0.4998, 6: -37.78, 8: -75.0}  # Ha


def _any(_frame):
    return True


# name: file, frames, seed, which frames
SOURCES = {
    "Cu": ("mlearn/Cu_training_rebuilt", 60, 1, _any),
    "Cu MD": ("mlearn/Cu_training_rebuilt", 60, 1, lambda f: f.config_type == "AIMD"),
    "Cu elastic": (
        "mlearn/Cu_training_rebuilt",
        80,
        1,
        lambda f: f.config_type == "Elastic",
    ),
    "Si": ("mlearn/Si_training", 90, 2, _any),
    "Si elastic": ("mlearn/Si_training", 55, 2, lambda f: f.config_type == "Elastic"),
    "GeTe": ("gete_deepmd/GeTe_random1500", 60, 3, _any),
    "W": ("w14_tungsten/w14", 150, 5, lambda f: len(f) < 60),
    "ethanol": ("rmd17/ethanol_train01", 100, 6, _any),
    "aspirin": ("rmd17/aspirin_train01", 60, 6, _any),
    "water": ("water_deepmd/water", 30, 7, _any),
    "water RPBE": ("water_rpbe_n2p2/water", 60, 8, _any),
    "C": ("carbon_nep/wang2024C_test", 90, 9, _any),
    "C4": ("carbon_gap17_100/C", 100, 9, _any),
    "MoNbTaW": ("monbtaw/train", 120, 10, _any),
    "P": ("phosphorus_mbd/black_exfoliation", 100, 11, _any),
    "Ta": ("ta_fitsnap/ta_fitsnap", 150, 12, _any),
}


@cache
def part(name):
    """Return some frames of a real set, as samples."""
    file, number, seed, where = SOURCES[name]
    frames = [f for f in read(DATA / f"{file}.extxyz.xz") if where(f)]
    chosen = random.Random(seed).sample(range(len(frames)), min(number, len(frames)))
    return tuple(_sample(frames[i]) for i in sorted(chosen))


def _sample(frame):
    s = frame.structure
    periodic = bool(s.pbc.any())
    cell = s.cell if periodic else None
    labels = (frame.energy, frame.forces, frame.stress)
    return Sample(s.numbers, s.positions, cell, *labels, frame.config_type, periodic)


def _every(**changes):
    return lambda samples: changed(samples, **changes)


def _at(*indices, **changes):
    return lambda samples: changed(samples, indices, **changes)


def _energy(factor):
    return _every(energy=lambda s: s.energy * factor)


def _forces(factor):
    return _every(forces=lambda s: s.forces * factor)


def _stress(factor):
    return _every(stress=lambda s: None if s.stress is None else s.stress * factor)


def _six(places):
    def go(samples):
        rows = np.array([[0, 0], [1, 1], [2, 2], [1, 2], [0, 2], [0, 1]])
        return changed(samples, stress=lambda s: s.stress[*rows[list(places)].T])

    return go


def _second_group(**changes):
    def go(samples):
        group = Counter(s.group for s in samples).most_common(2)[1][0]
        return changed(samples, [i for i, s in enumerate(samples) if s.group == group],
                       **changes)  # fmt: skip

    return go


def _second_file(start, step=1, **changes):
    def go(samples):
        samples = changed(samples, group="all") if "group" in changes else samples
        rest = {k: v for k, v in changes.items() if k != "group"}
        odd = range(start, len(samples), step)
        samples = changed(samples, odd, **rest)
        first = [s for i, s in enumerate(samples) if i not in odd]
        return {"a.extxyz": text(first), "b.extxyz": text([samples[i] for i in odd])}

    return go


def _swapped(sample):
    return np.where(sample.numbers == 32, 52, 32)


def _permuted(sample):
    return sample.forces[np.random.default_rng(0).permutation(len(sample))]


def _repeated(samples):
    again = changed(samples[:60], energy=lambda s: s.energy + 0.05 * len(s),
                    forces=lambda s: 1.03 * s.forces)  # fmt: skip
    return (*samples, *again)


def _atom_twice(sample):
    return replace(
        sample,
        **{k: np.concatenate([getattr(sample, k), getattr(sample, k)[-1:]])
           for k in ("numbers", "positions", "forces")},
    )  # fmt: skip


def _with_atoms(samples):
    free = [
        Sample(np.array([z]), np.zeros((1, 3)), None, e, np.zeros((1, 3)), None,
               "IsolatedAtom", False)
        for z, e in ATOMS.items()
    ]  # fmt: skip
    return (*samples, *free)


def _lines(change, index=None):
    """Apply a change to the text of one frame, or of all."""

    def go(samples):
        texts = [frame_text(s) for s in samples]
        for i in range(len(texts)) if index is None else (index,):
            texts[i] = change(texts[i])
        return "".join(texts)

    return go


def _commas(frame):
    head, comment, rows = frame.split("\n", 2)
    return "\n".join((head, comment, rows.replace(".", ",")))


def _one_less(frame):
    count, rest = frame.split("\n", 1)
    return f"{int(count) - 1}\n{rest}"


def _same_cells(samples):
    first = {}
    return changed(samples, cell=lambda s: first.setdefault((s.group, len(s)), s.cell))


@dataclass(frozen=True)
class FieldFault:
    """A mistake in a part of a real set; ``code`` is None where it cannot be seen."""

    name: str
    source: str
    make: object
    first: str
    code: str | None
    remedy: str = ""

    def write(self, folder):
        """Write the files and return their paths."""
        made = self.make(part(self.source))
        made = text(made) if isinstance(made, tuple) else made
        files = made if isinstance(made, dict) else {"data.extxyz": made}
        for name, content in files.items():
            (folder / name).write_text(content)
        return [folder / name for name in files]


CLEAN = "--clean good.extxyz"
EV_A3 = GPA_PER_EV_PER_A3  # GPa
PER_ATOM = _every(energy=lambda s: s.energy / len(s))
FIELD = tuple(
    FieldFault(*entry)
    for entry in (
        ("energies per atom", "ethanol", PER_ATOM, "missed", "energy-per-atom", "per_atom"),
        ("energies per atom", "GeTe", PER_ATOM, "named", "energy-per-atom", "per_atom"),
        ("energies per formula unit", "GeTe", _energy(1 / 32), "wrong",
         "energy-force-unit", "per formula unit, multiply"),
        ("forces in Ha/bohr", "ethanol", _forces(BOHR_A / HARTREE_EV), "missed",
         "energy-force-unit", "force_unit=Ha/bohr"),
        ("forces in Ry/bohr", "C", _forces(BOHR_A / RYDBERG_EV), "missed",
         "energy-force-unit", "force_unit=Ry/bohr"),
        ("energies in kcal/mol", "water", _energy(1 / KCAL_MOL_EV), "missed",
         "energy-force-unit", "energy_unit=kcal/mol"),
        ("all in kcal/mol", "ethanol", _every(energy=lambda s: s.energy / KCAL_MOL_EV,
         forces=lambda s: s.forces / KCAL_MOL_EV), "named", "energy-unit", "kcal/mol"),
        ("all in Ha and Ha/bohr", "water RPBE", _every(
         energy=lambda s: s.energy / HARTREE_EV,
         forces=lambda s: s.forces * BOHR_A / HARTREE_EV), "named", "energy-unit", "Ha"),
        ("energies in meV", "P", _energy(1000.0), "missed", None),
        ("gradients", "aspirin", _forces(-1.0), "missed", "force-sign", "gradient"),
        ("one group in kcal/mol", "W", _second_group(
         energy=lambda s: s.energy / KCAL_MOL_EV), "wrong", "energy-offset", "convert"),
        ("one group without E0s", "W", _second_group(
         energy=lambda s: s.energy + 4.57 * len(s)), "missed", "energy-offset", "shift"),
        ("one file per atom", "MoNbTaW", _second_file(
         60, energy=lambda s: s.energy / len(s)), "missed", "energy-offset", "convert"),
        ("two levels of theory", "GeTe", _second_file(1, 2, group="all", energy=lambda s:
         s.energy + 0.045 * len(s), forces=lambda s: 0.97 * s.forces), "missed", None),
        ("elements exchanged in one file", "GeTe", _second_file(
         30, group="all", numbers=_swapped), "missed", None),
        ("same geometries, other labels", "MoNbTaW", _repeated, "named",
         "labels-conflict", CLEAN),
        ("stress as VASP has it", "Ta", _stress(-10 * EV_A3), "named", "stress-unit",
         "kbar --set data.rules.stress_sign=compression"),
        ("stress in bar", "Ta", _stress(1e4 * EV_A3), "vague", "stress-unit", "by 1000"),
        ("stress flipped", "MoNbTaW", _stress(-1.0), "named", "stress-sign", "compression"),
        ("virial as stress", "C4", _every(stress=lambda s: -s.stress * s.volume), "named",
         "stress-is-virial", "keys.virial=stress"),
        ("shears as xy xz yz", "Si elastic", _six((0, 1, 2, 5, 4, 3)), "missed", None),
        ("nine numbers in wrong order", "Cu elastic", _six((0, 1, 2, 5, 5, 3, 3, 4, 4)),
         "named", "label-shape", "order of its"),
        ("cell in bohr, positions in A", "Si", _every(cell=lambda s: s.cell / BOHR_A),
         "wrong", "forces-zero", "unit of the Lattice"),
        ("fractional positions", "Cu", _every(positions=lambda s: s.positions
         @ np.linalg.inv(s.cell)), "named", "positions-fractional", "multiply"),
        ("cell transposed", "C", _every(cell=lambda s: s.cell.T), "vague", None),
        ("cells of the first frame", "Ta", _same_cells, "wrong", None),
        ("no Lattice", "Si", _every(cell=None, stress=None, pbc=False), "wrong",
         "cell-missing", "add the Lattice"),
        ("half with pbc F F F", "Si", lambda s: changed(s, range(0, 90, 2), pbc=False),
         "named", "pbc-off", "T T T"),
        ("lengths in nm", "ethanol", _every(positions=lambda s: 0.1 * s.positions),
         "named", "length-unit", "length_unit=nm"),
        ("forces permuted in one frame", "Cu MD", _at(17, forces=_permuted), "named",
         "force-outlier", CLEAN),
        ("one energy off by 5 eV", "Cu MD", _at(25, energy=lambda s: s.energy + 5.0),
         "missed", "energy-outlier", CLEAN),
        ("an atom twice", "Cu", lambda s: (*s[:9], _atom_twice(s[9]), *s[10:]), "named",
         "overlap", CLEAN),
        ("energy NaN", "Si", _at(3, energy=float("nan")), "named", "not-finite", CLEAN),
        ("number of atoms off by one", "Si", _lines(_one_less, 30), "named",
         "frame-truncated", CLEAN),
        ("cut", "GeTe", lambda s: text(s)[:-3071], "named", "frame-truncated", CLEAN),
        ("decimal commas", "ethanol", _lines(_commas), "vague", "atom-line", "locale"),
        ("keys of one's own", "ethanol", lambda s: text(s, energy="DFT_toten",
         forces="dft_frc"), "named", "key-misspelt", "keys.energy=DFT_toten"),
        ("energy 0 in three frames", "C", _at(5, 40, 77, energy=0.0), "named",
         "energy-zero", CLEAN),
        ("forces 0 in ten frames", "C", lambda s: changed(s, range(20, 30),
         forces=lambda s: 0.0 * s.forces), "named", "forces-zero", CLEAN),
        ("isolated atoms in Ha", "ethanol", _with_atoms, "vague", "e0-mismatch", "in Ha"),
        ("energies with one digit", "Cu MD", _every(energy=lambda s: round(s.energy, 1)),
         "named", "energy-digits", "more digits"),
    )
)  # fmt: skip
