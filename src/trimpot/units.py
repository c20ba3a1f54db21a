"""Unit conversions, each written once. Internal units: eV, angstrom, fs, amu."""

GPA_PER_EV_PER_A3 = 160.21766208
"""1 eV/A^3 in GPa (CODATA 2014 electron volt, as in ASE)."""

KBAR_PER_EV_PER_A3 = 10.0 * GPA_PER_EV_PER_A3
"""1 eV/A^3 in kbar (VASP's "kB")."""

COULOMB_EV_A = 14.399645478
"""e^2 / (4 pi epsilon_0) in eV angstrom."""
