"""What Trimpot does for a user: plain functions that the command line mirrors."""

from trimpot.verbs.evaluation import EvaluateResult, evaluate
from trimpot.verbs.showing import ShowResult, show
from trimpot.verbs.training import TrainResult, refit, train
from trimpot.verbs.watching import Silent, Watcher

__all__ = [
    "EvaluateResult",
    "ShowResult",
    "Silent",
    "TrainResult",
    "Watcher",
    "evaluate",
    "refit",
    "show",
    "train",
]
