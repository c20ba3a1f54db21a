"""Envelopes and structures for the cost of networks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from peers import structures as peers

import trimpot
from trimpot.contract import Structure
from trimpot.engines.ase import structure_from_atoms
from trimpot.envelopes import EnvelopeSettings
from trimpot.networks.mlanet.settings import usual_envelope

from .materials import DATA, Material

NONE = "none"
"""Name of the radial envelope alone."""

USUAL = ((0.3, 1.1), (0.45, 0.9))
LIMITS = (*USUAL, (0.1, 0.9), (0.3, 0.7), (0.45, 1.25), (0.9, 1.7))
RADII = ((0.0, 0.0), (2.5, 4.5), (3.0, 5.0), (3.5, 5.0), (4.0, 6.0))

WATER, CU = "water", "Cu"
SETS = {
    "ethanol": ("rmd17/ethanol_train01", 20),
    "GeTe": ("gete_deepmd/GeTe_random1500", 12),
    "Si": ("mlearn/Si_training", 24),
    "zeolite": ("zeolite_sizeo22/train", 6),
}
"""Files of ../shared/data, and how many frames, evenly spaced."""

Envelopes = dict[str, EnvelopeSettings | None]


def shown(envelope: EnvelopeSettings) -> str:
    """Return limits and radii of an envelope; the default of splines is bold."""
    radii = f"{envelope.inner:g} to {envelope.outer:g} Å" if envelope.outer else "no radii"
    text = f"C {envelope.c_min:g} to {envelope.c_max:g}, {radii}"
    return f"**{text}**" if envelope == EnvelopeSettings() else text


DEFAULT, NETWORKS = shown(EnvelopeSettings()), shown(usual_envelope())
"""Of splines, which the paper's claim is held against, and of networks."""


def envelopes(limits, radii) -> Envelopes:
    """Return all combinations by name, after none and the default."""
    found: Envelopes = {NONE: None, DEFAULT: EnvelopeSettings()}
    for c_min, c_max in limits:
        for inner, outer in radii:
            changes = {"c_min": c_min, "c_max": c_max, "inner": inner, "outer": outer}
            one = replace(EnvelopeSettings(), **changes)
            found[shown(one)] = one
    return found


def few() -> Envelopes:
    """Return the envelopes of the layers of edge products."""
    tight = envelopes(USUAL[1:], ((2.5, 4.5),))
    return envelopes(USUAL[:1], ((0.0, 0.0), (2.5, 4.5), (3.0, 5.0))) | tight


def frames(path: str, number: int) -> tuple[Structure, ...]:
    """Return evenly spaced frames of a file."""
    found = trimpot.read(DATA / f"{path}.extxyz.xz").frames
    return tuple(
        found[k].structure for k in np.linspace(0, len(found) - 1, number).astype(int)
    )


def timed() -> dict[str, Structure]:
    """Return what is timed: water, where its data are present, and copper."""
    water = DATA / "water_deepmd" / "water.extxyz.xz"
    found = {CU: structure_from_atoms(peers.copper(8))}
    if water.exists():
        found = {WATER: structure_from_atoms(peers.read(water, "0:1")[0])} | found
    return found


def small(structure: Structure) -> Structure:
    """Return a cluster of the first eight atoms."""
    first = slice(0, 8)
    return Structure(
        structure.numbers[first],
        structure.positions[first],
        structure.cell,
        structure.pbc,
    )


def counted() -> tuple[list[Material], list[str]]:
    """Return what edges are counted of, and why sets are left out."""
    found = [Material(name, (one,)) for name, one in timed().items()]
    reasons = []
    for name, (path, number) in SETS.items():
        if (DATA / f"{path}.extxyz.xz").exists():
            found.append(Material(name, frames(path, number)))
        else:
            reasons.append(f"{name} left out: no ../shared/data/{path}.extxyz.xz")
    return found, reasons
