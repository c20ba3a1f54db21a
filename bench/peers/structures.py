"""Structures that the peers are timed on, and readers of labelled frames.

    python bench/peers/structures.py --data ../shared/data --output DIR

writes ``water192.extxyz`` (the first frame of the water set), ``cu64.extxyz`` and
``cu512.extxyz`` (fcc, a = 3.615 A, Gaussian displacements of 0.08 A). Needs ASE alone.
"""

from __future__ import annotations

import argparse
import io
import lzma
from pathlib import Path

import ase.build
import ase.io
import numpy as np
from ase import Atoms

LATTICE = 3.615
NOISE = 0.08


def read(path: Path, index: str = ":") -> list[Atoms]:
    """Return the frames of an (xz-compressed) extxyz file."""
    raw = path.read_bytes()
    text = (lzma.decompress(raw) if path.suffix == ".xz" else raw).decode()
    return ase.io.read(io.StringIO(text), index=index, format="extxyz")


def labels(atoms: Atoms) -> tuple[float, np.ndarray]:
    """Return the energy (eV) and the forces (eV/A) of a frame, zeros where it has none."""
    results = atoms.calc.results if atoms.calc is not None else {}
    energy = results.get("energy", atoms.info.get("energy", 0.0))
    forces = results.get("forces", atoms.arrays.get("forces", np.zeros((len(atoms), 3))))
    return float(energy), np.asarray(forces, dtype=float)


def copper(repeats: int, seed: int = 0) -> Atoms:
    """Return ``repeats**3`` primitive cells of fcc copper, one atom each, with noise."""
    atoms = ase.build.bulk("Cu", "fcc", a=LATTICE) * (repeats, repeats, repeats)
    noise = np.random.default_rng(seed).normal(scale=NOISE, size=(len(atoms), 3))
    atoms.positions += noise
    return atoms


def main() -> None:
    """Write the structures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument(
        "--copper", type=int, nargs="*", default=[], help="more cells of N^3 atoms"
    )
    chosen = parser.parse_args()
    chosen.output.mkdir(parents=True, exist_ok=True)
    water = read(chosen.data / "water_deepmd" / "water.extxyz.xz", "0:1")[0]
    for name, atoms in (("water192", water), ("cu64", copper(4)), ("cu512", copper(8))):
        ase.io.write(chosen.output / f"{name}.extxyz", atoms, format="extxyz")
    for repeats in chosen.copper:
        path = chosen.output / f"cu{repeats**3}.extxyz"
        ase.io.write(path, copper(repeats), format="extxyz")


if __name__ == "__main__":
    main()
