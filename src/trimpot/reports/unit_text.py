"""Names and units as people write them: angstrom signs, powers."""

from __future__ import annotations

import re

POWERS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def readable_unit(text: str) -> str:
    """Return ``eV/Å²`` for ``eV/A^2``; also inside names such as ``distance (A)``.

    Only an A that stands alone is an angstrom.
    """
    text = re.sub(r"(?<![A-Za-z0-9_\-])A(?![A-Za-z0-9_\-]|\s+[a-z])", "Å", text)
    text = re.sub(r"\b1e(-?\d+)/", lambda m: f"10{m[1].translate(POWERS)}/", text)
    text = re.sub(r"\^(-?\d+)", lambda m: m[1].translate(POWERS), text)
    return re.sub(r"\bus/", "µs/", text)
