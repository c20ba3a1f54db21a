"""Potential files: save, load, upgrade; and atomic writing for every output."""

from trimpot.files.atomic import atomic_write, write_bytes, write_text
from trimpot.files.potential_file import load, save

__all__ = ["atomic_write", "load", "save", "write_bytes", "write_text"]
