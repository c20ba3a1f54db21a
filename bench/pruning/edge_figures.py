"""Figures of which edges survive."""

from __future__ import annotations

import numpy as np
import torch
from matplotlib import colormaps
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize

from trimpot.networks import structure_graph
from trimpot.networks.radial import radial_weights
from trimpot.reports.style import GREY, INK, PAGE_WIDTH, house_style, new_figure

from .counting import elements_of, weighed

MARKERS = ("o", "s", "D", "^", "v")
SHADES = "viridis_r"


def counts_figure(results, cutoffs, limits):
    """Return edges per atom: a row per material, a panel per cutoff, a colour per C_min."""
    names = list(results)
    shades = colormaps["viridis"](np.linspace(0.0, 0.85, len(limits)))
    with house_style():
        figure = new_figure(PAGE_WIDTH, 0.21 * len(names) + 1.0)
        panels = figure.subplots(1, len(cutoffs), sharey=True, sharex=True)
        for panel, cutoff in zip(panels, cutoffs, strict=True):
            for row, name in enumerate(names):
                found = results[name][cutoff]
                all_edges = found["radial"].edges
                fewest = min(found[c].edges for c in limits)
                panel.plot(
                    [fewest, all_edges], [row, row], color="#DDDDDD", lw=1.0, zorder=1
                )
                panel.plot(all_edges, row, "|", color=INK, ms=8, mew=1.6)
                for c, shade, marker in zip(limits, shades, MARKERS, strict=True):
                    panel.plot(found[c].edges, row, marker, color=shade, ms=4.2, mew=0)
            panel.set_xscale("log")
            panel.set_title(f"cutoff {cutoff:g} Å")
            panel.set_xticks([3, 10, 30, 100, 300])
            panel.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
            panel.xaxis.set_minor_formatter(lambda *_: "")
            panel.grid(visible=False, axis="y")
            panel.tick_params(axis="y", length=0)
        panels[0].set_yticks(range(len(names)), names)
        panels[0].invert_yaxis()
        figure.supxlabel("edges per atom", fontsize="medium")
        handles = [panels[0].plot([], [], "|", color=INK, ms=8, mew=1.6)[0]]
        for shade, marker in zip(shades, MARKERS, strict=True):
            handles += panels[0].plot([], [], marker, color=shade, ms=4.2, mew=0)
        labels = ["all within the cutoff", *(f"$C_{{min}}$ {c:g}" for c in limits)]
        figure.legend(
            handles, labels, loc="outside upper center", ncols=6, columnspacing=1.2
        )
    return figure


def neighbours_figure(cases, scheme_of, plain_of):
    """Return pictures of one atom's neighbours: those that are gone are small and grey.

    ``cases`` are (title, structure, atom, axes, sizes): axes are those of the page and the
    line of sight, sizes of markers go by atomic number.
    """
    with house_style():
        figure = new_figure(PAGE_WIDTH, 2.55)
        panels = figure.subplots(1, len(cases))
        for panel, case in zip(panels, cases, strict=True):
            _neighbours(panel, *case, scheme_of, plain_of)
        bar = figure.colorbar(
            ScalarMappable(Normalize(0.0, 1.0), SHADES), ax=panels, shrink=0.75, aspect=25
        )
        bar.set_label("weight S of the pair")
        figure.supxlabel(
            "grey: S = 0, no edge; dashed: cutoff; in water O is large and H small",
            fontsize="medium",
        )
        bar.outline.set_visible(False)
    return figure


def seen_from(structure, atom: int, scheme_of, plain_of):
    """Return vectors to an atom's neighbours, their S (0 where gone) and elements."""
    elements = elements_of([structure])
    scheme, plain = scheme_of(elements), plain_of(elements)
    left = weighed(scheme, structure, elements).edges
    graph = structure_graph(structure, elements, scheme.reach)
    s_e = torch.zeros(graph.edges.shape[1]).double()
    f = radial_weights(scheme.pruning.radial, left.lengths)
    s_e[left.index] = torch.where(f > 0, left.weights / f, 0.0)
    r_ec = graph.displacements()
    near = torch.linalg.vector_norm(r_ec, dim=1) < plain.reach
    chosen = (graph.edges[0] == atom) & near
    kinds = structure.numbers[graph.edges[1, chosen].numpy()]
    return r_ec[chosen].numpy(), s_e[chosen].numpy(), kinds


def _neighbours(panel, title, structure, atom, axes, sizes, scheme_of, plain_of):
    r_jc, s_j, z_j = seen_from(structure, atom, scheme_of, plain_of)
    flat = r_jc @ axes[:2].T
    depth = r_jc @ axes[2]
    order = np.argsort(depth)
    gone = s_j == 0.0
    lines = LineCollection(
        [[(0, 0), flat[j]] for j in order if not gone[j]],
        array=s_j[order][~gone[order]],
        cmap=SHADES,
        norm=Normalize(0, 1),
        linewidths=1.0,
        zorder=2,
    )
    panel.add_collection(lines)
    size = np.array([sizes.get(int(z), 60.0) for z in z_j]) * (1.0 + depth / 14.0)
    panel.scatter(*flat[gone].T, s=0.16 * size[gone], color="#C9CED4", lw=0, zorder=1)
    kept = [j for j in order if not gone[j]]
    panel.scatter(
        *flat[kept].T,
        s=size[kept],
        c=s_j[kept],
        cmap=SHADES,
        vmin=0,
        vmax=1,
        edgecolors="white",
        linewidths=0.6,
        zorder=3,
    )
    own = sizes.get(int(structure.numbers[atom]), 60.0)
    panel.scatter([0], [0], s=1.2 * own, color=INK, edgecolors="white", lw=0.8, zorder=4)
    circle = np.linspace(0, 2 * np.pi, 200)
    panel.plot(6 * np.cos(circle), 6 * np.sin(circle), color=GREY, lw=0.7, ls=(0, (4, 3)))
    panel.set_xlim(-6.4, 6.4)
    panel.set_ylim(-6.4, 6.4)
    panel.set_aspect("equal")
    panel.set_axis_off()
    panel.set_title(f"{title}: {(~gone).sum()} of {len(gone)}", loc="center")
