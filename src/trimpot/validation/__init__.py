"""Validation judges any potential: error tables and physical checks."""

from trimpot.validation.check import Check
from trimpot.validation.comparisons import Comparison, compare
from trimpot.validation.errors import ErrorRow, ErrorTables, error_tables
from trimpot.validation.predictions import Predictions, predict

__all__ = [
    "Check",
    "Comparison",
    "ErrorRow",
    "ErrorTables",
    "Predictions",
    "compare",
    "error_tables",
    "predict",
]
