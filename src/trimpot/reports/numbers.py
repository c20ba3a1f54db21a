"""Numbers as people read them: significant digits and standard errors."""

from __future__ import annotations

from math import floor, log10

NEGLIGIBLE = 5e-4
"""Below this (meV/atom, meV/Å, GPa) tables and figures show zeros: rounding, not errors."""


def significant(value: float, digits: int = 3) -> str:
    """Return a number rounded to significant digits, without an exponent where short."""
    if value == 0.0:
        return "0"
    if not 1e-4 <= abs(value) < 1e6:
        return f"{value:.{digits - 1}e}"
    decimals = max(0, digits - 1 - floor(log10(abs(value))))
    return f"{value:.{decimals}f}"


def with_error(value: float, standard_error: float | None) -> str:
    """Return ``value ± error``, the value to the second digit of its error."""
    if not standard_error:
        return significant(value)
    decimals = max(0, 1 - floor(log10(standard_error)))
    if decimals > 6:
        return f"{significant(value)} ± {standard_error:.1e}"
    return f"{value:.{decimals}f} ± {standard_error:.{decimals}f}"
