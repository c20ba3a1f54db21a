"""What long dynamics showed, as text of a page."""

from __future__ import annotations

import numpy as np
import pages
from dynamics_runs import ENSEMBLES, HOTTEST, LONGEST, ORDER, SHORTEST, number
from dynamics_sets import SYSTEMS, Facts, difference

CURVES = {"ethanol": "h(r)", "water": "g(r) of O-O"}
Records = list[dict]


def of(records: Records, **wanted) -> Records:
    """Return the records of tasks with these facts, by seed."""
    found = [r for r in records if all(r["task"][k] == v for k, v in wanted.items())]
    return sorted(found, key=lambda record: record["task"]["seed"])


def potentials(records: Records, name: str) -> list[str]:
    """Return the names of a set's potentials in their order."""
    return list(dict.fromkeys(r["task"]["potential"] for r in of(records, set=name)))


def potential_table(records: Records) -> str:
    """Return what the potentials are."""
    head = ["set", "potential", "cutoff, A", "l_max", "triplet envelope"]
    head += ["training, s", "threads", "test force RMSE, meV/A"]
    lines = {}
    for record in records:
        task, one = record["task"], record["potential"]
        changed = ", ".join(f"{k} {text(v)}" for k, v in one["envelope"].items())
        lines[task["set"], task["potential"]] = [
            task["set"],
            task["potential"],
            f"{one['cutoff']:g}",
            str(one["l_max"]),
            (changed or "default") if one["screened"] else "none",
            number(one["training_seconds"], "g"),
            text(one["training_threads"]),
            number(one["forces_rmse"], ".1f"),
        ]
    return pages.table(head, list(lines.values()))


def text(value) -> str:
    """Return a setting as a table shows it."""
    if isinstance(value, dict):
        return " ".join(f"{k} {text(v)}" for k, v in value.items())
    if isinstance(value, list | tuple):
        return " ".join(map(text, value))
    return "-" if value is None else str(value)


def drifts(stable: Records) -> list[str]:
    """Return the mean slope with its error, the largest, and what is around the line."""
    slopes = [r["drift"] for r in stable if r["drift"] is not None]
    around = [r["fluctuation"] for r in stable if r["fluctuation"] is not None]
    if not slopes:
        return ["-"] * 3
    mean = f"{np.mean(slopes):+.1e}"
    if len(slopes) > 1:
        mean += f" ± {np.std(slopes, ddof=1) / len(slopes) ** 0.5:.0e}"
    return [mean, f"{np.abs(slopes).max():.1e}", f"{np.mean(around):.2e}"]


def run_row(runs: Records, facts: Facts, ensemble: str) -> list[str]:
    """Return the cells of the runs of a potential in an ensemble."""
    stable = [r for r in runs if r["unstable"] is None]
    ended = len(runs) - len(stable)
    cells = [f"**{ended}** of {len(runs)}" if ended else f"0 of {len(runs)}"]
    cells.append(f"{sum(r['done_ps'] for r in runs):.4g}")
    if not stable:
        return cells + ["-"] * 6
    warmth = [r["temperature_k"] for r in stable]
    curve = np.mean([r["curve"] for r in stable], axis=0)
    cells.append(f"{np.mean(warmth):.0f} ({min(warmth):.0f} to {max(warmth):.0f})")
    cells += drifts(stable) if ensemble == "NVE" else ["-"] * 3
    cells.append(f"{difference(curve, facts.curve, facts.cell):.3f}")
    return [*cells, f"{np.median([r['steps_per_second'] for r in stable]):.0f}"]


def run_table(records: Records, name: str, facts: Facts) -> str:
    """Return stability, energies and distances of all runs of a set."""
    head = ["potential", "ensemble", "unstable runs", "ps in all", "mean temperature, K"]
    head += ["drift, meV/atom/ps", "largest", "fluctuation, meV/atom"]
    head += [f"difference of {CURVES[name]}", "steps per second"]
    lines = []
    for potential in potentials(records, name):
        for ensemble in ENSEMBLES:
            runs = of(records, set=name, potential=potential, kind=ensemble)
            if runs:
                cells = run_row(runs, facts, ensemble)
                lines.append([potential, ensemble, *cells])
    return pages.table(head, lines)


