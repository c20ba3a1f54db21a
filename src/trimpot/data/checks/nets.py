"""Forces that do not add up to zero."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trimpot.data.checks.findings import LEAVE_OUT, Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trimpot.data.checks.contacts import Contact
    from trimpot.data.frames import Frame
    from trimpot.data.rules import ReadRules

_WHOLE_SET = 0.1  # of the forces: net force over sqrt(n) where most frames have one
_FRAME = 0.3
_LEAST = 0.02  # eV/A
_PER_ATOM = 0.1  # eV/A: less is within the errors of most fits
_ABOVE_MOST = 8.0  # times the median of all frames


def force_sum_findings(
    frames: Sequence[Frame], contacts: Sequence[Contact], rules: ReadRules
) -> list[Finding]:
    """Return net forces, frozen atoms and forces beyond the limit of the rules."""
    return [*_net(frames), *_frozen(frames, contacts), *_large(frames, rules)]


def _net(frames: Sequence[Frame]) -> list[Finding]:
    labelled = [f for f in frames if f.forces is not None and len(f) > 1]
    if not labelled:
        return []
    roots = np.sqrt([len(f) for f in labelled])
    net = np.array([np.linalg.norm(f.forces.sum(axis=0)) for f in labelled])  # type: ignore[union-attr]
    net /= roots
    size = np.array([np.sqrt((f.forces**2).mean()) for f in labelled])  # type: ignore[operator]
    typical, middle = float(np.median(size)), float(np.median(net))
    if middle > max(_WHOLE_SET * typical, _LEAST):
        return [
            Finding(
                "net-force",
                "warning",
                "forces of most frames do not add up to zero",
                f"net force over sqrt(atoms) is {middle:.3g} eV/A in the median, "
                f"{float(net.max()):.3g} at most, beside forces of {typical:.3g}",
                "tighten convergence or grid of the calculations, or subtract the mean "
                "force of each frame; forces cannot be fitted better than this",
            )
        ]
    limits = np.maximum(np.maximum(_FRAME * size, _ABOVE_MOST * middle), _PER_ATOM * roots)
    odd = tuple(f.source for f, bad in zip(labelled, net > limits, strict=True) if bad)
    if not odd:
        return []
    return [
        Finding(
            "net-force",
            "warning",
            "forces of some frames do not add up to zero",
            f"{len(odd)} frames have up to {float((net * (net > limits)).max()):.3g} eV/A "
            f"over sqrt(atoms); most have {middle:.2g}",
            "not converged, constrained, or damaged: " + LEAVE_OUT,
            odd,
            leave_out=True,
        )
    ]


def _frozen(frames: Sequence[Frame], contacts: Sequence[Contact]) -> list[Finding]:
    odd = tuple(f.source for f, c in zip(frames, contacts, strict=True) if c.frozen)
    if not odd:
        return []
    most = max(c.frozen for c in contacts)
    return [
        Finding(
            "forces-frozen",
            "warning",
            "single atoms have forces of exactly 0, as constraints leave them",
            f"{len(odd)} frames, up to {most} atoms whose surroundings are not symmetric",
            "write forces without constraints (ASE: get_forces(apply_constraint=False)); "
            + LEAVE_OUT,
            odd,
            leave_out=True,
        )
    ]


def _large(frames: Sequence[Frame], rules: ReadRules) -> list[Finding]:
    sizes = [0.0 if f.forces is None else float(np.abs(f.forces).max()) for f in frames]
    odd = tuple(f.source for f, s in zip(frames, sizes, strict=True) if s > rules.max_force)
    if not odd:
        return []
    return [
        Finding(
            "force-large",
            "error",
            f"forces beyond {rules.max_force:g} eV/A",
            f"{len(odd)} frames; the largest is {max(sizes):.4g} eV/A",
            LEAVE_OUT + "; if they are meant: `--set data.rules.max_force=1e6`",
            odd,
            leave_out=True,
        )
    ]
