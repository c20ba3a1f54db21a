"""What an earlier run chose among settings, for a fit that has no data to choose by."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from trimpot.config import Config, candidates, to_plain
from trimpot.errors import FileFormatError, InputError
from trimpot.files import load
from trimpot.verbs.candidates import recorded_candidates

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from trimpot.splines.potential import SplinePotential
    from trimpot.verbs.candidates import ScoredCandidate


def chosen_before(
    config: Config, model: Path
) -> tuple[Config, tuple[ScoredCandidate, ...]]:
    """Return the settings that an earlier run chose, and the candidates that it had.

    Parameters
    ----------
    config
        Of a refit, with or without a choice.
    model
        Potential file of the earlier run.

    Raises
    ------
    InputError
        If there is a choice, and the earlier run chose none of its candidates.
    """
    settings, compared = _recorded(model)
    found = candidates(config)
    options = [c.config for c in found] or [config]
    same = [c for c in options if to_plain(c.model) == settings]
    if found and not (same and compared):
        raise InputError(
            f"{model} was not chosen from these candidates; without data no choice can be "
            "made, train without refit"
        )
    return (same[0], compared) if same else (config, ())


def _recorded(model: Path) -> tuple[object, tuple[ScoredCandidate, ...]]:
    """Return the settings of a potential file and its candidates, if they can be had."""
    try:
        provenance = cast("SplinePotential", load(model)).provenance
        settings = cast("Mapping[str, object]", provenance["config"])
        return settings["model"], recorded_candidates(provenance)
    except (InputError, FileFormatError, KeyError, TypeError):
        return None, ()  # the file is about to be replaced
