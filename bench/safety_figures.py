"""Figures of bench/safety.py."""

from __future__ import annotations

from matplotlib.lines import Line2D

from trimpot.reports.style import BLUE, GREEN, GREY, INK, ORANGE, house_style, panel_grid

COLOURS = {"bcc": INK, "fcc": ORANGE, "sc": GREEN, "diamond": BLUE}
CLOSEST, FARTHEST = 0.6, 2.2
"""Lengths over those of the ground state."""

COLUMNS = 4


def crystals(subjects):
    """Return energies of crystals over their nearest distance, a panel per model."""
    with house_style():
        figure, panels = panel_grid(len(subjects), columns=COLUMNS, width=2.2)
        for axes, (name, found) in zip(panels, subjects, strict=True):
            ground = found.ground
            for crystal in found.crystals:
                scan = crystal.scan
                x = scan.scale * crystal.nearest / ground.nearest
                y = scan.energy - ground.energy
                axes.plot(x, y, color=COLOURS[scan.name], linewidth=1.1)
            arrange(axes, name, -ground.energy)
            axes.set_xlabel("nearest distance / $r_0$")
        legend(figure, COLOURS)
    return figure


def squeezed(subjects):
    """Return energies of squeezed frames, dimers and trimers, a panel per model."""
    with house_style():
        figure, panels = panel_grid(len(subjects), columns=COLUMNS, width=2.2)
        for axes, (name, found) in zip(panels, subjects, strict=True):
            ground = found.ground
            for scan in found.frames:
                y = scan.energy - ground.energy
                axes.plot(scan.scale, y, color=BLUE, linewidth=0.6, alpha=0.6)
            for scan, atoms in found.clusters:
                y = scan.energy / atoms - ground.energy
                colour = ORANGE if atoms == 2 else GREEN
                axes.plot(scan.r / ground.nearest, y, color=colour, linewidth=0.8)
            arrange(axes, name, -ground.energy)
            axes.set_xlabel("scale, or bond / $r_0$")
        legend(figure, {"frames": BLUE, "dimer": ORANGE, "trimers": GREEN})
    return figure


def arrange(axes, title: str, cohesion: float) -> None:
    """Set limits and titles; ``cohesion`` is the energy of isolated atoms, eV/atom."""
    axes.axhline(cohesion, color=GREY, linewidth=0.8, linestyle=":")
    axes.set_ylim(-0.07 * cohesion, 1.7 * cohesion)
    axes.set_xlim(CLOSEST, FARTHEST)
    axes.set_title(title)
    axes.set_ylabel("eV/atom")


def legend(figure, colours) -> None:
    """Name the lines below the panels."""
    handles = [Line2D([], [], color=c, label=n) for n, c in colours.items()]
    handles.append(Line2D([], [], color=GREY, linestyle=":", label="isolated atoms"))
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
