"""Engines run a potential on structures: single points and the ASE calculator."""

from trimpot.engines.singlepoint import evaluate

__all__ = ["evaluate"]
