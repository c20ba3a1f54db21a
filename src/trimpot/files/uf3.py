"""LAMMPS ``pair_style uf3`` files: reading and writing."""

from trimpot.files.uf3_export import Uf3Export, write_uf3
from trimpot.files.uf3_import import read_uf3

__all__ = ["Uf3Export", "read_uf3", "write_uf3"]
