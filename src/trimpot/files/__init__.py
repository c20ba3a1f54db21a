"""Potential files: save, load, upgrade; and the atomic writing of `trimpot.writing`."""

from trimpot.files.potential_file import load, save
from trimpot.writing.atomic import append_line, atomic_write, write_bytes, write_text
from trimpot.writing.folders import make_folder, run_folder

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
