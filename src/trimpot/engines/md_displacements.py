"""How far atoms move during a run: mean squared displacement and diffusion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trimpot.elements import SYMBOLS
from trimpot.engines.md_nose_hoover import times

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ase import Atoms

    from trimpot.contract import FloatArray

MOST_ATOMS = 20_000
"""Atoms that are followed, evenly chosen from each element."""

BYTES = 32_000_000
FEWEST, MOST = 32, 128
"""Snapshots that are kept: as many as fit into ``BYTES``, but within these bounds."""

GROUPS = 4
"""Parts of a run whose diffusion coefficients give an error."""

FEWEST_IN_GROUP = 5
"""Snapshots of each part below which there is no diffusion coefficient."""

FIT = (0.1, 0.5)
"""Lags of the straight line, as shares of the time they come from."""


@dataclass(frozen=True)
class Diffusion:
    """Diffusion coefficient with its standard error, in A^2/ps (1e-8 m^2/s)."""

    coefficient: float
    error: float


@dataclass(frozen=True)
class Displacements:
    """Mean squared displacement per element.

    Attributes
    ----------
    lag_fs : (k,) float64
        Time differences in fs, from 0 on.
    msd_a2 : dict of str to (k,) float64
        By element, in A^2, averaged over atoms and starting times.
    diffusion : dict of str to Diffusion
        By element, from the slope of the middle lags (Einstein); empty for short runs.
    """

    lag_fs: FloatArray
    msd_a2: dict[str, FloatArray]
    diffusion: dict[str, Diffusion]


class Snapshots:
    """Keeps positions every ``interval`` steps, at most so many that memory is bounded.

    When there are too many, every second one goes. Atoms are not wrapped into the cell.
    Where the cell changes, positions relative to it are kept, so that what the barostat
    stretches is no diffusion.

    Parameters
    ----------
    atoms
        The atoms that move.
    interval : int
        Steps between two looks.
    timestep_fs : float
        Time step in fs.
    changing_cell : bool
        Whether there is a barostat.
    """

    def __init__(
        self, atoms: Atoms, interval: int, *, timestep_fs: float, changing_cell: bool
    ) -> None:
        self.interval = interval
        self.timestep_fs = timestep_fs
        self.changing_cell = changing_cell
        self._followed = followed(np.asarray(atoms.numbers))
        self._numbers = np.asarray(atoms.numbers)[self._followed]
        fit = BYTES // (24 * len(self._followed))
        self._most = int(np.clip(fit, FEWEST, MOST)) // 2 * 2
        self._places: list[FloatArray] = []
        self._cells: list[FloatArray] = []
        self._stride = 1
        self._looks = 0

    def record(self, atoms: Atoms) -> None:
        """Look at the atoms."""
        if self._looks % self._stride == 0 and len(self._places) == self._most:
            self._places, self._cells = self._places[::2], self._cells[::2]
            self._stride *= 2
        if self._looks % self._stride == 0:
            cell = np.array(atoms.cell.array)
            places = atoms.positions[self._followed]
            if self.changing_cell:
                places = times(places, np.linalg.inv(cell))
            self._places.append(places)
            self._cells.append(cell)
        self._looks += 1

    def result(self, start_step: int) -> Displacements | None:
        """Return displacements between snapshots from a step on; None if there are < 2."""
        span = self._stride * self.interval
        first = min(-(-start_step // span), max(0, len(self._places) - 2))
        chosen = slice(first, None)
        if len(self._places[chosen]) < 2:
            return None
        lags: FloatArray = (
            np.arange(len(self._places[chosen]), dtype=np.float64) * span * self.timestep_fs
        )
        msd, diffusion = {}, {}
        for number in np.unique(self._numbers):
            name = SYMBOLS[number]
            curve = self._curve(chosen, self._numbers == number)
            msd[name] = curve
            if len(curve) >= GROUPS * FEWEST_IN_GROUP:
                error = self._error(chosen, self._numbers == number, lags)
                diffusion[name] = Diffusion(slope(lags, curve) / 6.0, error)
        return Displacements(lags, msd, diffusion)

    def state(self) -> dict[str, object]:
        """Return what was kept so far."""
        return {
            "places": np.array(self._places).reshape(-1, len(self._numbers), 3),
            "cells": np.array(self._cells).reshape(-1, 3, 3),
            "stride": self._stride,
            "looks": self._looks,
        }

    def restore(self, state: Mapping[str, object]) -> None:
        """Go on from a state."""
        self._places = list(np.array(state["places"], dtype=np.float64))
        self._cells = list(np.array(state["cells"], dtype=np.float64))
        self._stride = int(str(state["stride"]))
        self._looks = int(str(state["looks"]))

    def _curve(self, chosen: slice, of: np.ndarray) -> FloatArray:
        """Return the mean squared displacement over all starting times, by lag."""
        places = [p[of] for p in self._places[chosen]]
        cells = self._cells[chosen]
        found = np.zeros(len(places))
        for lag in range(1, len(places)):
            squares = []
            for start in range(len(places) - lag):
                moved = places[start + lag] - places[start]
                if self.changing_cell:
                    moved = times(moved, 0.5 * (cells[start] + cells[start + lag]))
                squares.append(np.sum(moved * moved) / len(moved))
            found[lag] = np.mean(squares)
        return found

    def _error(self, chosen: slice, of: np.ndarray, lags: FloatArray) -> float:
        """Return the standard error of the diffusion coefficient, from parts of the run."""
        begin, end = chosen.start, len(self._places)
        size = (end - begin) // GROUPS
        found = []
        for group in range(GROUPS):
            start = end - (group + 1) * size
            curve = self._curve(slice(start, start + size), of)
            found.append(slope(lags[:size], curve) / 6.0)
        return float(np.std(found, ddof=1) / np.sqrt(GROUPS))


def followed(numbers: np.ndarray) -> np.ndarray:
    """Return the indices of the atoms that are followed, ascending."""
    elements = np.unique(numbers)
    limit = MOST_ATOMS // len(elements)
    chosen = []
    for element in elements:
        places = np.flatnonzero(numbers == element)
        chosen.append(places[:: -(-len(places) // limit)])
    return np.sort(np.concatenate(chosen))


def slope(lag_fs: FloatArray, msd_a2: FloatArray) -> float:
    """Return the slope of the middle lags in A^2/ps."""
    last = len(lag_fs) - 1
    low = max(1, int(np.ceil(FIT[0] * last)))
    high = max(low + 1, int(FIT[1] * last))
    time_ps = lag_fs[low : high + 1] / 1000.0
    centred = time_ps - time_ps.mean()
    return float(centred @ msd_a2[low : high + 1] / (centred @ centred))
