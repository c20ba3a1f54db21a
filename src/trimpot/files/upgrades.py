"""Format versions: one step per version brings an old document to the present one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trimpot.errors import FileFormatError
from trimpot.files.release import release

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FORMAT_VERSION = 2
"""Version that this release writes."""

FIRST_RELEASE = "0.1.0"
"""First release of Trimpot that reads FORMAT_VERSION; written into every file."""

Document = dict[str, object]

UPGRADES: Mapping[int, Callable[[Document], Document]] = {1: dict}
"""Step from the given version to the next.

1 to 2: nothing changes; potentials of version 2 may say how far they can be trusted.
"""


def upgrade(document: Document) -> Document:
    """Return the document in the present format version.

    Raises
    ------
    FileFormatError
        If it is not a Trimpot document or comes from a newer version; names the release
        that reads it.
    """
    version = document.get("format_version")
    if document.get("format") != "trimpot" or type(version) is not int or version < 1:
        raise FileFormatError("it is not a Trimpot potential (no format version)")
    if version > FORMAT_VERSION:
        needed = document.get("needs_release", "unknown")
        raise FileFormatError(
            f"it has format version {version}, this Trimpot {release()} reads up to "
            f"{FORMAT_VERSION}; install Trimpot {needed!s:.20} or later"
        )
    for step in range(version, FORMAT_VERSION):
        document = UPGRADES[step](document)
    return document
