"""Ratios between labels that units and signs explain, and the settings that cure them."""

from __future__ import annotations

from dataclasses import dataclass
from math import log

from trimpot.data.checks.findings import option
from trimpot.data.rules import ENERGY_FACTORS, FORCE_FACTORS
from trimpot.units import BOHR_A, GPA_PER_EV_PER_A3, HARTREE_EV, KBAR_PER_EV_PER_A3

_PLAIN = ("eV", "eV/A")
_ENERGY_FORCE = (
    ("kcal/mol", "eV/A"), ("kJ/mol", "eV/A"), ("Ha", "eV/A"), ("Ry", "eV/A"),
    ("meV", "eV/A"), ("eV", "Ha/bohr"), ("eV", "Ry/bohr"), ("eV", "Ha/A"),
    ("eV", "kcal/mol/A"), ("eV", "kJ/mol/A"), ("eV", "kJ/mol/nm"), ("eV", "meV/A"),
    ("Ha", "Ha/bohr"), ("kcal/mol", "Ha/bohr"), ("Ha", "kcal/mol/A"),
    ("kJ/mol", "kJ/mol/nm"),
)  # fmt: skip
_STRESS = {
    "GPa": 1.0 / GPA_PER_EV_PER_A3,
    "kbar": 1.0 / KBAR_PER_EV_PER_A3,
    "Ha/bohr^3": HARTREE_EV / BOHR_A**3,
    "bar": 1e-3 / KBAR_PER_EV_PER_A3,
}


@dataclass(frozen=True)
class Cause:
    """One explanation of a ratio.

    Attributes
    ----------
    code : str
        Of the finding.
    text : str
        What would explain it.
    remedy : str
        Options that cure it.
    """

    code: str
    text: str
    remedy: str


def energy_force_causes(slope: float, tolerance: float) -> list[Cause]:
    """Return, best first, what makes energies change by ``slope`` times the work of forces.

    ``tolerance`` is that of log(slope).
    """
    causes: list[Cause] = []
    misses: list[float] = []
    if slope == 0.0:
        return causes
    sign = slope < 0.0
    for energy, force in (_PLAIN, *_ENERGY_FORCE):
        expected = FORCE_FACTORS[force] / ENERGY_FACTORS[energy]
        miss = abs(log(abs(slope) / expected))
        if miss > tolerance:
            continue
        settings, words = [], []
        if energy != "eV":
            settings.append(f"rules.energy_unit={energy}")
            words.append(f"energies in {energy}")
        if force != "eV/A":
            settings.append(f"rules.force_unit={force}")
            words.append(f"forces in {force}")
        if sign:
            settings.append("rules.force_sign=gradient")
            words.append("forces with the sign of a gradient")
        if words:
            code = "force-sign" if len(words) == 1 and sign else "energy-force-unit"
            causes.append(Cause(code, " and ".join(words), option(*settings)))
            misses.append(miss)
    if not sign and (miss := abs(log(slope / BOHR_A))) < tolerance:
        cure = option("rules.length_unit=bohr")
        causes.append(Cause("length-unit", "lengths in bohr", cure))
        misses.append(miss)
    return [causes[i] for i in sorted(range(len(causes)), key=lambda i: misses[i])]


def stress_causes(slope: float, tolerance: float, *, key: str) -> list[Cause]:
    """Return what makes energies change by ``slope`` times the work of the stresses.

    ``key`` is what gave the stresses: stress or virial.
    """
    if slope == 0.0:
        return []
    flip = (
        "rules.virial_sign=+stress" if key == "virial" else "rules.stress_sign=compression"
    )
    sign = [flip] if slope < 0.0 else []
    flipped = " with the sign of compression" if sign else ""
    size = abs(slope)
    if sign and abs(log(size)) < tolerance:
        return [Cause("stress-sign", f"the {key} has the opposite sign", option(*sign))]
    if key == "virial":
        return []
    for unit, factor in _STRESS.items():
        if abs(log(size / factor)) < tolerance:
            if unit == "bar":
                cure = "divide the stresses by 1000 and set " + option(
                    "rules.stress_unit=kbar", *sign
                )
            elif unit == "Ha/bohr^3":
                cure = "convert the stresses to eV/A^3 (1 Ha/bohr^3 = 183.6 eV/A^3)"
            else:
                cure = option(f"rules.stress_unit={unit}", *sign)
            return [Cause("stress-unit", f"stresses in {unit}{flipped}", cure)]
    return []
