"""Typed configuration: YAML in, one frozen object out; unknown keys are errors."""

from trimpot.config.building import build
from trimpot.config.choices import Candidate, candidates
from trimpot.config.loading import config_from, data_settings, load_config
from trimpot.config.overrides import apply_overrides
from trimpot.config.plain import one_line, to_plain, to_yaml
from trimpot.config.settings import (
    Config,
    DataSettings,
    EvaluationSettings,
    ModelSettings,
    NetworkModelSettings,
)

__all__ = [
    "Candidate",
    "Config",
    "DataSettings",
    "EvaluationSettings",
    "ModelSettings",
    "NetworkModelSettings",
    "apply_overrides",
    "build",
    "candidates",
    "config_from",
    "data_settings",
    "load_config",
    "one_line",
    "to_plain",
    "to_yaml",
]
