"""Tables and figures of the rivals, from plain results."""

from __future__ import annotations

import numpy as np
import pages
from matplotlib.lines import Line2D

from trimpot.reports.style import (
    AMBER,
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PAGE_WIDTH,
    PURPLE,
    SKY,
    house_style,
    new_figure,
)

from .counting import EDGE_BYTES, PARTNER_BYTES, TRIPLET_BYTES

COLOURS = {
    "unpruned": INK,
    "triplet envelope": BLUE,
    "triplet envelope, softmin": SKY,
    "triplet envelope, MEAM switch": PURPLE,
    "budgeted envelope": GREEN,
    "shorter cutoff": GREY,
    "K nearest, hard": ORANGE,
    "K nearest, soft": AMBER,
    "adaptive cutoff": "#8A6D3B",
}
GAP = "4.5"
"""A, of the figure."""

TARGET_NOISE = 1e-6
"""Below, a jump of 2e-9 A of path is what a smooth function changes by."""


def spread(values, digits: int) -> str:
    """Return the mean of subsets, and half their range."""
    half = 0.5 * (max(values) - min(values))
    return f"{np.mean(values):.{digits}f} ± {half:.{digits}f}"


def errors_table(results) -> str:
    """Return errors and edges, per C_min."""
    lines = [line for at in results for line in _error_lines(at)]
    head = ["", "matched", "edges per atom", "most", "sum of weights"]
    head += ["energy RMSE, meV/atom", "forces RMSE, eV/Å", "forces MAE, eV/Å"]
    return "**Errors on test frames**\n\n" + pages.table(head, lines)


def _error_lines(results) -> list[list[str]]:
    return [
        [
            r["name"],
            r["parameter"] or "-",
            f"{r['counts']['edges']:.1f}",
            f"{r['counts']['most']:.0f}",
            f"{r['counts']['weight']:.1f}",
            spread(r["errors"]["energy"], 1),
            spread(r["errors"]["forces"], 3),
            spread(r["errors"]["forces_mae"], 3),
        ]
        for r in results
    ]


def cost_table(results) -> str:
    """Return time and memory of hot tungsten."""
    lines = []
    for r in results:
        c, n = r["cost"], r["hot_counts"]
        stored = n["edges"] * EDGE_BYTES + n["partners"] * PARTNER_BYTES
        lines.append(
            [
                r["name"],
                f"{n['edges']:.1f}",
                f"{1e3 * c['list_ms'] / c['atoms']:.1f}",
                f"{1e3 * c['weights_ms'] / c['atoms']:.1f}",
                f"{1e3 * c['call_ms'] / c['atoms']:.0f}",
                f"{stored / 1024:.1f}",
                f"{n['triplets']:.0f}",
                f"{(stored + n['triplets'] * TRIPLET_BYTES) / 1024:.1f}",
            ]
        )
    head = ["", "edges per atom", "list, us/atom", "weights, us/atom"]
    head += [
        "force call, us/atom",
        "edges, KiB/atom",
        "triplets per atom",
        "with triplets, KiB/atom",
    ]
    return f"**Cost** ({results[0]['cost']['atoms']} atoms)\n\n" + pages.table(head, lines)


def conservation_table(results) -> str:
    """Return drift and jumps."""
    lines = []
    for r in results:
        d, j = r["run"]["drift"], r["jumps"]
        lines.append(
            [
                r["name"],
                f"{d['slope']:+.1e} ± {d['error']:.0e}" if d else "left its well",
                f"{d['fluctuation']:.3f}" if d else "-",
                f"{r['run']['largest_step']:.3f}",
                str(j["boundaries"]),
                jump(j["energy"]),
                jump(j["force"]),
                jump(j["curvature"]),
            ]
        )
    head = ["", "drift, meV/atom/ps", "fluctuation, meV/atom", "largest step, meV/atom"]
    head += ["boundaries", "jump of energy, eV", "of a force, eV/Å", "of curvature, eV/Å²"]
    temperature = np.mean([r["run"]["temperature_k"] for r in results])
    title = f"**Constant energy** (about {temperature:.0f} K) **and boundaries**\n\n"
    return title + pages.table(head, lines)


def jump(value: float) -> str:
    """Return a jump in bold where it is one."""
    return f"**{value:.1e}**" if value > TARGET_NOISE else f"{value:.0e}"


def gap_table(results) -> str:
    """Return what is left across a gap."""
    gaps = [key for key in results[0]["gap"] if key not in ("parameter", "edges")]
    lines = [
        [
            r["name"],
            r["gap"]["parameter"] or "-",
            f"{r['gap']['edges']:.1f}",
            *(f"{r['gap'][g]['edges']:.1f} ({r['gap'][g]['weight']:.2f})" for g in gaps),
        ]
        for r in results
    ]
    head = ["", "matched", "edges per atom", *(f"gap {g} Å" for g in gaps)]
    return (
        "**Across a gap between two Cu(111) slabs**: edges per atom of the facing layers; "
        "in brackets the sum of their weights\n\n" + pages.table(head, lines)
    )


def text(facts: str, results) -> str:
    """Return the text of the page."""
    return "\n".join(
        [
            facts,
            errors_table(results),
            "![Errors of all schemes](figures/rivals_errors.png)\n",
            cost_table(results[0]),
            conservation_table(results[0]),
            "![Energy at constant energy and at boundaries](figures/rivals_energy.png)\n",
            gap_table(results[0]),
        ]
    )


