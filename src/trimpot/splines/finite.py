"""Results that are not numbers are refused, naming the atom."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trimpot.elements import SYMBOLS
from trimpot.errors import NonFiniteResultError

if TYPE_CHECKING:
    from trimpot.contract import FloatArray


def require_finite(numbers: np.ndarray, energies: FloatArray, forces: FloatArray) -> None:
    """Raise ``NonFiniteResultError`` naming the first atom with a NaN or infinity."""
    bad = ~(np.isfinite(energies) & np.isfinite(forces).all(axis=1))
    if bad.any():
        atom = int(np.argmax(bad))
        raise NonFiniteResultError(
            f"energy or force of atom {atom} ({SYMBOLS[numbers[atom]]}) is not finite "
            f"({int(bad.sum())} such atoms); look for coincident atoms or a broken "
            "trajectory before this step"
        )
