"""Results of suites in files: found again by all that they depend on."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from trimpot.files.release import release
from trimpot.validation.properties.outcome import Outcome
from trimpot.validation.suite_results import Measured

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ase import Atoms

    from trimpot.validation.subjects import Subject
    from trimpot.validation.suites import Property


def key_of(subject: Subject, one: Property, needs: Mapping[str, Outcome]) -> str:
    """Return a digest of all that a result depends on."""
    phase = one.phase
    parts = (
        release(),
        subject.key,
        one.protocol.name,
        one.protocol.version,
        (phase.lattice, phase.elements, phase.a, phase.c_over_a),
        None if phase.given is None else _digest_of(phase.given),
        settings := asdict(one.settings),  # type: ignore[call-overload]
        _files_in(settings),
        {role: outcome.to_dict() for role, outcome in needs.items()},
    )
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def _digest_of(atoms: Atoms) -> str:
    parts = (atoms.numbers, atoms.positions, atoms.cell.array, atoms.pbc)
    return hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()


def _files_in(value: object) -> list[str]:
    """Return digests of the files that settings name, at any depth."""
    if isinstance(value, dict | list | tuple):
        inner = value.values() if isinstance(value, dict) else value
        return [digest for one in inner for digest in _files_in(one)]
    if isinstance(value, str) and value and Path(value).is_file():
        return [hashlib.sha256(Path(value).read_bytes()).hexdigest()]
    return []


def folder_name(name: str) -> str:
    """Return a name of a folder for a model, another one for each name."""
    clean = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-") or "model"
    return f"{clean}-{hashlib.sha256(name.encode()).hexdigest()[:6]}"


def stored(subject: Subject, one: Property, measured: Measured) -> str:
    """Return a result as JSON."""
    plain = {
        "model": subject.name,
        "model_key": subject.key,
        "property": one.name,
        "protocol": one.protocol.name,
        "version": one.protocol.version,
        "seconds": measured.seconds,
        "outcome": measured.outcome.to_dict(),
    }
    return json.dumps(plain, allow_nan=False)


def kept_result(path: Path) -> Measured | None:
    """Return a result that was written before; what is damaged counts as none."""
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        return Measured(
            Outcome.from_dict(plain["outcome"]), float(plain["seconds"]), cached=True
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
