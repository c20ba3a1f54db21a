"""Uncertainty: what a fit leaves in a potential about how far it can be trusted."""

from trimpot.uncertainty.learning import Job, learn_trust, learning_bytes

__all__ = ["Job", "learn_trust", "learning_bytes"]
