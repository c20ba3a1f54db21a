"""What a shell offers when it completes arguments and values of options.

Choices are read from the rooms when a shell asks, so they are never stale. Where nothing
is offered, the shell completes names of files.
"""

from __future__ import annotations

from pathlib import Path
from typing import get_args


def potential_files(incomplete: str) -> list[str]:
    """Return files NAME.trimpot; none where folders fit, which the shell completes."""
    return _files(incomplete, (".trimpot",))


def model_files(incomplete: str) -> list[str]:
    """Return files of models that can be judged, as ``potential_files``."""
    return _files(incomplete, (".trimpot", ".yaml", ".yml", ".uf3", ".json"))


def suites(incomplete: str) -> list[str]:
    """Return values of ``validate --suite``: suites that come with Trimpot."""
    from trimpot.validation.suites import suite_names

    return _starting(suite_names(), incomplete)


def configuration_files(incomplete: str) -> list[str]:
    """Return files NAME.yaml and NAME.yml, as ``potential_files``."""
    return _files(incomplete, (".yaml", ".yml"))


def cell_moves(incomplete: str) -> list[str]:
    """Return values of ``relax --cell``."""
    from trimpot.engines.relaxation_settings import CellMoves

    return _starting(get_args(CellMoves), incomplete)


def optimizers(incomplete: str) -> list[str]:
    """Return values of ``relax --optimizer``."""
    from trimpot.engines.relaxation_settings import OptimizerName

    return _starting(get_args(OptimizerName), incomplete)


def engines(incomplete: str) -> list[str]:
    """Return values of ``md --engine``."""
    from trimpot.verbs.md_engines import EngineName

    return _starting(get_args(EngineName), incomplete)


def ensembles(incomplete: str) -> list[str]:
    """Return values of ``md --ensemble``."""
    from trimpot.engines.md_settings import Ensemble

    return _starting(get_args(Ensemble), incomplete)


def precisions(incomplete: str) -> list[str]:
    """Return values of ``md --precision``."""
    from trimpot.engines.md_settings import MdPrecision

    return _starting(get_args(MdPrecision), incomplete)


def kernel_precisions(incomplete: str) -> list[str]:
    """Return values of ``serve --precision``."""
    from trimpot.contract import Precision

    return _starting(get_args(Precision), incomplete)


def export_formats(incomplete: str) -> list[str]:
    """Return values of ``export --to``."""
    from trimpot.verbs.exporting import Target

    return _starting(get_args(Target), incomplete)


def check_names(incomplete: str) -> list[str]:
    """Return values of ``validate --only``: families and checks."""
    from trimpot.validation.checks import FAMILIES, NAMES

    families = [family.title for family in FAMILIES]
    return _starting(tuple(dict.fromkeys([*families, *NAMES])), incomplete)


def _starting(values: tuple[str, ...], incomplete: str) -> list[str]:
    return [value for value in values if value.startswith(incomplete)]


def _files(incomplete: str, suffixes: tuple[str, ...]) -> list[str]:
    given = Path(incomplete)
    folder = given if incomplete.endswith("/") or not incomplete else given.parent
    start = "" if folder == given else given.name
    prefix = incomplete[: len(incomplete) - len(start)]
    try:
        found = sorted(p for p in folder.iterdir() if p.name.startswith(start))
    except OSError:
        return []
    if any(p.is_dir() and not p.name.startswith(".") for p in found):
        return []
    return [prefix + p.name for p in found if p.suffix in suffixes]
