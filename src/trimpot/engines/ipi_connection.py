"""The i-PI protocol: where a driver listens, the connection to it, what goes over it.

Messages are 12 characters; numbers are in atomic units, arrays in the order of the memory.

``ase.calculators.socketio.SocketClient`` does the same. It is not used because over TCP it
adds 90 ms to each call (messages in pieces), takes one position for those of all atoms, and
neither waits for a driver nor outlives its loss.

References
----------
M. Ceriotti, J. More, D. E. Manolopoulos, Comput. Phys. Commun. 185, 1019 (2014).
"""

from __future__ import annotations

import socket
import sys
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from ase.units import Bohr, Hartree

from trimpot.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from trimpot.contract import Evaluation, FloatArray, Structure

HEADER_BYTES = 12
RETRY_SECONDS = 0.2
CONNECT_SECONDS = 10.0
UNIX_PREFIX = "/tmp/ipi_"
QUICK_ACK: int | None = getattr(socket, "TCP_QUICKACK", None)  # Linux alone has it


@dataclass(frozen=True)
class Address:
    """Where a driver listens.

    Attributes
    ----------
    host : str
        Name or number of the machine.
    port : int
        TCP port.
    unix : str, optional
        Name of a Unix socket, which replaces host and port: ``/tmp/ipi_NAME``, or a path if
        it has a slash.
    """

    host: str = "localhost"
    port: int = 31415
    unix: str | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.port <= 65535:
            raise InputError(f"port is {self.port}, expected 1 to 65535")
        if self.unix == "":
            raise InputError("the name of the Unix socket is empty, expected a name")

    @property
    def path(self) -> str:
        """Path of the Unix socket."""
        name = self.unix or ""
        return name if "/" in name else UNIX_PREFIX + name

    def __str__(self) -> str:
        return f"{self.host}:{self.port}" if self.unix is None else self.path


def connect(
    address: Address, *, wait: float, waiting: Callable[[str], None]
) -> socket.socket:
    """Return a connection to a driver, which may start to listen a little later.

    Parameters
    ----------
    address
        Where it listens.
    wait
        Seconds until nobody is expected any more.
    waiting
        Told once that nobody listens yet.

    Raises
    ------
    InputError
        If nobody listens in time, or there is no such machine.
    """
    deadline = time.monotonic() + wait
    told = False
    while True:
        try:
            return _connected(address)
        except (ConnectionRefusedError, FileNotFoundError, TimeoutError) as error:
            if time.monotonic() >= deadline:
                raise InputError(
                    f"nobody listens on {address} after {wait:g} s, expected a driver; "
                    "start it, compare its address and port (or the name of its Unix "
                    "socket) with these, or wait longer (--wait)"
                ) from error
        except OSError as error:
            raise InputError(
                f"cannot connect to {address} ({error}); check host and port, or the name "
                "of the Unix socket"
            ) from error
        if not told:
            waiting(f"nobody listens on {address} yet; waiting for up to {wait:g} s")
            told = True
        time.sleep(RETRY_SECONDS)


def _connected(address: Address) -> socket.socket:
    if address.unix is not None:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(address.path)
        except OSError:
            connection.close()
            raise
        return connection
    place = (address.host, address.port)
    connection = socket.create_connection(place, timeout=CONNECT_SECONDS)
    if connection.getsockname() == connection.getpeername():
        connection.close()  # a port of this very call, which happened to be the same
        raise ConnectionRefusedError
    connection.settimeout(None)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


class Wire:
    """Sends and receives messages; ``ConnectionError`` where the other side is gone."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self._quick = QUICK_ACK if connection.family != socket.AF_UNIX else None

    def send(self, *parts: bytes) -> None:
        """Send all parts at once."""
        self.connection.sendall(b"".join(parts))

    def header(self) -> str:
        """Return the next message."""
        return self._bytes(HEADER_BYTES).decode("ascii", "replace").strip()

    def floats(self, *shape: int) -> FloatArray:
        """Return an array of numbers."""
        raw = self._bytes(8 * int(np.prod(shape)))
        return np.frombuffer(raw, np.float64).reshape(shape)

    def integer(self) -> int:
        """Return a whole number."""
        return int.from_bytes(self._bytes(4), byteorder=sys.byteorder, signed=True)

    def skip_init(self) -> None:
        """Receive what follows INIT: number of the bead, parameters; not needed here."""
        self.integer()
        self._bytes(max(self.integer(), 0))

    def moved(self, structure: Structure) -> Structure:
        """Return a structure with the cell and positions that follow POSDATA.

        Raises
        ------
        InputError
            If they are of another number of atoms.
        """
        cell = self.floats(3, 3).T * Bohr
        self.floats(3, 3)  # the inverse cell
        n_atoms = self.integer()
        if n_atoms != len(structure):
            raise InputError(
                f"the driver sent {n_atoms} atoms, expected {len(structure)} as in the "
                "structure; give both the same atoms in the same order"
            )
        positions = self.floats(n_atoms, 3) * Bohr
        return replace(structure, positions=positions, cell=np.ascontiguousarray(cell))

    def _bytes(self, count: int) -> bytes:
        found = bytearray(count)
        view, filled = memoryview(found), 0
        while filled < count:
            received = self.connection.recv_into(view[filled:])
            if received == 0:
                raise ConnectionAbortedError
            filled += received
            if self._quick is not None:
                # Else drivers that send a message in pieces wait 40 ms for each answer.
                self.connection.setsockopt(socket.IPPROTO_TCP, self._quick, 1)
        return bytes(found)


def header(message: str) -> bytes:
    """Return a message as it is sent."""
    return message.encode("ascii").ljust(HEADER_BYTES)


def force_message(evaluation: Evaluation) -> bytes:
    """Return the answer to GETFORCE: energy, forces, virial -dE/d(strain), no extras.

    Forces that are not the gradient of the energy have no virial; zeros are sent.
    """
    virial = evaluation.virial if evaluation.conservative else np.zeros((3, 3))
    return b"".join(
        (
            header("FORCEREADY"),
            np.float64(evaluation.energy / Hartree).tobytes(),
            np.int32(len(evaluation.forces)).tobytes(),
            (evaluation.forces * (Bohr / Hartree)).tobytes(),
            (virial.T / Hartree).tobytes(),
            np.int32(0).tobytes(),
        )
    )
