"""Whether the files of a run are whole, whatever stopped it."""

from __future__ import annotations

import csv
import json
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import ase.io
import yaml
from PIL import Image

import trimpot
from trimpot.engines.md_checkpoint import read_checkpoint
from trimpot.files.container import read as read_container

if TYPE_CHECKING:
    from pathlib import Path


def damaged(folder: Path) -> list[str]:
    """Return what is wrong with the files of a folder; hidden files do not count."""
    found = []
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        if path.name.startswith("."):
            continue
        try:
            CHECKS[path.suffix](path)
        except Exception as error:  # noqa: BLE001 - whatever a reader says
            found.append(f"{path.name}: {type(error).__name__}: {error}")
    return found


def leftovers(folder: Path) -> list[str]:
    """Return files that only a run that is under way may have."""
    names = (p.name for p in folder.rglob("*") if p.is_file())
    return [n for n in names if n.startswith(".") or "unfinished" in n]


def _json_lines(path: Path) -> None:
    text = path.read_text("utf-8")
    for line in text.splitlines():
        json.loads(line)
    _require(not text or text.endswith("\n"), "the last line is not complete")


def _csv(path: Path) -> None:
    text = path.read_text("utf-8")
    rows = list(csv.reader(text.splitlines()))
    if not rows:
        return  # its first line found no room
    _require(text.endswith("\n"), "the last line is not complete")
    _require({len(row) for row in rows} == {len(rows[0])}, "rows differ in length")


def _frames(path: Path) -> None:
    text = path.read_text("utf-8")
    if not text:
        return  # its first frame found no room
    _require(text.endswith("\n"), "the last line is not complete")
    frames = ase.io.read(path, ":", format="extxyz")
    lines = sum(len(atoms) + 2 for atoms in frames)
    _require(lines == text.count("\n"), "a frame is not complete")


def _page(path: Path) -> None:
    _require(path.read_text("utf-8").rstrip().endswith("</html>"), "it has no end")


def _picture(path: Path) -> None:
    with Image.open(path) as picture:
        picture.load()


def _text(path: Path) -> None:
    _require(path.read_text("utf-8").endswith("\n"), "it has no end")


def _require(condition: bool, otherwise: str) -> None:
    if not condition:
        raise ValueError(otherwise)


CHECKS = {
    ".trimpot": trimpot.load,
    ".safetensors": read_container,
    ".json": lambda path: json.loads(path.read_text("utf-8")),
    ".jsonl": _json_lines,
    ".csv": _csv,
    ".extxyz": _frames,
    ".html": _page,
    ".png": _picture,
    ".svg": ET.parse,
    ".trimpot-md": read_checkpoint,
    ".md": _text,
    ".yaml": lambda path: yaml.safe_load(path.read_text("utf-8")),
}
"""Reader by suffix; each raises where a file is not whole."""
