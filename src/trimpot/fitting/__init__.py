"""Linear fits: rows streamed into Gram blocks, cross-validated strengths, one solve."""

from trimpot.fitting.anchors import ANCHORS_VERSION
from trimpot.fitting.blocks import Block, Blocks
from trimpot.fitting.conditions import Conditions
from trimpot.fitting.crossvalidation import Selection, Trial, relative_error
from trimpot.fitting.fit import FitResult, Model, fit, gather, refit, select, with_anchors
from trimpot.fitting.settings import FitSettings, QuantityWeights, Strengths
from trimpot.fitting.streaming import Forecast, forecast
from trimpot.fitting.targets import Targets, make_targets

__all__ = [
    "ANCHORS_VERSION",
    "Block",
    "Blocks",
    "Conditions",
    "FitResult",
    "FitSettings",
    "Forecast",
    "Model",
    "QuantityWeights",
    "Selection",
    "Strengths",
    "Targets",
    "Trial",
    "fit",
    "forecast",
    "gather",
    "make_targets",
    "refit",
    "relative_error",
    "select",
    "with_anchors",
]
