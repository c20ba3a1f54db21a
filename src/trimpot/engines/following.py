"""Evaluation of a structure that moves: lists with a skin, kept from call to call."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, get_args

from trimpot.contract import FollowingPotential, Precision
from trimpot.errors import InputError
from trimpot.neighbors import VerletList

if TYPE_CHECKING:
    from trimpot.contract import Evaluation, FloatArray, Follower, Potential, Structure


def follow(
    potential: Potential,
    *,
    skin: float = 1.0,
    threads: int = 0,
    precision: Precision = "double",
) -> Follower:
    """Return an evaluator of one moving structure, the potential's own if it has one.

    Parameters
    ----------
    potential
        Any potential.
    skin
        Extra radius of the neighbour list in angstrom; only speed depends on it.
    threads
        Threads of one evaluation; 0 means all available cores.
    precision
        "double", or "mixed" for potentials that offer it.

    Raises
    ------
    InputError
        Unknown precision, or mixed precision of a potential that has none.
    """
    if precision not in get_args(Precision):
        raise InputError(
            f"precision is {precision!r}, expected {' or '.join(get_args(Precision))}"
        )
    if isinstance(potential, FollowingPotential):
        return potential.follow(skin=skin, threads=threads, precision=precision)
    if precision != "double":
        raise InputError(
            f"precision is {precision!r}, but {type(potential).__name__} computes in "
            "double precision only; leave precision out"
        )
    return ListFollower(potential, skin=skin, threads=threads)


def fastest_precision(potential: Potential) -> Precision:
    """Return "mixed" if the potential offers it, else "double"."""
    try:
        follow(potential, precision="mixed")
    except InputError:
        return "double"
    return "mixed"


class ListFollower:
    """Any potential with a Verlet list."""

    def __init__(self, potential: Potential, *, skin: float, threads: int) -> None:
        self.potential = potential
        self.threads = threads
        self.seconds = {"list": 0.0, "kernels": 0.0}
        self._list = VerletList(potential.cutoff, skin)

    @property
    def builds(self) -> int:
        """Number of neighbour lists built so far."""
        return self._list.builds

    def evaluate(self, structure: Structure) -> Evaluation:
        """Return energies, forces and virial."""
        start = time.perf_counter()
        around = self._list.update(structure)
        middle = time.perf_counter()
        evaluation = self.potential.evaluate(around, threads=self.threads)
        self.seconds["list"] += middle - start
        self.seconds["kernels"] += time.perf_counter() - middle
        return evaluation

    def forces(self, structure: Structure) -> FloatArray:
        """Return the forces."""
        return self.evaluate(structure).forces
