"""Migration barrier of a vacancy: the nearest atom hops into it (nudged elastic band)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
from ase.mep import NEB
from ase.optimize import FIRE
from threadpoolctl import threadpool_limits

from trimpot.validation.properties.case import silent
from trimpot.validation.properties.outcome import Curve, Outcome, Value, guarded
from trimpot.validation.properties.relaxing import around_vacancy, lowest, relax_ions

if TYPE_CHECKING:
    from ase import Atoms

    from trimpot.validation.properties.case import Case, Report
    from trimpot.validation.subjects import Subject

VERSION = 1


@dataclass(frozen=True)
class Settings:
    """Supercell, images and relaxation.

    Attributes
    ----------
    repeat : tuple of int
        Conventional cells along each vector.
    images : int
        Images between the ends; odd, so that one is half way.
    inward : float
        As of the protocol ``vacancy``, for the ends.
    fmax : float
        Forces left on the images, eV/A.
    steps : int
        Most steps of the band.
    """

    repeat: tuple[int, int, int] = (4, 4, 4)
    images: int = 5
    inward: float = 0.17
    fmax: float = 0.03
    steps: int = 400


@guarded
def measure(
    subject: Subject, case: Case, settings: Settings, report: Report = silent
) -> Outcome:
    """Return ``barrier`` (eV) of a hop to the nearest site, cell fixed.

    Climbing image, improved tangents, ends relaxed. Curve ``path``: energies over the share
    of the path.
    """
    calculator = subject.calculator()
    perfect = case.phase.conventional(case.a0) * settings.repeat
    ends = []
    for starts in _starts(perfect, settings.inward):
        fmax, steps = settings.fmax / 3.0, settings.steps
        relaxed = [relax_ions(start, calculator, fmax, steps) for start in starts]
        ends.append(lowest(relaxed))
    report(0.2)
    trouble = next((f"end: {e.trouble}" for e in ends if e.trouble), None)
    if trouble is not None:
        return Outcome(settings=asdict(settings), failure=trouble)
    between = [ends[0].atoms.copy() for _ in range(settings.images)]
    band = NEB(
        [ends[0].atoms, *between, ends[1].atoms],
        climb=True,
        allow_shared_calculator=True,
        method="improvedtangent",
    )
    band.interpolate(mic=True)
    for image in band.images:
        image.calc = calculator
    with threadpool_limits(1):
        moving = FIRE(band, logfile=None, maxstep=0.1)
        converged = moving.run(fmax=settings.fmax, steps=settings.steps)
    energies = [float(image.get_potential_energy()) for image in band.images]
    heights = np.array(energies) - energies[0]
    share = np.linspace(0.0, 1.0, len(heights))
    curve = Curve(share, heights, "share of the path", "energy (eV)")
    failure = None
    if not converged:
        failure = f"the band has not relaxed after {settings.steps} steps"
    elif heights.max() <= 1e-3:
        failure = "there is no barrier: the vacancy has no stable site"
    notes = (f"{len(perfect)} sites", f"{settings.images} images")
    values = {"barrier": Value(float(heights.max()), "eV")}
    return Outcome(values, {"path": curve}, asdict(settings), notes, failure)


def _starts(perfect: Atoms, inward: float) -> list[tuple[Atoms, Atoms]]:
    """Return starts for both ends: without atom 0, and with a neighbour moved there."""
    away = perfect.get_distances(0, np.arange(len(perfect)), mic=True)
    away[0] = np.inf
    hopping = int(np.argmin(away))
    swapped = perfect.copy()  # atom 0 is always the one that is taken out
    swapped.positions[0] = perfect.positions[hopping]
    swapped.positions[hopping] = perfect.positions[0]
    return [around_vacancy(atoms, 0, inward) for atoms in (perfect, swapped)]