def order_table(records: Records) -> str:
    """Return drift and fluctuation with the whole step and with half of it."""
    lines = []
    for record in of(records, kind=ORDER):
        task = record["task"]
        steps = record.get("steps", [])
        if record["unstable"] is not None or any(s["drift"] is None for s in steps):
            lines.append([task["set"], task["potential"], *["-"] * 5])
            continue
        whole, half = steps
        lines.append(
            [
                task["set"],
                task["potential"],
                *(f"{s['drift']:+.1e} ± {s['drift_error']:.0e}" for s in steps),
                *(number(s["fluctuation"], ".2e") for s in steps),
                f"{whole['fluctuation'] / half['fluctuation']:.2f}",
            ]
        )
    step = records[0]["task"]["timestep_fs"]
    head = ["set", "potential"]
    head += [f"drift at {dt:g} fs, meV/atom/ps" for dt in (step, 0.5 * step)]
    head += [f"fluctuation at {dt:g} fs, meV/atom" for dt in (step, 0.5 * step)]
    return pages.table([*head, "ratio"], lines)


def unstable_lines(records: Records) -> str:
    """Return when and why runs ended early."""
    lines = []
    for record in records:
        if (broken := record["unstable"]) is not None:
            task = record["task"]
            when = f"{broken['time_ps']:.2f} ps" + (" of heating" * broken["heating"])
            name = (
                f"{task['set']}, {task['potential']}, {task['kind']}, seed {task['seed']}"
            )
            lines.append(f"- {name}: {broken['reason']} at {when}")
    return "\n".join(lines) + "\n" if lines else "No run was unstable.\n"


def heading(records: Records, facts: dict[str, Facts]) -> str:
    """Return dates, machines and what was asked for."""
    dates = sorted({r["date"] for r in records})
    lines = [f"- date: {' to '.join(dict.fromkeys((dates[0], dates[-1])))}"]
    for key in records[0]["machine"]:
        values = dict.fromkeys(str(r["machine"].get(key)) for r in records)
        lines.append(f"- {key}: {', '.join(values)}")
    processes = sorted({r["processes"] for r in records})
    busiest = max((r["load"] / float(r["machine"]["cores"]) for r in records), default=0.0)
    lines.append(
        f"- at most {', '.join(map(str, processes))} runs at once, one thread each; load "
        f"while they ran, mean of a minute: up to {busiest:.0%} of the cores"
    )
    task = records[0]["task"]
    lines.append(
        f"- {task['timestep_fs']:g} fs a step, {task['precision']} precision, "
        f"{task['heating_ps']:g} ps with the thermostat before anything is measured"
    )
    for name, one in facts.items():
        own = of(records, set=name)
        if not own:
            continue
        runs = {f"{r['task']['ps']:g}" for r in own if r["task"]["kind"] != ORDER}
        seeds = sorted({r["task"]["seed"] for r in own})
        lines.append(
            f"- {name}: {len(one.numbers)} atoms, {SYSTEMS[name].temperature_k:g} K, "
            f"{' or '.join(sorted(runs))} ps a run, seeds {', '.join(map(str, seeds))}; "
            f"{CURVES[name]} of one half of the data differs from that of the other by "
            f"{one.floor:.3f}"
        )
    return "\n".join(lines) + "\n"


def page(records: Records, facts: dict[str, Facts]) -> str:
    """Return what the page shows."""
    parts = [heading(records, facts), potential_table(records)]
    parts += [
        f"{name}:\n\n{run_table(records, name, one)}"
        for name, one in facts.items()
        if of(records, set=name)
    ]
    parts.append(
        f"Unstable: not finite, a bond {LONGEST:g} times the longest of its kind in the "
        f"data, a pair nearer than {SHORTEST:g} of the shortest, or {HOTTEST:g} times the "
        "temperature. Means and curves are those of stable runs.\n"
    )
    parts.append(unstable_lines(records))
    if of(records, kind=ORDER):
        parts.append(
            "One run at constant energy with the whole step and with half of it, from the "
            f"same start; order 2 has the ratio 4:\n\n{order_table(records)}"
        )
    return "\n".join(parts)
