"""The version of this Trimpot, from the metadata of the installed package."""

from __future__ import annotations

from functools import cache
from importlib import metadata


@cache
def release() -> str:
    """Return the version, for example "0.1.0"."""
    return metadata.version("trimpot")
