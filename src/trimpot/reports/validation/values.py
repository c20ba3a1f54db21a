"""Numbers beside their references, as tables show them."""

from __future__ import annotations

from math import floor, isfinite, log10
from typing import TYPE_CHECKING

from trimpot.reports.numbers import significant, with_error
from trimpot.reports.page_tables import NOTHING
from trimpot.reports.unit_text import readable_unit

if TYPE_CHECKING:
    from trimpot.validation.suite_results import Entry
    from trimpot.validation.suites import Quantity

SYMBOLS = {
    "within": "✓",
    "near": "≈",
    "off": "✗",
    "failed": "failed",
    "measured": "",
    "missing": NOTHING,
}
"""Beside a number; so tables can be read without colours."""

TONES = {"within": "within", "near": "near", "off": "off", "failed": "failed"}

MEANING = {
    "within": "within the tolerance",
    "near": "up to twice the tolerance",
    "off": "further off",
    "failed": "(no value to trust)",
}

MINUS = "\N{MINUS SIGN}"


def number_text(value: float, error: float | None, tolerance: float | None) -> str:
    """Return a number to the second digit of its error or tolerance, else to four."""
    if not isfinite(value):
        return "not a number"
    if error:
        return with_error(value, error).replace("-", MINUS)
    if tolerance and tolerance >= 1e-6:
        decimals = max(0, 1 - floor(log10(tolerance)))
        return f"{value:.{decimals}f}".replace("-", MINUS)
    return significant(value, 4).replace("-", MINUS)


def deviation_text(entry: Entry, quantity: Quantity) -> str:
    """Return the deviation from the reference in percent; of a reference 0, nothing."""
    share = relative_deviation(entry, quantity)
    if share is None:
        return ""
    return f"{share:+.{2 if abs(share) < 0.995 else 1}f} %".replace("-", MINUS)


def relative_deviation(entry: Entry, quantity: Quantity) -> float | None:
    """Return the deviation in percent of the reference, or None where there is none."""
    if entry.deviation is None or not quantity.reference:
        return None
    return 100.0 * entry.deviation / abs(quantity.reference)


def reference_text(quantity: Quantity) -> str:
    """Return the reference with its uncertainty."""
    if quantity.reference is None:
        return NOTHING
    return number_text(quantity.reference, quantity.uncertainty, quantity.tolerance)


def tolerance_text(quantity: Quantity) -> str:
    """Return the tolerance; where it is a round share of the reference, as that too."""
    if quantity.tolerance is None:
        return ""
    size = significant(quantity.tolerance, 2)
    if not quantity.reference:
        return f"±{size}"
    share = 100.0 * quantity.tolerance / abs(quantity.reference)
    rounded = round(share, 1)
    whole = abs(share - rounded) < 1e-6 * share
    return f"±{size} ({rounded:g} %)" if whole and rounded else f"±{size}"


def unit_text(quantity: Quantity) -> str:
    """Return the unit of a quantity, or a word where it has none."""
    return readable_unit(quantity.unit) or "pure number"
