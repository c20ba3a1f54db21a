"""What a check finds: code, evidence, frames and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "note"]

SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
"""Worst first."""

CLEAN = "trimpot check-data FILES --clean good.extxyz"
"""The command that writes all frames without a fault of their own."""

LEAVE_OUT = f"correct or leave out these frames: `{CLEAN}` writes all others"

_LISTED = 50


@dataclass(frozen=True)
class Finding:
    """Something that is, or may be, wrong with data.

    Attributes
    ----------
    code : str
        Short name of the kind of fault, stable between releases: ``stress-sign``.
    severity : {"error", "warning", "note"}
        Errors make a fit wrong or impossible; warnings need a look; notes are facts.
    title : str
        The fault in one line.
    evidence : str
        The numbers that show it.
    remedy : str
        What to do: a command or a setting.
    frames : tuple of str
        Frames concerned, as file and 0-based number; empty where it is about all.
    leave_out : bool
        Whether leaving out these frames is a cure.
    """

    code: str
    severity: Severity
    title: str
    evidence: str
    remedy: str
    frames: tuple[str, ...] = ()
    leave_out: bool = False

    def to_dict(self) -> dict[str, object]:
        """Return the finding for JSON, with at most 50 frames and their number."""
        return {
            "code": self.code,
            "severity": self.severity,
            "title": self.title,
            "evidence": self.evidence,
            "remedy": self.remedy,
            "n_frames": len(self.frames),
            "frames": list(self.frames[:_LISTED]),
        }


def option(*settings: str) -> str:
    """Return the options that change settings, for remedies."""
    return "`" + " ".join(f"--set data.{setting}" for setting in settings) + "`"


def listed(names: tuple[str, ...], most: int = 4) -> str:
    """Return the first names and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