def brief(results) -> list[dict]:
    """Return results without curves."""
    found = []
    for r in results:
        if "run" not in r:
            found.append(r)
            continue
        run = {k: v for k, v in r["run"].items() if k not in ("time_ps", "energy")}
        jumps = {k: v for k, v in r["jumps"].items() if k != "curve"}
        found.append(r | {"run": run, "jumps": jumps})
    return found


def figures(results):
    """Return the figures by name."""
    return {
        "rivals_errors": errors_figure(results),
        "rivals_energy": energy_figure(results[0]),
    }


def errors_figure(results):
    """Return errors and what is left across a gap; whiskers span training subsets."""
    names = [r["name"] for r in results[0]]
    with house_style():
        figure = new_figure(PAGE_WIDTH, 0.27 * len(names) + 1.0)
        panels = figure.subplots(1, 3, sharey=True)
        kinds = (("forces_mae", "force MAE (eV/Å)"), ("energy", "energy RMSE (meV/atom)"))
        for panel, (kind, label) in zip(panels[:2], kinds, strict=True):
            for at, shift, marker in zip(results, (-0.14, 0.16), "oD", strict=False):
                for r in at:
                    _dot(panel, r, kind, names.index(r["name"]) + shift, marker)
            panel.axvline(np.mean(results[0][0]["errors"][kind]), color=INK, lw=0.7, ls=":")
            panel.set_xlabel(label)
        _gap_bars(panels[2], results[0])
        for panel in panels:
            panel.grid(visible=False, axis="y")
            panel.tick_params(axis="y", length=0)
        panels[0].set_yticks(range(len(names)), names)
        panels[0].invert_yaxis()
        edges = [np.median([r["counts"]["edges"] for r in at]) for at in results]
        handles = [
            Line2D([], [], ls="", marker=m, color=GREY, mfc=fill, label=f"{n:.0f} edges")
            for n, m, fill in zip(edges, "oD", (GREY, "white"), strict=False)
        ]
        figure.legend(handles=handles, loc="outside upper right", ncols=2)
    return figure


def _dot(panel, result, kind: str, height: float, marker: str) -> None:
    values, colour = result["errors"][kind], COLOURS[result["name"]]
    panel.plot([min(values), max(values)], [height, height], color=colour, lw=1.1)
    fill = colour if marker == "o" else "white"
    panel.plot(np.mean(values), height, marker, color=colour, ms=5.0, mfc=fill)


def _gap_bars(panel, results) -> None:
    whole = results[0]["gap"][GAP]["weight"]
    for row, r in enumerate(results):
        share = 100 * r["gap"][GAP]["weight"] / whole
        panel.barh(row, share, height=0.6, color=COLOURS[r["name"]])
    panel.set_xlabel(f"weight over {GAP} Å gap (%)")


def energy_figure(results):
    """Return total energies over time, and a boundary of three schemes."""
    by_name = {r["name"]: r for r in results}
    with house_style():
        figure = new_figure(PAGE_WIDTH, 4.6)
        top, bottom = figure.subfigures(2, 1, height_ratios=(1.0, 1.1))
        _runs(top.subplots(1, 2, width_ratios=(1.0, 1.0)), results)
        _boundaries(bottom.subplots(1, 3), by_name)
    return figure


def _runs(panels, results):
    for panel, rough in zip(panels, (True, False), strict=True):
        for r in results:
            if (r["name"] == "K nearest, hard") == rough and r["run"]["drift"]:
                energy = np.array(r["run"]["energy"])
                panel.plot(
                    r["run"]["time_ps"],
                    energy - energy.mean(),
                    color=COLOURS[r["name"]],
                    lw=0.7,
                    label=r["name"],
                )
        panel.set_xlabel("time (ps)")
    panels[0].set_ylabel("change of E (meV/atom)")
    panels[0].set_title("K nearest, hard")
    finer = SHOWN_ENERGY / SHOWN_ENERGY_FINE
    panels[1].set_title(f"all others, scale {finer:g} times finer")
    panels[0].set_ylim(-SHOWN_ENERGY, SHOWN_ENERGY)
    panels[1].set_ylim(-SHOWN_ENERGY_FINE, SHOWN_ENERGY_FINE)


SHOWN_ENERGY, SHOWN_ENERGY_FINE = 10.0, 0.2
"""Ends of the energy axes, meV/atom."""

SHOWN_CURVATURE = 1.0
"""Half the height of a panel of curvatures, eV/A^2."""

SIDES = ("K nearest, hard", "triplet envelope, MEAM switch", "triplet envelope")


def _boundaries(panels, by_name):
    kinds = (
        ("energy", "change of E (meV)", SIDES[0]),
        ("curvature", "change of d²E/dt² (eV/Å²)", SIDES[1]),
        ("curvature", "change of d²E/dt² (eV/Å²)", SIDES[2]),
    )
    for panel, (kind, label, name) in zip(panels, kinds, strict=True):
        if name not in by_name:
            panel.set_axis_off()
            continue
        curve = by_name[name]["jumps"]["curve"]
        t = 1e3 * np.array(curve["offset"])
        y = np.array(curve[kind])
        if kind == "energy":
            y = 1e3 * (y - np.array(curve["slope"])[len(t) // 2] * 1e-3 * t - y.mean())
        else:
            y = y - y.mean()
            panel.set_ylim(-SHOWN_CURVATURE, SHOWN_CURVATURE)
        for side in (t < 0.0, t > 0.0):
            panel.plot(t[side], y[side], color=COLOURS[name])
        panel.axvline(0.0, color=GREY, lw=0.7, ls=":")
        panel.set_xlabel("path (mÅ)")
        panel.set_ylabel(label)
        panel.set_title(name.replace("triplet envelope", "triplets"))
