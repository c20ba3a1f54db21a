"""Structures as data files of LAMMPS (atom_style atomic, units metal)."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trimpot.contract import FloatArray, IntArray
    from trimpot.files.lammps_box import Box


def data_text(
    title: str,
    box: Box,
    positions: FloatArray,
    kinds: IntArray,
    masses: Sequence[tuple[float, str]],
    *,
    velocities: FloatArray | None = None,
    skewed: bool = False,
) -> str:
    """Return a data file; numbers read back to the same bits.

    Parameters
    ----------
    title
        First line.
    box
        Of the structure.
    positions : (n, 3) float64
        In our frame, angstrom.
    kinds : (n,) int
        LAMMPS type of each atom, from 1.
    masses
        Of each type: g/mol, and a comment such as its element.
    velocities : (n, 3) float64, optional
        In our frame, A/ps.
    skewed
        Whether LAMMPS shall hold the box as a skewed one even if it is not.
    """
    out = io.StringIO()
    out.write(f"{title}\n\n{len(positions)} atoms\n{len(masses)} atom types\n\n")
    for k, axis in enumerate("xyz"):
        low = float(box.origin[k])
        out.write(f"{low!r} {low + float(box.matrix[k, k])!r} {axis}lo {axis}hi\n")
    if skewed or box.is_skewed:
        tilts = [repr(float(box.matrix[i, j])) for i, j in ((1, 0), (2, 0), (2, 1))]
        out.write(f"{' '.join(tilts)} xy xz yz\n")
    out.write("\nMasses\n\n")
    for number, (mass, name) in enumerate(masses, 1):
        out.write(f"{number} {float(mass)!r} # {name}\n")
    ids = np.arange(1, len(positions) + 1)[:, None]
    out.write("\nAtoms # atomic\n\n")
    rows = np.hstack([ids, np.asarray(kinds)[:, None], box.to_lammps(positions)])
    np.savetxt(out, rows, "%d %d %.17g %.17g %.17g")
    if velocities is not None:
        out.write("\nVelocities\n\n")
        rows = np.hstack([ids, box.to_lammps(velocities)])
        np.savetxt(out, rows, "%d %.17g %.17g %.17g")
    return out.getvalue()


def places_text(box: Box, positions: FloatArray) -> str:
    """Return a dump of step 0 with which ``read_dump`` moves the atoms of a crystal.

    Parameters
    ----------
    box
        Of the structure, with three periods.
    positions : (n, 3) float64
        In our frame, angstrom, in the order of the atoms' numbers.
    """
    out = io.StringIO()
    out.write(f"ITEM: TIMESTEP\n0\nITEM: NUMBER OF ATOMS\n{len(positions)}\n")
    low, high = box.origin, box.origin + np.diag(box.matrix)
    if box.is_skewed:
        xy, xz, yz = (float(box.matrix[i, j]) for i, j in ((1, 0), (2, 0), (2, 1)))
        shifts = (0.0, xy, xz, xy + xz)
        # a dump gives the box that surrounds the skewed one
        low = low + np.array([min(shifts), min(0.0, yz), 0.0])
        high = high + np.array([max(shifts), max(0.0, yz), 0.0])
        out.write("ITEM: BOX BOUNDS xy xz yz pp pp pp\n")
        rows = np.stack([low, high, [xy, xz, yz]], axis=1)
    else:
        out.write("ITEM: BOX BOUNDS pp pp pp\n")
        rows = np.stack([low, high], axis=1)
    np.savetxt(out, rows, "%.17g")
    out.write("ITEM: ATOMS id x y z\n")
    ids = np.arange(1, len(positions) + 1)[:, None]
    np.savetxt(out, np.hstack([ids, box.to_lammps(positions)]), "%d %.17g %.17g %.17g")
    return out.getvalue()
