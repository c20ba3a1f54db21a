"""Physical checks of any potential, with bounds and grades."""

from trimpot.validation.checks.catalogue import FAMILIES, NAMES
from trimpot.validation.checks.judged import CheckSettings
from trimpot.validation.checks.known import Known
from trimpot.validation.checks.running import Examination, run_checks
from trimpot.validation.checks.verdict import Spec, Verdict, grade_of

__all__ = [
    "FAMILIES",
    "NAMES",
    "CheckSettings",
    "Examination",
    "Known",
    "Spec",
    "Verdict",
    "grade_of",
    "run_checks",
]
