"""Isolated atoms, energy scales and units of total energies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trimpot.data.baselines import isolated_atom_energies, isolated_frames
from trimpot.data.checks.findings import LEAVE_OUT, Finding, option
from trimpot.data.rules import ENERGY_FACTORS
from trimpot.elements import SYMBOLS
from trimpot.errors import DataError
from trimpot.units import HARTREE_EV

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trimpot.contract import FloatArray
    from trimpot.data.frames import Frame

_BOUND = (-15.0, 3.0)  # eV/atom that atoms can gain; tungsten and carbon have -7 to -9
_SCALE = 0.02  # of an all-electron energy
_SMALL = 20.0  # eV/atom: beyond it, energies of several electrons or another unit
_ISOLATED_FORCE = 0.01  # eV/A

# Exact nonrelativistic energies of atoms in hartree, H to Ar.
# Chakravorty et al., Phys. Rev. A 47, 3649 (1993), doi:10.1103/PhysRevA.47.3649, table XI.
_ATOMS = (
    0.5, 2.9037, 7.4781, 14.6674, 24.6539, 37.8450, 54.5892, 75.0673, 99.7339, 128.9376,
    162.2546, 200.0530, 242.3460, 289.3590, 341.2590, 398.1100, 460.1480, 527.5400,
)  # fmt: skip


def scale_findings(frames: Sequence[Frame], *, use_atoms: bool = True) -> list[Finding]:
    """Return findings about isolated atoms and the scale of the energies.

    ``use_atoms`` says whether frames of isolated atoms will give the E0s.
    """
    if not any(f.energy is not None for f in frames):
        return []
    if not use_atoms:
        return _all_electron(frames)
    try:
        isolated = isolated_frames(frames)
        energies = isolated_atom_energies(frames)
    except DataError as error:
        cure = "correct the frames, or give the energies: " + option("E0s={W: -2.3}")
        return [
            Finding("isolated-atom", "error", "isolated atoms contradict each other or "
                    "have no energy", str(error), cure)
        ]  # fmt: skip
    findings = _forces_on(frames, isolated) + _all_electron(frames)
    return findings + _binding(frames, energies, set(isolated))


def _forces_on(frames: Sequence[Frame], isolated: tuple[int, ...]) -> list[Finding]:
    pulled = tuple(
        frames[i].source
        for i in isolated
        if frames[i].forces is not None
        and float(np.abs(frames[i].forces).max()) > _ISOLATED_FORCE  # type: ignore[arg-type]
    )
    if not pulled:
        return []
    return [
        Finding(
            "isolated-force",
            "warning",
            "isolated atoms feel a force",
            f"{len(pulled)} frames beyond {_ISOLATED_FORCE} eV/A, expected 0",
            "check that these frames hold one atom far from its images; or give the "
            "energies: " + option("E0s={W: -2.3}"),
            pulled,
        )
    ]


def _all_electron(frames: Sequence[Frame]) -> list[Finding]:
    """Return a unit where energies are those of all electrons, but not in eV."""
    ratios, sources = [], []
    for f in frames:
        z = f.structure.numbers
        if f.energy is not None and len(f) > 1 and 2 < z.max() <= len(_ATOMS):
            ratios.append(f.energy / -sum(_ATOMS[k - 1] for k in z.tolist()))
            sources.append(f.source)
    if len(ratios) < 3:
        return []
    middle = float(np.median(ratios))
    if (mixed := _two_scales(np.array(ratios), sources)) is not None:
        return [mixed]
    for unit, factor in ENERGY_FACTORS.items():
        expected = HARTREE_EV / factor
        if unit not in ("eV", "meV") and abs(middle / expected - 1.0) < _SCALE:
            return [
                Finding(
                    "energy-unit",
                    "error",
                    f"energies are those of all electrons in {unit}",
                    f"half of the frames have {middle:.4g} times the energy of their free "
                    f"atoms in hartree; in eV it would be {HARTREE_EV:.4g}",
                    option(f"rules.energy_unit={unit}")
                    + f" and, if the forces are in it too, {option(_force_unit(unit))}",
                )
            ]
    return []


def _two_scales(ratios: FloatArray, sources: list[str]) -> Finding | None:
    """Return a finding where some energies are those of all electrons, others not."""
    full = np.abs(ratios / HARTREE_EV - 1.0) < _SCALE
    little = np.abs(ratios / HARTREE_EV) < 5.0 * _SCALE
    share = full.mean(), little.mean()
    if min(share) < 0.01 or sum(share) < 0.9:
        return None
    odd = tuple(np.array(sources)[little if share[1] < share[0] else full].tolist())
    return Finding(
        "energy-offset",
        "error",
        "total energies of all electrons are mixed with atomisation energies",
        f"{int(full.sum())} frames have total energies, {int(little.sum())} have less than "
        "a tenth of the energy of their free atoms",
        "fit them apart, for example `--set 'data.where={config_type: [NAMES]}'`, or add "
        "the energies of the atoms to the latter; " + LEAVE_OUT,
        odd,
        leave_out=True,
    )


def _force_unit(unit: str) -> str:
    return "rules.force_unit=" + {"Ha": "Ha/bohr", "Ry": "Ry/bohr"}.get(unit, f"{unit}/A")


def _binding(
    frames: Sequence[Frame], energies: dict[int, float], isolated: set[int]
) -> list[Finding]:
    """Return whether isolated atoms and frames are on different energy scales."""
    gains, raw = [], []
    for i, f in enumerate(frames):
        kinds = f.structure.numbers.tolist()
        if i not in isolated and f.energy is not None and set(kinds) <= energies.keys():
            gains.append((f.energy - sum(energies[z] for z in kinds)) / len(f))
            raw.append(f.energy / len(f))
    if len(gains) < 3 or _BOUND[0] < float(np.median(gains)) < _BOUND[1]:
        return []
    low = abs(float(np.median(raw))) < _SMALL
    choice = "zero" if low and max(map(abs, energies.values())) > 3.0 else "least_squares"
    atoms = ", ".join(f"{SYMBOLS[z]} {e:.4g} eV" for z, e in energies.items())
    own, free = np.array(raw), np.array(raw) - np.array(gains)
    cure = f"do not use these atoms: {option(f'E0s={choice}')}"
    if _BOUND[0] < float(np.median(own - HARTREE_EV * free)) < _BOUND[1]:
        cure = "the isolated atoms seem to be in Ha: convert them to eV; or " + cure
    kind = "frames seem to have atomisation energies (E0s already subtracted)"
    return [
        Finding(
            "e0-mismatch",
            "error",
            "energies of isolated atoms and of frames are on different scales",
            f"isolated: {atoms}; beyond these, half of the frames have "
            f"{float(np.median(gains)):.4g} eV/atom, expected {_BOUND[0]:g} to "
            f"{_BOUND[1]:g}" + (f"; {kind}" if choice == "zero" else ""),
            cure,
        )
    ]
