"""Checks of reference data: each takes frames and returns findings."""

from trimpot.data.checks.contacts import Contact
from trimpot.data.checks.derivatives import force_findings
from trimpot.data.checks.findings import SEVERITIES, Finding, Severity, listed, option
from trimpot.data.checks.geometry import geometry_findings
from trimpot.data.checks.group_scales import group_scale_findings
from trimpot.data.checks.isolated import scale_findings
from trimpot.data.checks.labels import label_findings
from trimpot.data.checks.nets import force_sum_findings
from trimpot.data.checks.refusals import Refusal, refusal_findings
from trimpot.data.checks.repeats import repeat_findings
from trimpot.data.checks.stresses import stress_findings
from trimpot.data.checks.values import value_findings

__all__ = [
    "SEVERITIES",
    "Contact",
    "Finding",
    "Refusal",
    "Severity",
    "force_findings",
    "force_sum_findings",
    "geometry_findings",
    "group_scale_findings",
    "label_findings",
    "listed",
    "option",
    "refusal_findings",
    "repeat_findings",
    "scale_findings",
    "stress_findings",
    "value_findings",
]
