"""A setting that was chosen from data, and why."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Choice:
    """One setting.

    Attributes
    ----------
    key : str
        Dotted key of the configuration, such as ``model.terms.0``.
    value : object
        Plain value.
    why : str
        The reason, with numbers of the data.
    """

    key: str
    value: object
    why: str
