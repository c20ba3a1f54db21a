"""The verb ``check-data``: what is in reference data, what is wrong, and what to do."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from trimpot.data import LabelKeys, ReadRules
from trimpot.data.checks import (
    SEVERITIES,
    Finding,
    force_findings,
    force_sum_findings,
    geometry_findings,
    group_scale_findings,
    label_findings,
    refusal_findings,
    repeat_findings,
    scale_findings,
    stress_findings,
    value_findings,
)
from trimpot.data.checks.overview import Group, overview
from trimpot.data.report import ReadReport
from trimpot.data.salvage import salvage, without
from trimpot.verbs.check_outputs import write_clean, write_results
from trimpot.verbs.contacts import contacts
from trimpot.verbs.fit_checks import Known, fit_findings
from trimpot.verbs.watching import Silent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trimpot.data import E0Setting, Frame
    from trimpot.data.checks import Contact
    from trimpot.data.frames import Scalar
    from trimpot.data.salvage import Salvage
    from trimpot.verbs.watching import Watcher

_LENGTHS = {"length-unit", "positions-fractional", "volume"}
_CLOSEST = 0.62  # of covalent radii: closer atoms are beyond what a quick fit describes
_PLACEHOLDER = r"KEY|NAME|UNIT|[{']"
_LONGEST = 120  # characters of file names that are put into remedies


@dataclass(frozen=True)
class CheckResult:
    """What ``check_data`` found.

    Attributes
    ----------
    findings : tuple of Finding
        Errors first, then warnings, then notes.
    report : ReadReport
        What was read, file by file.
    groups : tuple of Group
        What is in the data, by config_type.
    frames : tuple of Frame
        Frames that could be read.
    near_frames : dict
        Pairs of near frames that forces and stresses were compared along.
    command : str or None
        The command that applies the remedies of the errors, where settings or leaving out
        frames are remedies.
    output, clean : Path or None
        Folder of the results, and file of the frames without a fault, if written.
    """

    findings: tuple[Finding, ...]
    report: ReadReport
    groups: tuple[Group, ...]
    frames: tuple[Frame, ...]
    near_frames: dict[str, int]
    command: str | None = None
    output: Path | None = None
    clean: Path | None = None

    def count(self, severity: str) -> int:
        """Return the number of findings of a severity: error, warning or note."""
        return sum(f.severity == severity for f in self.findings)

    def failed(self, *, strict: bool = False) -> bool:
        """Whether there are errors, or warnings where these count."""
        return bool(self.count("error") or (strict and self.count("warning")))

    def to_dict(self) -> dict[str, object]:
        """Return everything but the frames, ready for JSON."""
        return {
            "counts": {name: self.count(name) for name in SEVERITIES},
            "command": self.command,
            "findings": [finding.to_dict() for finding in self.findings],
            "frames": self.report.n_frames,
            "atoms": self.report.n_atoms,
            "groups": [group.to_dict() for group in self.groups],
            "near_frames": self.near_frames,
            "files": self.report.to_dict()["files"],
            "output": None if self.output is None else str(self.output),
            "clean": None if self.clean is None else str(self.clean),
        }


def check_data(
    paths: str | Path | Sequence[str | Path],
    *,
    output: str | Path | None = None,
    clean: str | Path | None = None,
    keys: LabelKeys = LabelKeys(),  # noqa: B008 - frozen
    rules: ReadRules = ReadRules(),  # noqa: B008 - frozen
    where: Mapping[str, Scalar | Sequence[Scalar]] | None = None,
    format: str | None = None,
    E0s: E0Setting = "auto",
    fit: bool = True,
    threads: int = 0,
    watcher: Watcher = Silent(),  # noqa: B008 - has no state
) -> CheckResult:
    """Return what is in reference data and what is wrong with them.

    Bad frames are listed and the others checked all the same.

    Parameters
    ----------
    paths
        Files or patterns.
    output
        Folder for findings.json, findings.md and figures; made if missing.
    clean
        Extended XYZ file for all frames that no finding would leave out, in eV and
        angstrom.
    keys, rules, where, format
        As ``trimpot.read``.
    E0s
        Where the energies of isolated atoms come from, as in a configuration: isolated
        atoms are compared with the other frames only where they would be used.
    fit
        Whether to make a quick fit, for outliers and where near frames are missing.
    threads
        Threads; 0 means all available cores.
    watcher
        Told what is read and how far the work is.

    Raises
    ------
    InputError
        If a path or pattern matches no file.
    WriteError
        If a result cannot be written.
    """
    given = [paths] if isinstance(paths, str | Path) else list(paths)
    found = salvage(
        given,
        keys=keys,
        rules=rules,
        where=where,
        format=format,
        progress=lambda done, total: watcher.progress("reading", done, total),
    )
    near = contacts(found.frames, lambda d, n: watcher.progress("distances", d, n))
    problems = {i: c.problem for i, c in enumerate(near) if c.problem}
    found, near = without(found, problems), [c for c in near if not c.problem]
    findings, pairs = _findings(found, near, keys, rules, watcher)
    units = {f.code for f in findings} & {"energy-force-unit", "energy-per-atom"}
    use_atoms = E0s in ("auto", "isolated") and not units
    findings += scale_findings(found.frames, use_atoms=use_atoms)
    if fit and not {f.code for f in findings} & _LENGTHS:
        named = {s for f in findings if f.leave_out for s in f.frames}
        codes = {f.code for f in findings}
        ratios = {f.source: c.ratio for f, c in zip(found.frames, near, strict=True)}
        known = Known(codes, pairs["forces"], pairs["stresses"], named, ratios)
        usable = [f for f in found.frames if _may_be_fitted(f, known)]
        findings += fit_findings(usable, known, threads=threads, watcher=watcher)
    ordered = _ordered(findings, given)
    result = CheckResult(
        ordered,
        ReadReport(tuple(tally.report() for tally in found.tallies)),
        overview(found.frames, near),
        found.frames,
        pairs,
        command=cure_command(ordered, given),
    )
    if clean is not None:
        result = replace(result, clean=write_clean(result, Path(clean)))
    if output is not None:
        result = replace(result, output=Path(output))
        write_results(result, near)
    return result


def _findings(
    found: Salvage,
    near: Sequence[Contact],
    keys: LabelKeys,
    rules: ReadRules,
    watcher: Watcher,
) -> tuple[list[Finding], dict[str, int]]:
    """Return findings that need no fit, and how many near frames told."""
    frames = found.frames
    findings = refusal_findings(found.refusals) + label_findings(
        found, keys, needed=rules.require_labels
    )
    geometry = geometry_findings(frames, near, rules)
    findings += geometry
    findings += force_sum_findings(frames, near, rules)
    scaled = bool(_LENGTHS & {f.code for f in geometry})
    open_boxes = {s for f in geometry if f.code == "pbc-off" for s in f.frames}
    asymmetric = [
        c.asymmetric and not scaled and f.source not in open_boxes
        for f, c in zip(frames, near, strict=True)
    ]  # without their periods, atoms of crystals have a surface
    findings += value_findings(frames, asymmetric)
    findings += repeat_findings(frames)
    findings += group_scale_findings(frames)
    watcher.progress("near frames", 0, 2)
    named = {s for f in findings if _is_own_fault(f) for s in f.frames}
    sound = [f for f in frames if f.source not in named] or list(frames)
    forces, force_pairs = force_findings(sound)
    watcher.progress("near frames", 1, 2)
    stresses, stress_pairs = stress_findings(sound, _stress_keys(sound, found),
                                             rules.stress_unit)  # fmt: skip
    watcher.progress("near frames", 2, 2)
    pairs = {"forces": force_pairs, "stresses": stress_pairs}
    if any(f.code in _LENGTHS for f in geometry):
        return findings, pairs  # ratios follow from the lengths
    if forces:  # energies or lengths in another unit make stresses wrong as well
        stresses = [f for f in stresses if f.code != "stress-mismatch"]
    return findings + forces + stresses, pairs


def _is_own_fault(finding: Finding) -> bool:
    """Whether each frame is at fault, not two beside each other."""
    return finding.leave_out and finding.code != "labels-conflict"


def _may_be_fitted(frame: Frame, known: Known) -> bool:
    """Whether a quick fit can describe a frame: no isolated atom, none very close."""
    return (
        frame.source not in known.sources and _CLOSEST < known.ratios[frame.source] < np.inf
    )


def _stress_keys(frames: Sequence[Frame], found: Salvage) -> list[str]:
    """Return whether the stress of each frame came from a stress or a virial."""
    virial = any(role == "virial" for tally in found.tallies for role, _ in tally.used)
    stress = any(role == "stress" for tally in found.tallies for role, _ in tally.used)
    return ["virial" if virial and not stress else "stress"] * len(frames)


def cure_command(findings: Sequence[Finding], paths: Sequence[str | Path]) -> str | None:
    """Return the command with the first remedies of all errors, or None without any."""
    options: list[str] = []
    for finding in findings:
        found = re.search(r"`(--set data\.[^`]*)`", finding.remedy)
        if finding.severity != "error" or found is None:
            continue
        if not re.search(_PLACEHOLDER, found[1]) and found[1] not in options:
            options.append(found[1])
    if any(f.leave_out and "--clean" in f.remedy for f in findings):
        options.append("--clean good.extxyz")
    files = shlex.join(map(str, paths))
    return f"trimpot check-data {files} {' '.join(options)}" if options else None


def _ordered(findings: list[Finding], paths: list[str | Path]) -> tuple[Finding, ...]:
    """Return findings worst first, with the files in their commands."""
    files = shlex.join(map(str, paths))
    if len(files) <= _LONGEST:
        findings = [replace(f, remedy=f.remedy.replace("FILES", files)) for f in findings]
    return tuple(sorted(findings, key=lambda f: SEVERITIES.index(f.severity)))
