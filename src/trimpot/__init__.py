"""Trimpot: train, judge and run ultra-fast machine-learned interatomic potentials.

>>> import trimpot
>>> result = trimpot.train("tungsten.yaml")  # doctest: +SKIP
>>> potential = trimpot.load("output/model.trimpot")  # doctest: +SKIP
>>> atoms.calc = trimpot.Calculator(potential)  # doctest: +SKIP

Units are eV and angstrom; signs and conventions: docs/conventions.md. Names are imported
when they are first used, so that ``import trimpot`` is fast.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trimpot.data import read
    from trimpot.engines.ase import Calculator
    from trimpot.errors import TrimpotError
    from trimpot.files import load, save
    from trimpot.verbs import (
        check_data,
        compare,
        evaluate,
        learn,
        relax,
        report,
        show,
        singlepoint,
        suites,
        train,
        validate,
    )

    __version__: str

__all__ = [
    "Calculator",
    "TrimpotError",
    "__version__",
    "check_data",
    "compare",
    "evaluate",
    "learn",
    "load",
    "read",
    "relax",
    "report",
    "save",
    "show",
    "singlepoint",
    "suites",
    "train",
    "validate",
]

_HOMES = {
    "Calculator": "trimpot.engines.ase",
    "TrimpotError": "trimpot.errors",
    "check_data": "trimpot.verbs",
    "compare": "trimpot.verbs",
    "evaluate": "trimpot.verbs",
    "learn": "trimpot.verbs",
    "load": "trimpot.files",
    "read": "trimpot.data",
    "relax": "trimpot.verbs",
    "report": "trimpot.verbs",
    "save": "trimpot.files",
    "show": "trimpot.verbs",
    "singlepoint": "trimpot.verbs",
    "suites": "trimpot.verbs",
    "train": "trimpot.verbs",
    "validate": "trimpot.verbs",
}


def __getattr__(name: str) -> object:
    """Import a name of this module on first use (PEP 562)."""
    if name == "__version__":
        value: object = import_module("trimpot.files.release").release()
    elif name in _HOMES:
        value = getattr(import_module(_HOMES[name]), name)
    else:
        raise AttributeError(f"module 'trimpot' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted({*globals(), *__all__})
