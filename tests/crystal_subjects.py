"""Models whose crystals are known: nearest-neighbour Lennard-Jones, SW silicon."""

from ase.calculators.lj import LennardJones

from trimpot.engines.lammps.calculator import PairLines
from trimpot.validation.properties.case import Case, Phase
from trimpot.validation.properties.protocols import PROTOCOLS
from trimpot.validation.subjects import subject_of_calculator, subject_of_lammps

EPSILON, SIGMA = 0.4, 2.5
D0 = 2.0 ** (1.0 / 6.0) * SIGMA
CUTOFF = 1.2 * D0
"""Between the first and the second shell of fcc (1.41) and of bcc (1.15)."""

STIFFNESS = 72.0 * EPSILON / D0**2
"""V''(D0), eV/A^2."""

SW_SI = """# Stillinger and Weber, Phys. Rev. B 31, 5262 (1985), as in LAMMPS
Si Si Si 2.1683 2.0951 1.80 21.0 1.20 -0.333333333333 7.049556277 0.6022245584 4.0 0.0 0.0
"""


def lennard_jones():
    """Nearest neighbours only, so that the crystal has an exact theory."""
    return LennardJones(epsilon=EPSILON, sigma=SIGMA, rc=CUTOFF)


def lj_subject():
    return subject_of_calculator(
        lennard_jones, "LJ", ("Cu",), f"{EPSILON} {SIGMA} {CUTOFF}"
    )


def sw_subject(folder):
    (folder / "Si.sw").write_text(SW_SI)
    lines = ("pair_style sw", "pair_coeff * * Si.sw Si")
    return subject_of_lammps(PairLines(lines, ("Si",), folder), "SW")


def measured(subject, protocol, phase, lattice=None, **settings):
    """Measure a property with settings as a suite gives them."""
    known = PROTOCOLS[protocol]
    needs = {} if lattice is None else {"lattice": lattice}
    return known.measure(
        subject, Case(phase, needs), known.settings_from(settings, protocol)
    )


FCC_CU = Phase("fcc", "fcc", ("Cu",), 3.9)
BCC_CU = Phase("bcc", "bcc", ("Cu",), 3.2)
DIAMOND_SI = Phase("diamond", "diamond", ("Si",), 5.45)
