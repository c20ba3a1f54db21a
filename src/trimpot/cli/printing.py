"""What commands print: examples in help, results as text or JSON."""

from __future__ import annotations

import json


def example(*lines: str) -> str:
    """Return an epilog that keeps its lines."""
    return "\b\nExample:\n" + "\n".join(f"  {line}" for line in lines)


def print_result(document: object) -> None:
    """Print text as it is, a mapping as one JSON document."""
    from trimpot.verbs.plain import finite_plain

    if isinstance(document, dict):
        document = json.dumps(finite_plain(document), indent=1, allow_nan=False)
    print(document)  # noqa: T201 - this is what a command line does
