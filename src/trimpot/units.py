"""Unit conversions, each written once. Internal units: eV, angstrom, fs, amu."""

GPA_PER_EV_PER_A3 = 160.21766208
"""1 eV/A^3 in GPa (CODATA 2014 electron volt, as in ASE)."""

KBAR_PER_EV_PER_A3 = 10.0 * GPA_PER_EV_PER_A3
"""1 eV/A^3 in kbar (VASP's "kB")."""

HARTREE_EV = 27.211386
"""1 hartree in eV (CODATA 2014)."""

RYDBERG_EV = 0.5 * HARTREE_EV
"""1 rydberg in eV."""

KCAL_MOL_EV = 0.0433641
"""1 kcal/mol in eV (4.184 kJ/mol)."""

KJ_MOL_EV = KCAL_MOL_EV / 4.184
"""1 kJ/mol in eV."""

BOHR_A = 0.52917721
"""1 bohr in angstrom (CODATA 2014)."""

COULOMB_EV_A = 14.399645478
"""e^2 / (4 pi epsilon_0) in eV angstrom."""
