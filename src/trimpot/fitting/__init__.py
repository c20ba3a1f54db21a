"""Linear fits: rows streamed into Gram blocks, cross-validated strengths, one solve."""

from trimpot.fitting.anchors import ANCHORS_VERSION
from trimpot.fitting.blocks import Block, Blocks
from trimpot.fitting.conditions import Conditions
from trimpot.fitting.crossvalidation import Selection, Trial, relative_error
from trimpot.fitting.fit import (
    FitResult,
    Model,
    fit,
    folds_of,
    gather,
    refit,
    select,
    with_anchors,
)
from trimpot.fitting.settings import FitSettings, QuantityWeights, Strengths
from trimpot.fitting.streaming import Forecast, Keeper, Sums, forecast
from trimpot.fitting.targets import Targets, make_targets

__all__ = [
    "ANCHORS_VERSION",
    "Block",
    "Blocks",
    "Conditions",
    "FitResult",
    "FitSettings",
    "Forecast",
    "Keeper",
    "Model",
    "QuantityWeights",
    "Selection",
    "Strengths",
    "Sums",
    "Targets",
    "Trial",
    "fit",
    "folds_of",
    "forecast",
    "gather",
    "make_targets",
    "refit",
    "relative_error",
    "select",
    "with_anchors",
]
