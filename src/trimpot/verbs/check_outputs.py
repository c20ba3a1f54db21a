"""Files of ``check-data``: findings as JSON and Markdown, figures, frames without fault."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import numpy as np

from trimpot.data.charges import with_charge
from trimpot.errors import DataError
from trimpot.files import make_folder, write_text
from trimpot.reports.check_data import check_sections
from trimpot.reports.check_figure import DataPoints, plot_data
from trimpot.reports.document import markdown
from trimpot.verbs.judging import write_figures
from trimpot.verbs.plain import finite_plain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import ase

    from trimpot.contract import FloatArray
    from trimpot.data import Frame
    from trimpot.data.checks import Contact
    from trimpot.verbs.checking import CheckResult


def write_results(result: CheckResult, near: Sequence[Contact]) -> None:
    """Write findings.json, findings.md and figures/data.png into the output folder."""
    folder = result.output
    if folder is None:
        return
    make_folder(folder)
    plain = finite_plain(result.to_dict())
    write_text(folder / "findings.json", json.dumps(plain, indent=1, allow_nan=False))
    sections = check_sections(result.findings, result.groups, result.report)
    write_text(folder / "findings.md", markdown("Check of the data", sections))
    if result.frames:
        points = data_points(result.frames, near)
        write_figures({"data": plot_data(points)}, folder)


def data_points(frames: Sequence[Frame], near: Sequence[Contact]) -> DataPoints:
    """Return what the figure shows of each frame."""
    return DataPoints(
        groups=tuple(f.config_type for f in frames),
        volume=np.array([
            f.structure.volume / len(f) if f.structure.pbc.all() else np.nan for f in frames
        ]),
        energy=np.array([
            np.nan if f.energy is None else f.energy / len(f) for f in frames
        ]),
        pressure=np.array([
            np.nan if f.stress is None else -float(f.stress.trace()) / 3.0 for f in frames
        ]),
        distance=np.array([c.distance for c in near]),
        forces=_norms(frames),
    )  # fmt: skip


def _norms(frames: Sequence[Frame]) -> FloatArray:
    norms = [np.sqrt((f.forces**2).sum(axis=1)) for f in frames if f.forces is not None]
    return np.concatenate([*norms, np.zeros(0)])


def write_clean(result: CheckResult, path: Path) -> Path:
    """Write the frames that no finding would leave out, in eV, A, tension positive.

    Raises
    ------
    DataError
        If no frame is left.
    """
    from ase.io import write

    bad = {s for f in result.findings if f.leave_out for s in f.frames}
    kept = [f for f in result.frames if f.source not in bad]
    if not kept:
        raise DataError(
            f"no frame is left without a fault of its own, so {path} was not written; "
            "cure the errors above first"
        )
    text = io.StringIO()
    write(text, [_atoms(f) for f in kept], format="extxyz")
    write_text(path, text.getvalue())
    return path


def _atoms(frame: Frame) -> ase.Atoms:
    from ase import Atoms
    from ase.calculators.singlepoint import SinglePointCalculator

    structure = frame.structure
    atoms = Atoms(
        structure.numbers, structure.positions, cell=structure.cell, pbc=structure.pbc
    )
    atoms.info = with_charge(frame.info, structure.charge)
    atoms.info["config_type"] = frame.config_type
    stress = None if frame.stress is None else frame.stress.ravel()[[0, 4, 8, 5, 2, 1]]
    results = {"energy": frame.energy, "forces": frame.forces, "stress": stress}
    known = {name: value for name, value in results.items() if value is not None}
    atoms.calc = SinglePointCalculator(atoms, **known)  # type: ignore[no-untyped-call]
    return atoms
