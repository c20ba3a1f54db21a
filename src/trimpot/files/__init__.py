"""Potential files: save, load, upgrade; and atomic writing for every output."""

from trimpot.files.atomic import append_line, atomic_write, write_bytes, write_text
from trimpot.files.folders import make_folder, run_folder
from trimpot.files.potential_file import load, save

__all__ = [
    "append_line",
    "atomic_write",
    "load",
    "make_folder",
    "run_folder",
    "save",
    "write_bytes",
    "write_text",
]
