"""What numbers mean in LAMMPS' units ``metal``, so that its constants become ours.

LAMMPS has constants of its own for 1 g/mol A^2/ps^2 and for kB, which differ from ASE's in
the seventh digit. Masses and temperatures that it is given are scaled by their ratios:
then accelerations, kinetic energies and kT are ours to rounding.

References
----------
LAMMPS, src/update.cpp, ``Update::set_units``, style metal.
"""

from __future__ import annotations

from ase import units

BAR_PER_EV_A3 = 1.6021765e6
"""``nktv2p``: 1 eV/A^3 in bar."""

LAMMPS_KB = 8.617343e-5
"""``boltz``: eV/K."""

LAMMPS_MASS_EV = 1.0364269e-4
"""``mvv2e``: 1 g/mol A^2/ps^2 in eV."""

PS = 1000.0 * units.fs
"""1 ps in ASE's unit of time: velocities in A/ps, divided by it, are ASE's."""

MASS_FACTOR = 1.0 / (PS**2 * LAMMPS_MASS_EV)
"""Masses for LAMMPS over masses in g/mol."""

TEMPERATURE_FACTOR = units.kB / LAMMPS_KB
"""Temperatures for LAMMPS over temperatures in K."""
