"""Energies, forces and virials for a driver that moves the atoms (i-PI protocol)."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from trimpot.engines.following import follow
from trimpot.engines.ipi_connection import Wire, force_message, header
from trimpot.engines.singlepoint import check_evaluation, check_placement, check_structure
from trimpot.errors import InputError

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from trimpot.contract import Evaluation, Follower, Potential, Precision, Structure

Ending = Literal["exit", "closed"]


@dataclass(frozen=True)
class Served:
    """What a driver was given.

    Attributes
    ----------
    evaluations : int
        How many structures.
    seconds : float
        Time that the potential took for them.
    lists : int
        How many neighbour lists were made for them.
    ended : {"exit", "closed"}
        Whether the driver sent EXIT or closed the connection, as drivers do at their end
        and when they fail.
    """

    evaluations: int
    seconds: float
    lists: int
    ended: Ending


class Service:
    """A potential that follows the atoms of one driver.

    Neighbour lists are kept from call to call. The structure of the start gives elements,
    periodic directions and total charge, which the protocol does not carry.

    Parameters
    ----------
    potential
        Any potential.
    structure
        The atoms in the order of the driver; it is evaluated at once (``start``).
    skin, threads, precision
        As of ``follow``.
    began
        Told the first structure of the driver and its evaluation.

    Raises
    ------
    InputError
        Element, charge or precision that the potential does not know.
    NonFiniteResultError
        NaN or infinity in the result.
    """

    def __init__(
        self,
        potential: Potential,
        structure: Structure,
        *,
        skin: float = 1.0,
        threads: int = 0,
        precision: Precision = "double",
        began: Callable[[Structure, Evaluation], None] | None = None,
    ) -> None:
        check_structure(structure, potential.species)
        self.structure = structure
        self._follower: Follower = follow(
            potential, skin=skin, threads=threads, precision=precision
        )
        self._began = began
        self._evaluations = 0
        self._seconds = 0.0
        self.start = self._evaluated()
        self._lists_before = self._follower.builds

    def run(self, connection: socket.socket) -> Served:
        """Answer a driver until it ends.

        Raises
        ------
        InputError
            Another number of atoms, positions that are not finite, or a message that is
            none of the protocol.
        NonFiniteResultError
            NaN or infinity in a result.
        """
        wire = Wire(connection)
        try:
            self._answer(wire)
            return self._served("exit")
        except (ConnectionError, TimeoutError):
            return self._served("closed")

    def _answer(self, wire: Wire) -> None:
        """Answer one message after the other up to EXIT."""
        answer = b""
        while (message := wire.header()) != "EXIT":
            if message == "STATUS":
                wire.send(header("HAVEDATA" if answer else "READY"))
            elif message == "INIT":
                wire.skip_init()
            elif message == "POSDATA":
                self.structure = wire.moved(self.structure)
                answer = self._computed()
            elif message == "GETFORCE" and answer:
                wire.send(answer)
                answer = b""
            else:
                raise InputError(
                    f"the driver sent {message!r}, expected STATUS, POSDATA, then "
                    "GETFORCE; it does not speak the i-PI protocol"
                )

    def _computed(self) -> bytes:
        begin = time.perf_counter()
        evaluation = self._evaluated()
        self._seconds += time.perf_counter() - begin
        self._evaluations += 1
        if self._evaluations == 1 and self._began is not None:
            self._began(self.structure, evaluation)
        return force_message(evaluation)

    def _evaluated(self) -> Evaluation:
        check_placement(self.structure)
        evaluation = self._follower.evaluate(self.structure)
        check_evaluation(evaluation, self.structure.numbers)
        return evaluation

    def _served(self, ended: Ending) -> Served:
        lists = self._follower.builds - self._lists_before
        return Served(self._evaluations, self._seconds, lists, ended)
