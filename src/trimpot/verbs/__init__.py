"""What Trimpot does for a user: plain functions that the command line mirrors.

Names are imported when they are first used: a verb does not wait for what others need.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trimpot.verbs.checking import CheckResult, check_data
    from trimpot.verbs.comparing import CompareResult, compare
    from trimpot.verbs.evaluation import EvaluateResult, evaluate
    from trimpot.verbs.learning import LearnResult, learn
    from trimpot.verbs.listing_suites import SuitesResult, suites
    from trimpot.verbs.relaxing import RelaxResult, relax
    from trimpot.verbs.reporting_judged import ReportResult, report
    from trimpot.verbs.showing import ShowResult, show
    from trimpot.verbs.singlepoints import SinglePointResult, singlepoint
    from trimpot.verbs.training import TrainResult, refit, train
    from trimpot.verbs.training_network import NetworkTrainResult
    from trimpot.verbs.validating import ValidateResult, validate
    from trimpot.verbs.watching import Silent, Watcher

__all__ = [
    "CheckResult",
    "CompareResult",
    "EvaluateResult",
    "LearnResult",
    "NetworkTrainResult",
    "RelaxResult",
    "ReportResult",
    "ShowResult",
    "Silent",
    "SinglePointResult",
    "SuitesResult",
    "TrainResult",
    "ValidateResult",
    "Watcher",
    "check_data",
    "compare",
    "evaluate",
    "learn",
    "refit",
    "relax",
    "report",
    "show",
    "singlepoint",
    "suites",
    "train",
    "validate",
]

_HOMES = {
    "CheckResult": "trimpot.verbs.checking",
    "CompareResult": "trimpot.verbs.comparing",
    "EvaluateResult": "trimpot.verbs.evaluation",
    "LearnResult": "trimpot.verbs.learning",
    "NetworkTrainResult": "trimpot.verbs.training_network",
    "RelaxResult": "trimpot.verbs.relaxing",
    "ReportResult": "trimpot.verbs.reporting_judged",
    "ShowResult": "trimpot.verbs.showing",
    "Silent": "trimpot.verbs.watching",
    "SinglePointResult": "trimpot.verbs.singlepoints",
    "SuitesResult": "trimpot.verbs.listing_suites",
    "TrainResult": "trimpot.verbs.training",
    "ValidateResult": "trimpot.verbs.validating",
    "Watcher": "trimpot.verbs.watching",
    "check_data": "trimpot.verbs.checking",
    "compare": "trimpot.verbs.comparing",
    "evaluate": "trimpot.verbs.evaluation",
    "learn": "trimpot.verbs.learning",
    "refit": "trimpot.verbs.training",
    "relax": "trimpot.verbs.relaxing",
    "report": "trimpot.verbs.reporting_judged",
    "show": "trimpot.verbs.showing",
    "singlepoint": "trimpot.verbs.singlepoints",
    "suites": "trimpot.verbs.listing_suites",
    "train": "trimpot.verbs.training",
    "validate": "trimpot.verbs.validating",
}


def __getattr__(name: str) -> object:
    """Import a name of this package on first use (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module 'trimpot.verbs' has no attribute {name!r}")
    value: object = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted({*globals(), *__all__})
