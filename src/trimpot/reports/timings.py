"""Tables of what force calls cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trimpot.reports.document import TextTable
from trimpot.reports.numbers import significant

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trimpot.benchmarks.cases import Case
    from trimpot.benchmarks.floors import Peaks
    from trimpot.benchmarks.spread import Spread

UNKNOWN = "-"


def time_table(case: Case) -> TextTable:
    """Return us/atom/step of every subject of a case, and ratios to the reference."""
    reference = case.measurement(case.reference)
    rows = []
    for m in case.measurements:
        time, ratio = m.microseconds(case.atoms), m.ratio(reference)
        in_lists = sum(run.list for run in m.runs) / sum(run.seconds for run in m.runs)
        memory = case.memory.get(m.name)
        rows.append(
            (
                m.name,
                significant(time.median),
                _range(time),
                f"{in_lists:.0%}",
                significant(ratio.median),
                _range(ratio),
                UNKNOWN if memory is None else f"{memory:,.0f}",
            )
        )
    threads = f", {case.threads} thread" + "s" * (case.threads > 1) if case.threads else ""
    header = ("us/atom/step", "median", "range", "list", "ratio", "range", "bytes/atom")
    return TextTable(f"{case.title}, {case.atoms:,} atoms{threads}", header, tuple(rows))


def case_lines(case: Case) -> tuple[str, ...]:
    """Return what a reader of the table must know, one fact a line."""
    return (f"structure: {case.structure}", *count_lines(case), *ratio_lines(case))


def count_lines(case: Case) -> tuple[str, ...]:
    """Return neighbours and triplets per atom."""
    counts = case.counts
    lines = [
        f"per atom: {counts.neighbors:.1f} neighbours within the cutoff, "
        f"{counts.listed:.1f} listed with the skin",
    ]
    lines += [
        f"part {name} to {part.cutoff:g} A: {part.neighbors:.1f} neighbours"
        + (f", {part.triplets:.1f} triplets" if name.endswith("triplet") else "")
        + (" before screening" if name.startswith("screened") else "")
        for name, part in counts.parts.items()
    ]
    return tuple(lines)


def ratio_lines(case: Case) -> tuple[str, ...]:
    """Return what ratios refer to, and whether equal potentials have equal energies."""
    lines = [f"ratio: time over that of {case.reference}, repeat by repeat"]
    differences = case.energy_differences()
    if differences:
        first = next(m.name for m in case.measurements if m.same_potential)
        far = ", ".join(f"{name} {value:+.1e}" for name, value in differences.items())
        lines.append(f"energy at the start beside {first}, eV/atom: {far}")
    return tuple(lines)


def parts_table(cases: Sequence[Case]) -> TextTable | None:
    """Return where the time goes and how far the floor is; None if nothing is known."""
    parts = list(dict.fromkeys(p for c in cases for p in c.counts.parts))
    floors = any(case.floors for case in cases)
    rows = [
        (
            f"{case.title}, {case.atoms:,}, {name}",
            *(_share(share, part) for part in ("list", *parts, "shared")),
            *(_floor(case, name) if floors else ()),
        )
        for case in cases
        for name, share in case.shares.items()
    ]
    if not rows:
        return None
    header = (
        "us/atom/step",
        *("list", *(part.replace("_", " ") for part in parts), "shared"),
        *(("floor: flops", "floor: bytes", "time / floor") if floors else ()),
    )
    title = f"Share of each part{', and the floor' if floors else ''}"
    return TextTable(title, header, tuple(rows))


def _floor(case: Case, name: str) -> tuple[str, str, str]:
    """Return the two floors of a subject, and how far its time is above the larger."""
    floor = case.floors.get(name)
    if floor is None:
        return (UNKNOWN,) * 3
    whole = case.measurement(name).microseconds(case.atoms).median
    return (
        significant(floor.us_by_flops),
        significant(floor.us_by_bytes),
        f"{whole / floor.us:.1f}",
    )


def unit_costs(cases: Sequence[Case]) -> TextTable | None:
    """Return ns per listed pair and per triplet of each own subject; None without."""
    rows = []
    for case in cases:
        for name, share in case.shares.items():
            counts = case.counts
            pair = share.get("pair")
            triplet = share.get("triplet")
            triplets = counts.parts["triplet"].triplets if triplet is not None else 0.0
            rows.append(
                (
                    f"{case.title}, {case.atoms:,}, {name}",
                    UNKNOWN if pair is None else f"{1e3 * pair / counts.listed:.2f}",
                    UNKNOWN
                    if triplet is None or triplets == 0.0
                    else f"{1e3 * triplet / triplets:.2f}",
                )
            )
    if not rows:
        return None
    return TextTable("Unit costs", ("ns", "per listed pair", "per triplet"), tuple(rows))


def peak_line(peaks: Peaks) -> str:
    """Return the peaks of the machine in words."""
    return (
        f"peaks, {peaks.threads} thread: {peaks.gflops['double']:.0f} GFLOP/s double, "
        f"{peaks.gflops['mixed']:.0f} single (matrix products of NumPy's BLAS); "
        f"{peaks.copy_gb_per_s:.0f} GB/s (copy)"
    )


def _share(share: Mapping[str, float], part: str) -> str:
    value = share.get(part)
    return UNKNOWN if value is None else f"{value:.3f}"


def _range(spread: Spread) -> str:
    return f"{significant(spread.low)}-{significant(spread.high)}"
