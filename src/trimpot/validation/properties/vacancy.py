"""Formation energy of a vacancy, in a fixed cell, ions relaxed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from trimpot.validation.properties.case import silent
from trimpot.validation.properties.outcome import Outcome, Value, guarded
from trimpot.validation.properties.relaxing import (
    around_vacancy,
    energy_per_atom,
    lowest,
    relax_ions,
)

if TYPE_CHECKING:
    from trimpot.validation.properties.case import Case, Report
    from trimpot.validation.subjects import Subject

VERSION = 1

TOLD_EV = 0.005
"""Difference of the two relaxed starts that is told."""


@dataclass(frozen=True)
class Settings:
    """Size of the supercell and end of the relaxation.

    Attributes
    ----------
    repeat : tuple of int
        Conventional cells along each vector; (4, 4, 4) is 128 sites in bcc, as published
        for tungsten.
    inward : float
        Shift of the neighbours towards the vacancy in a second start, as a share of their
        distance. Around an ideal vacancy forces can vanish although a lower state is near
        (Stillinger-Weber silicon: 4.34 and 2.69 eV).
    fmax : float
        Forces left, eV/A.
    steps : int
        Most steps of a relaxation.
    """

    repeat: tuple[int, int, int] = (4, 4, 4)
    inward: float = 0.17
    fmax: float = 0.005
    steps: int = 300


@guarded
def measure(
    subject: Subject, case: Case, settings: Settings, report: Report = silent
) -> Outcome:
    """Return ``formation`` and ``unrelaxed`` (eV): E(N - 1) - (N - 1)/N E(N).

    The lower of two relaxed starts: the ideal vacancy, and its neighbours shifted inward.
    The cell is that of the perfect crystal at the lattice constant of the need ``lattice``.
    For crystals of one element; of others, the first atom is removed and the reference is
    that of the mean atom, which is no formation energy: a note says so.
    """
    calculator = subject.calculator()
    perfect = case.phase.conventional(case.a0) * settings.repeat
    each = energy_per_atom(perfect, calculator)
    report(0.1)
    starts = around_vacancy(perfect, 0, settings.inward)
    ends = [relax_ions(s, calculator, settings.fmax, settings.steps) for s in starts]
    relaxed = lowest(ends)
    expected = each * len(relaxed.atoms)
    values = {
        "formation": Value(relaxed.energy - expected, "eV"),
        "unrelaxed": Value(ends[0].start - expected, "eV"),
    }
    notes = [f"{len(perfect)} sites"]
    if relaxed.energy < ends[0].energy - TOLD_EV:
        notes.append("the lowest state is not the one next to the ideal vacancy")
    if len(set(perfect.numbers)) > 1:
        notes.append("several elements: the energy is relative to the mean atom")
    failure = relaxed.trouble
    if failure is None and relaxed.energy < expected:
        failure = "the crystal lowers its energy by losing an atom"
    return Outcome(values, {}, asdict(settings), tuple(notes), failure)
