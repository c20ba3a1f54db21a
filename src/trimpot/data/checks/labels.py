"""Keys: labels that are missing, misspelt, or taken from different keys."""

from __future__ import annotations

import difflib
from collections import defaultdict
from typing import TYPE_CHECKING

from trimpot.data.checks.findings import Finding, listed, option
from trimpot.data.labels import DIALECTS
from trimpot.data.tally import Tally, mixed_energies

if TYPE_CHECKING:
    from trimpot.data.frames import Frame
    from trimpot.data.labels import LabelKeys
    from trimpot.data.salvage import Key, Salvage

_SIMILAR = 0.72
_OTHER_WORDS = {
    "energy": ("e", "etot", "e_tot", "toten", "total_e", "epot", "e_pot", "enthalpy"),
    "forces": ("f", "frc", "fxyz", "gradient", "gradients", "grad", "f_dft", "dft_f"),
    "stress": ("sigma", "stresses", "pressure_tensor", "s", "stress_tensor"),
}  # fmt: skip
_KINDS = {"energy": ("number",), "forces": ("vectors", "tensor"), "stress": ("tensor",)}
_PLACES = {
    "energy": ("results", "fields"),
    "forces": ("results", "columns"),
    "stress": ("results", "fields"),
}
_ROOTS = {"energy": ("energ",), "forces": ("forc",), "stress": ("stress", "virial")}
_APART = ("per_atom", "kinetic", "magmom", "momenta", "velo", "charge", "dipole", "std")


def label_findings(
    found: Salvage, keys: LabelKeys, *, needed: bool = True
) -> list[Finding]:
    """Return findings about keys: none recognised, misspelt, chosen in vain, mixed.

    ``needed`` says whether data without energies and forces are an error.
    """
    findings = _selected(found, keys) or _misspelt(found)
    if (
        needed
        and found.frames
        and not any(_has(f, r) for f in found.frames for r in _ROLES)
    ):
        findings = _none(found, findings)
    findings += [f for tally in found.tallies for f in _mixed(tally)]
    return findings + _of_outputs(found)


_ROLES = ("energy", "forces")


def _has(frame: Frame, role: str) -> bool:
    return getattr(frame, role) is not None


def _selected(found: Salvage, keys: LabelKeys) -> list[Finding]:
    """Return errors for keys that the user chose and no frame has."""
    used = set().union(*(tally.used for tally in found.tallies)) if found.tallies else set()
    names = sorted(set().union(*(tally.names for tally in found.tallies), ()))
    findings = []
    for role, key in keys.selected().items():
        if (role, key) in used or not found.frames:
            continue
        near = difflib.get_close_matches(key, names, n=1, cutoff=0.5)
        hint = near[0] if near else "KEY"
        findings.append(
            Finding(
                "key-missing",
                "error",
                f"no frame has the key '{key}' chosen for {role}",
                f"keys that exist: {', '.join(names) or 'none'}",
                f"choose one that exists: {option(f'keys.{role}={hint}')}",
            )
        )
    return findings


def _misspelt(found: Salvage) -> list[Finding]:
    """Return what looks like a label in frames that lack it."""
    lacking: dict[tuple[str, str], list[str]] = defaultdict(list)
    for frame, keys in zip(found.frames, found.keys, strict=True):
        for role in _KINDS:
            if not _has(frame, role):
                for name in _lookalikes(role, keys):
                    lacking[role, name].append(frame.source)
    findings = []
    for (role, name), sources in lacking.items():
        have = sum(_has(frame, role) for frame in found.frames)
        setting = "virial" if "vir" in name.lower() else role
        cure = f"name the key: {option(f'keys.{setting}={name}')}"
        if have:
            cure = f"rename '{name}' to {role} in these frames, as in the others"
        findings.append(
            Finding(
                "key-misspelt",
                "warning" if have or role == "stress" else "error",
                f"no {role} recognised, but '{name}' looks like it",
                f"in {len(sources)} of {len(found.frames)} frames; {have} frames have "
                f"{role} under a key that is recognised",
                cure,
                tuple(sources),
            )
        )
    return findings


def _lookalikes(role: str, keys: tuple[Key, ...]) -> list[str]:
    found = []
    for name, origin, kind in keys:
        if kind not in _KINDS[role] or origin not in _PLACES[role]:
            continue
        low = name.lower()
        if any(part in low for part in _APART):
            continue
        rooted = any(root in low for root in _ROOTS[role])
        words = (*DIALECTS[role], *_OTHER_WORDS[role])
        near = difflib.get_close_matches(low, words, n=1, cutoff=_SIMILAR)
        if rooted or near:
            found.append(name)
    return found


def _none(found: Salvage, so_far: list[Finding]) -> list[Finding]:
    """Return the error of data without any energy or force, with the keys there are."""
    if any(f.severity == "error" for f in so_far):
        return so_far
    names = sorted(set().union(*(tally.names for tally in found.tallies)))
    return [
        *so_far,
        Finding(
            "labels-missing",
            "error",
            "no energies and no forces in any frame",
            f"keys that exist: {', '.join(names) or 'none'}",
            f"name the right keys: {option('keys.energy=KEY', 'keys.forces=KEY')}",
        ),
    ]


def _mixed(tally: Tally) -> list[Finding]:
    """Return labels that come from different keys within one file."""
    findings = []
    for label, counts in tally.keys.items():
        if len(counts) > 1:
            names = tuple(f"{key} in {n} frames" for key, n in counts.items())
            first = next(iter(counts)).split(" ")[0]
            findings.append(
                Finding(
                    "keys-mixed",
                    "warning",
                    f"{label} comes from different keys",
                    f"{tally.path}: {listed(names)}",
                    "check that both are the same level of theory; to use one only: "
                    + option(f"keys.{label}={first}"),
                )
            )
    return findings


def _of_outputs(found: Salvage) -> list[Finding]:
    """Return outputs of codes that stopped, and mixtures of kinds of energies."""
    stopped = [
        Finding(
            "file-unfinished",
            "warning",
            "a calculation did not reach its end",
            remark,
            "use it as it is, run the calculation again, or copy the file again",
        )
        for tally in found.tallies
        for remark in tally.remarks
    ]
    mixed = [
        Finding(
            "energy-kinds",
            "warning",
            "files give different kinds of energies",
            text,
            f"name one that all files have: {option('keys.energy=free_energy')}",
        )
        for text in mixed_energies(found.tallies)
    ]
    return stopped + mixed
