"""LAMMPS ``pair_style uf3`` files and JSON files of the uf3 package."""

from trimpot.files.uf3_export import Uf3Export, write_uf3
from trimpot.files.uf3_import import read_uf3
from trimpot.files.uf3_json import read_uf3_json

__all__ = ["Uf3Export", "read_uf3", "read_uf3_json", "write_uf3"]
