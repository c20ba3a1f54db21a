"""Write docs/reference/configuration.md from the settings classes and their docstrings."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields
from pathlib import Path

from trimpot.config import (
    Config,
    DataSettings,
    EvaluationSettings,
    ModelSettings,
    NetworkModelSettings,
    to_plain,
)
from trimpot.config.hints import describe, hints_of, kind_of, settings_classes
from trimpot.data import (
    FieldSplit,
    LabelKeys,
    ListSplit,
    RandomSplit,
    ReadRules,
    TrainOnAll,
)
from trimpot.envelopes import EnvelopeSettings
from trimpot.envelopes.settings import Limits
from trimpot.fitting import FitSettings, QuantityWeights
from trimpot.networks.training.settings import TrainingSettings
from trimpot.splines.core import CoreSettings
from trimpot.splines.density_settings import DensitySettings
from trimpot.splines.pair_settings import PairOverride, PairSettings
from trimpot.splines.triplet_settings import TripletOverride, TripletSettings

PAGE = Path(__file__).parent / "reference" / "configuration.md"

INTRODUCTION = """# Configuration

Made by `docs/configuration.py` from the code; do not edit.

A configuration is a YAML file with sections. Unknown keys, wrong types and repeated keys
are errors. Where a list is expected, a single value may stand alone. A section that has a
`kind` may be written as that word alone, with defaults. `trimpot train CONFIG.yaml
--print-config` shows everything with all defaults.

```yaml
data:
  path: data.extxyz
model:
  terms: [{kind: pair, cutoff: 6.0}, triplet]
fit:
  kappa: [0.8, 0.9]
output: mymodel
```
"""

SECTIONS: tuple[tuple[str, type], ...] = (
    ("Top level", Config),
    ("data", DataSettings),
    ("data.keys", LabelKeys),
    ("data.rules", ReadRules),
    ("data.split, kind random", RandomSplit),
    ("data.split, kind field", FieldSplit),
    ("data.split, kind list", ListSplit),
    ("data.split, kind all", TrainOnAll),
    ("model, kind spline", ModelSettings),
    ("model.terms, kind pair", PairSettings),
    ("pairs of a pair term", PairOverride),
    ("model.terms, kind triplet", TripletSettings),
    ("trios of a triplet term", TripletOverride),
    ("model.terms, kind density", DensitySettings),
    ("model, kind mlanet", NetworkModelSettings),
    ("envelope of a term or network", EnvelopeSettings),
    ("trios of an envelope", Limits),
    ("model.core and model.prior, kind zbl", CoreSettings),
    ("fit", FitSettings),
    ("fit.weights", QuantityWeights),
    ("training", TrainingSettings),
    ("trimpot evaluate --set", EvaluationSettings),
)


def page() -> str:
    """Return the whole page."""
    return INTRODUCTION + "".join(_section(title, kind) for title, kind in SECTIONS)


def _section(title: str, settings: type) -> str:
    text = (settings.__doc__ or "").split("\n\n")[0].strip()
    lines = [f"\n## {title}\n", f"{_prose(text)}\n"]
    rows = list(_rows(settings))
    if rows:
        lines += ["| key | default | type | meaning |", "|---|---|---|---|", *rows, ""]
    return "\n".join(lines)


def _rows(settings: type) -> Iterator[str]:
    meanings, hints = _meanings(settings), hints_of(settings)
    for field in fields(settings):
        if field.name == "kind":
            continue
        names = [kind_of(c) for c in settings_classes(hints[field.name]).values()]
        kinds = [name for name in names if name]
        type_ = describe(hints[field.name])
        type_ = f"settings of kind {', '.join(kinds)}" if len(kinds) > 1 else type_
        cells = (f"`{field.name}`", _default(field), type_, meanings.get(field.name, ""))
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _default(field: Field[object]) -> str:
    if field.default_factory is not MISSING:
        return "see below" if field.default_factory() else "none"
    if field.default is MISSING:
        return "required"
    plain = to_plain(field.default)
    if isinstance(plain, list) and any(isinstance(item, dict) for item in plain):
        return ", ".join(str(item["kind"]) for item in plain if isinstance(item, dict))
    none = plain is None or plain == [] or plain == ""
    if isinstance(plain, list) and plain:
        return ", ".join(map(str, plain))
    return "none" if none else str(plain).lower() if isinstance(plain, bool) else f"{plain}"


def _meanings(settings: type) -> dict[str, str]:
    """Return what Attributes sections say of each name, those of bases included."""
    found: dict[str, str] = {}
    for kind in reversed(settings.__mro__):
        found |= _own_meanings(kind)
    return found


def _own_meanings(settings: type) -> dict[str, str]:
    part = re.split(r"Attributes\n\s+-+\n", settings.__doc__ or "")
    found: dict[str, str] = {}
    if len(part) < 2:
        return found
    body = re.split(r"\n\s+(?:Raises|Notes|References)\n\s+-+\n", part[1])[0]
    for block in re.split(r"\n    (?=\S)", "\n" + body.rstrip()):
        head, _, text = block.partition("\n")
        names = head.partition(":")[0]
        for name in names.split(","):
            found[name.strip()] = _prose(text)
    return found


def _prose(text: str) -> str:
    return re.sub(r"\s+", " ", text.replace("``", "`")).strip()


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"{PAGE}\n")
