"""Trains MLANet on molecules of rMD17, official split 1, and tests on its test frames.

    python bench/rmd17.py --output DIR [--molecules ethanol aspirin] [--seconds 2700]
        [--threads 2] [--device cpu|cuda] [--settings channels=64 ...]
    python bench/rmd17.py --pack FILE.npz    # frames as arrays, for machines without data
    python bench/rmd17.py --arrays FILE.npz --output DIR ...

The 1,000 frames of train01 are the training frames, 50 of them for validation; errors are
those on the 1,000 of test01, of energies of molecules (meV) and force components (meV/A). A
run that was stopped goes on when it is started again; DIR/MOLECULE/result.json ends it.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import yaml

from trimpot.contract import Structure
from trimpot.networks.mlanet import MLANetSettings
from trimpot.networks.potential import NetworkPotential
from trimpot.networks.training import TrainingData, TrainingSettings, train_network

DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data" / "rmd17"
MOLECULES = (
    *("ethanol", "aspirin", "benzene", "malonaldehyde"),
    *("naphthalene", "uracil", "azobenzene", "paracetamol"),
)
SETS = ("train", "test")
VALIDATION = 50
Arrays = dict[str, np.ndarray]


def frames(name: str, kind: str) -> Arrays:
    """Return numbers, positions, energies, forces of a molecule's set."""
    from trimpot.data import read

    found = read([str(DATA / f"{name}_{kind}01.extxyz.xz")]).frames
    return {
        "numbers": found[0].structure.numbers,
        "positions": np.array([f.structure.positions for f in found]),
        "energies": np.array([f.energy for f in found]),
        "forces": np.array([f.forces for f in found]),
    }


def pack(path: Path) -> None:
    """Write all sets to one file."""
    arrays = {
        f"{name}.{kind}.{part}": values
        for name in MOLECULES
        for kind in SETS
        for part, values in frames(name, kind).items()
    }
    np.savez_compressed(path, **arrays)


def unpacked(path: Path, name: str, kind: str) -> Arrays:
    """Return a set of a packed file."""
    with np.load(path) as held:
        parts = ("numbers", "positions", "energies", "forces")
        return {part: held[f"{name}.{kind}.{part}"] for part in parts}


def structures(arrays: Arrays) -> list[Structure]:
    """Return the molecules of a set."""
    numbers = arrays["numbers"].astype(np.int32)
    nowhere, none = np.zeros((3, 3)), np.zeros(3, dtype=bool)
    return [Structure(numbers, x, nowhere, none) for x in arrays["positions"]]


def data(arrays: Arrays, mean: float, which: np.ndarray) -> TrainingData:
    """Return frames to learn: energies less a constant."""
    all_of = structures(arrays)
    return TrainingData(
        tuple(all_of[i] for i in which),
        arrays["energies"][which] - mean,
        tuple(arrays["forces"][which]),
        (None,) * len(which),
        ("molecule",) * len(which),
    )


class Printed:
    """A watcher that prints, with the molecule's name."""

    def __init__(self, name: str) -> None:
        self.name = name

    def note(self, text: str) -> None:
        """Print."""
        print(f"{self.name}: {text}", flush=True)

    def progress(self, stage: str, done: int, total: int) -> None:
        """Ignore."""


def trained(
    name: str,
    sets: dict[str, Arrays],
    settings: MLANetSettings,
    training: TrainingSettings,
    folder: Path,
    threads: int,
) -> dict[str, object]:
    """Train on one molecule; return its record."""
    train, test = sets["train"], sets["test"]
    species = tuple(int(z) for z in np.unique(train["numbers"]))
    n = len(train["numbers"])
    order = np.random.default_rng(training.seed).permutation(len(train["energies"]))
    mean = float(train["energies"].mean())
    e0 = mean / n
    result = train_network(
        settings,
        species,
        data(train, mean, np.sort(order[VALIDATION:])),
        data(train, mean, np.sort(order[:VALIDATION])),
        training,
        folder,
        Printed(name),
        threads=threads,
    )
    potential = NetworkPotential(
        species=species,
        settings=settings,
        mean_weight=result.mean_weight,
        scale=result.scale,
        state={k: v for k, v in result.state.items() if k != "scale"},
        e0s=np.full(len(species), e0),
    )
    found = potential.evaluate_many(structures(test), threads=threads)
    d_energy = np.array([f.energy for f in found]) - test["energies"]
    d_forces = np.array([f.forces for f in found]) - test["forces"]
    return {
        "molecule": name,
        "atoms": n,
        "seconds": result.seconds,
        "steps": result.steps,
        "epochs": result.epochs,
        "energy_mae_mev": 1e3 * float(np.abs(d_energy).mean()),
        "force_mae": 1e3 * float(np.abs(d_forces).mean()),
        "force_rmse": 1e3 * float(np.sqrt((d_forces**2).mean())),
        "training": asdict(training) | {"group_weights": {}},
        "threads": threads,
    }


def main() -> None:
    """Train on the molecules one after the other."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path)
    parser.add_argument("--pack", type=Path)
    parser.add_argument("--arrays", type=Path)
    parser.add_argument("--molecules", nargs="+", default=MOLECULES[:2])
    parser.add_argument("--seconds", type=float, default=2700.0)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--settings", nargs="*", default=[], metavar="KEY=VALUE")
    parser.add_argument("--training", nargs="*", default=[], metavar="KEY=VALUE")
    chosen = parser.parse_args()
    if chosen.pack:
        pack(chosen.pack)
        return
    settings = replace(MLANetSettings(), **parsed(chosen.settings))
    training = TrainingSettings(
        **{"seconds": chosen.seconds, "device": chosen.device} | parsed(chosen.training)
    )
    for name in chosen.molecules:
        folder = chosen.output / name
        folder.mkdir(parents=True, exist_ok=True)
        source = chosen.arrays
        sets = {k: unpacked(source, name, k) if source else frames(name, k) for k in SETS}
        start = time.time()
        record = trained(name, sets, settings, training, folder, chosen.threads)
        (folder / "result.json").write_text(json.dumps(record, indent=1, default=str))
        print(
            f"{name}: {time.time() - start:.0f} s, E {record['energy_mae_mev']:.2f} meV, "
            f"F {record['force_mae']:.2f} meV/A",
            flush=True,
        )


def parsed(pairs: list[str]) -> dict[str, object]:
    """Return settings of KEY=VALUE, values in YAML."""
    named = dict(pair.split("=", 1) for pair in pairs)
    values = {key: yaml.safe_load(value) for key, value in named.items()}
    return {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}


if __name__ == "__main__":
    main()
