"""A proposal as a YAML file whose comments give the reasons."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from trimpot.config.plain import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trimpot.config.proposals.choice import Choice
    from trimpot.config.proposals.proposal import Proposal

WIDTH = 92


def written(proposal: Proposal, head: Sequence[str] = ()) -> str:
    """Return the text of a configuration file.

    Parameters
    ----------
    proposal
    head
        Lines of comment for the top, without the number sign.
    """
    lines = [line for text in head for line in _comment(text, 0)]
    section = ""
    terms_open = False
    for choice in proposal.choices:
        first, _, rest = choice.key.partition(".")
        if rest and first != section:
            lines.append(f"{first}:")
            section = first
        if not rest:
            section = ""
        is_term = choice.key.startswith("model.terms")
        if is_term and not terms_open:
            lines.append("  terms:")
            terms_open = True
        lines += _entry(choice, rest or first, depth=2 if is_term else bool(rest))
    return "\n".join(lines) + "\n"


def _entry(choice: Choice, name: str, *, depth: int) -> Iterator[str]:
    yield from _comment(choice.why, depth)
    if choice.value is None:
        return
    mark = "- " if choice.key.startswith("model.terms") else f"{name}: "
    yield "  " * depth + mark + one_line(choice.value)


def _comment(text: str, depth: int) -> list[str]:
    prefix = "  " * depth + "# "
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=prefix,
        subsequent_indent=prefix,
        break_long_words=False,
        break_on_hyphens=False,
    )
