"""Unit conversions, each written once. Internal units: eV, angstrom, fs, amu."""

GPA_PER_EV_PER_A3 = 160.21766208
"""1 eV/A^3 in GPa (CODATA 2014 electron volt, as in ASE)."""

KBAR_PER_EV_PER_A3 = 10.0 * GPA_PER_EV_PER_A3
"""1 eV/A^3 in kbar (VASP's "kB")."""

EV_PER_HARTREE = 27.211386024367243
EV_PER_RYDBERG = 0.5 * EV_PER_HARTREE
EV_PER_KCAL_MOL = 0.0433641153087705
COULOMB_EV_A = 14.399645478
"""e^2 / (4 pi epsilon_0) in eV angstrom."""
BOHR_A = 0.52917721067
"""Bohr radius in angstrom."""
