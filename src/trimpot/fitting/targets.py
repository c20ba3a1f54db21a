"""Targets of the fit: labels minus everything that is fixed, with weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trimpot.errors import DataError
from trimpot.fitting.settings import QuantityWeights
from trimpot.splines.potential import SplinePotential

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trimpot.contract import FloatArray, IndexArray, IntArray, Structure
    from trimpot.data import Frame
    from trimpot.fitting.settings import FitSettings
    from trimpot.splines.term import Term

LEAST_SPREAD = 1e-6
"""Spread of the energies over their size below which it is only rounding."""

VOIGT = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))
"""Order of the six stress rows."""


@dataclass(frozen=True)
class Targets:
    """Values that the free terms must reproduce.

    Attributes
    ----------
    species : tuple of int
        Atomic numbers of the model.
    structures : tuple of Structure
        One per frame.
    values : dict of lists
        Per quantity and frame: energy per atom (1,), forces (3 n,), stress (6,), or None.
    weights : dict of (n_frames,) float64
        Linear weights per quantity.
    scales : dict
        Spread of each quantity.
    """

    species: tuple[int, ...]
    structures: tuple[Structure, ...]
    values: dict[str, list[FloatArray | None]]
    weights: dict[str, FloatArray]
    scales: dict[str, float]
    n_atoms: IntArray

    @property
    def quantities(self) -> tuple[str, ...]:
        """Quantities with at least one label of positive weight."""
        return tuple(self.scales)

    def rows(self, quantity: str) -> int:
        """Return the number of rows of a quantity."""
        return sum(len(v) for v in self.values[quantity] if v is not None)

    def of_batch(
        self, quantity: str, batch: IndexArray
    ) -> tuple[np.ndarray, FloatArray, FloatArray]:
        """Return (first row per frame or -1, weighted targets, weights) of some frames."""
        starts = np.full(len(batch), -1, dtype=np.int64)
        weights = self.weights[quantity][batch]
        parts: list[FloatArray] = []
        total = 0
        for position, frame in enumerate(batch):
            value = self.values[quantity][frame]
            if value is None or quantity not in self.scales:
                continue
            starts[position] = total
            parts.append(value * np.sqrt(weights[position]))
            total += len(value)
        return starts, np.concatenate(parts) if parts else np.zeros(0), weights

    def weight_of(self, quantity: str, batch: IndexArray) -> float:
        """Return the summed weight of all rows of some frames."""
        return float(
            sum(
                self.weights[quantity][f] * len(value)
                for f in batch
                if (value := self.values[quantity][f]) is not None
            )
        )


def make_targets(
    frames: Sequence[Frame],
    species: tuple[int, ...],
    fixed: Sequence[tuple[Term, FloatArray]],
    settings: FitSettings,
    *,
    threads: int = 0,
) -> Targets:
    """Return labels minus the fixed terms (E0s, core), with the settings' weights."""
    structures = tuple(f.structure for f in frames)
    baseline = SplinePotential(
        species, tuple(t for t, _ in fixed), tuple(c for _, c in fixed)
    )
    known = baseline.evaluate_many(structures, threads=threads)
    energy: list[FloatArray | None] = []
    forces: list[FloatArray | None] = []
    stress: list[FloatArray | None] = []
    for frame, base in zip(frames, known, strict=True):
        n = len(frame.structure)
        energy.append(
            None if frame.energy is None else np.array([(frame.energy - base.energy) / n])
        )
        forces.append(
            None if frame.forces is None else (frame.forces - base.forces).reshape(-1)
        )
        stress.append(
            None
            if frame.stress is None
            else _stress_residual(frame.stress + base.virial / frame.structure.volume)
        )
    values = {"energy": energy, "forces": forces, "stress": stress}
    weights = _weights(frames, settings)
    if settings.stress_weight == 0.0:
        values["stress"] = [None] * len(frames)
    n_atoms = np.array([len(s) for s in structures], dtype=np.int32)
    return Targets(
        species,
        structures,
        values,
        weights,
        _scales(frames, species, values, weights),
        n_atoms,
    )


def part_of(targets: Targets, frames: Sequence[Frame], members: IndexArray) -> Targets:
    """Return the targets of some of the frames, with the spreads among these.

    Parameters
    ----------
    targets
        Of all ``frames``.
    members : (m,) int
        Indices of the frames that count.
    """
    kept = [frames[i] for i in members]
    values = {q: [per_frame[i] for i in members] for q, per_frame in targets.values.items()}
    weights = {q: w[members] for q, w in targets.weights.items()}
    return Targets(
        targets.species,
        tuple(targets.structures[i] for i in members),
        values,
        weights,
        _scales(kept, targets.species, values, weights),
        targets.n_atoms[members],
    )


def _stress_residual(stress: FloatArray) -> FloatArray:
    return np.array([stress[a, b] for a, b in VOIGT])


def _weights(frames: Sequence[Frame], settings: FitSettings) -> dict[str, FloatArray]:
    known = {f.config_type for f in frames}
    unknown = sorted(set(settings.weights) - known)
    if unknown:
        raise DataError(
            f"weights are given for config_type {', '.join(unknown)}, but the training "
            f"frames have only {', '.join(sorted(known))}"
        )
    default = QuantityWeights()
    groups = [settings.weights.get(f.config_type, default) for f in frames]
    each = np.array([_frame_weight(f, settings.weight_key) for f in frames])
    return {
        q: each * np.array([getattr(g, q) for g in groups], dtype=np.float64)
        for q in ("energy", "forces", "stress")
    }


def _frame_weight(frame: Frame, key: str | None) -> float:
    if key is None:
        return 1.0
    value = frame.info.get(key)
    if not isinstance(value, (int, float)) or not value >= 0.0:
        raise DataError(
            f"{frame.source}: info field {key!r} must hold a weight >= 0, found {value!r}; "
            "set it in every frame or drop weight_key"
        )
    return float(value)


def _scales(
    frames: Sequence[Frame],
    species: tuple[int, ...],
    values: dict[str, list[FloatArray | None]],
    weights: dict[str, FloatArray],
) -> dict[str, float]:
    scales = {}
    for quantity, per_frame in values.items():
        used = [
            (i, v)
            for i, v in enumerate(per_frame)
            if v is not None and weights[quantity][i] > 0.0
        ]
        if not used:
            continue
        data = np.concatenate([v for _, v in used])
        scale = float(np.sqrt(np.mean(data**2)))
        if quantity == "energy":
            rest = data - _composition_part(frames, species, used)
            spread = float(np.sqrt(np.mean(rest**2)))
            # A few frames may all be explained by their composition: no spread to go by.
            scale = spread if spread > LEAST_SPREAD * scale else scale
        scales[quantity] = max(scale, 1e-10)
    return scales


def _composition_part(
    frames: Sequence[Frame], species: tuple[int, ...], used: list[tuple[int, FloatArray]]
) -> FloatArray:
    """Return the least-squares energy per atom that composition alone explains."""
    fractions = np.array(
        [[np.mean(frames[i].structure.numbers == z) for z in species] for i, _ in used]
    )
    energies = np.array([v[0] for _, v in used])
    solution = np.linalg.lstsq(fractions, energies, rcond=None)[0]
    return np.asarray(fractions @ solution)
