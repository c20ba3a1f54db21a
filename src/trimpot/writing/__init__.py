"""Atomic and durable writing of every output: files and folders."""

from trimpot.writing.atomic import append_line, atomic_write, write_bytes, write_text
from trimpot.writing.folders import make_folder, run_folder

__all__ = [
    "append_line",
    "atomic_write",
    "make_folder",
    "run_folder",
    "write_bytes",
    "write_text",
]
