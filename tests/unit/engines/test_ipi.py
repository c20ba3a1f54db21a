"""The i-PI protocol: what a driver gets, how a service waits, ends and refuses."""

import contextlib
import os
import socket
import threading
import time
from dataclasses import replace
from itertools import count

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.socketio import SocketIOCalculator
from ase.units import Bohr, Hartree

from spline_samples import random_potential, scattered
from toy_potentials import Morse, crystal
from trimpot.contract import Evaluation
from trimpot.engines.ase import Calculator
from trimpot.engines.ipi import Service
from trimpot.engines.ipi_connection import Address, connect, header
from trimpot.errors import InputError

NUMBERS = count()


def silent(_text):
    """Nobody listens to what is told."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return probe.getsockname()[1]


def atoms_of(structure):
    return Atoms(
        structure.numbers, structure.positions, cell=structure.cell, pbc=structure.pbc
    )


@contextlib.contextmanager
def served(service, kind="unix"):
    """A calculator of ASE that is the driver of a service; what the service returned."""
    name = f"trimpot_test_{os.getpid()}_{next(NUMBERS)}"
    place = {"unix": {"unixsocket": name}, "tcp": {"port": free_port()}}[kind]
    address = Address(unix=name) if kind == "unix" else Address(port=place["port"])
    returned = []

    def work():
        with connect(address, wait=20.0, waiting=silent) as connection:
            returned.append(service.run(connection))

    with SocketIOCalculator(timeout=60.0, **place) as driver:
        thread = threading.Thread(target=work)
        thread.start()
        yield driver, returned
    thread.join(20.0)
    assert not thread.is_alive()


@pytest.mark.parametrize("kind", ["unix", "tcp"])
def test_a_driver_gets_the_numbers_of_the_calculator_while_atoms_and_cell_move(kind):
    structure = scattered((14, 74), n=8, shortest=1.9)
    potential = random_potential("uf23", 2)
    service = Service(potential, structure, threads=1)
    there, here = atoms_of(structure), atoms_of(structure)
    here.calc = Calculator(potential, threads=1)
    rng = np.random.default_rng(1)
    with served(service, kind) as (driver, returned):
        there.calc = driver
        for _ in range(300):
            step = 0.004 * rng.normal(size=(len(here), 3))
            strain = np.eye(3) + 2e-4 * rng.normal(size=(3, 3))
            for atoms in (there, here):
                atoms.positions += step
                atoms.set_cell(atoms.cell.array @ strain, scale_atoms=True)
            energy = here.get_potential_energy()
            assert there.get_potential_energy() == pytest.approx(energy, abs=1e-10)
            np.testing.assert_allclose(there.get_forces(), here.get_forces(), atol=1e-10)
            np.testing.assert_allclose(there.get_stress(), here.get_stress(), atol=1e-10)
    assert np.abs(here.get_stress()).max() > 1e-3
    assert returned[0].evaluations == 300
    assert returned[0].lists < 10  # kept from call to call
    assert returned[0].ended == "closed"


def test_a_molecule_without_a_cell_and_one_in_a_box_have_no_images():
    structure = replace(crystal(), pbc=np.zeros(3, dtype=bool), cell=np.zeros((3, 3)))
    direct = atoms_of(structure)
    direct.calc = Calculator(Morse())
    for box in (np.zeros((3, 3)), 3.0 * np.eye(3)):  # smaller than the molecule
        with served(Service(Morse(), structure)) as (driver, _):
            there = Atoms(
                structure.numbers, structure.positions, cell=box, calculator=driver
            )
            energy = there.get_potential_energy()
            assert energy == pytest.approx(direct.get_potential_energy(), abs=1e-10)
            np.testing.assert_allclose(there.get_forces(), direct.get_forces(), atol=1e-10)


class Pair:
    """A service on one end of a pair of sockets; a test is the driver at the other end."""

    def __init__(self, service):
        self.end, other = socket.socketpair()
        self.end.settimeout(20.0)
        self.outcome = None

        def work():
            with other:
                try:
                    self.outcome = service.run(other)
                except InputError as error:
                    self.outcome = error

        self.thread = threading.Thread(target=work)
        self.thread.start()

    def received(self, n):
        found = b""
        while len(found) < n:
            part = self.end.recv(n - len(found))
            assert part, "the service is gone"
            found += part
        return found

    def ended(self):
        self.end.close()
        self.thread.join(20.0)
        return self.outcome


def posdata(structure):
    cell = structure.cell.T / Bohr
    return (
        header("POSDATA")
        + cell.tobytes()
        + np.linalg.pinv(cell).tobytes()
        + np.int32(len(structure)).tobytes()
        + (structure.positions / Bohr).tobytes()
    )


def test_initialization_requests_in_one_piece_and_messages_in_crumbs():
    structure = crystal()
    potential = Morse()
    pair = Pair(Service(potential, structure))
    request = header("INIT") + np.array([3, 5], np.int32).tobytes() + b"bead!"
    request += header("STATUS") + posdata(structure) + header("GETFORCE")
    for start in range(0, len(request), 7):
        pair.end.sendall(request[start : start + 7])
    assert pair.received(12) == b"READY       "
    assert pair.received(12) == b"FORCEREADY  "
    body = pair.received(8 + 4 + 24 * len(structure) + 72 + 4)
    pair.end.sendall(header("STATUS") + header("EXIT"))
    assert pair.received(12) == b"READY       "
    assert pair.ended().ended == "exit"
    expected = atoms_of(structure)
    expected.calc = Calculator(potential)
    energy = np.frombuffer(body[:8])[0] * Hartree
    assert energy == pytest.approx(expected.get_potential_energy(), abs=1e-10)
    virial = np.frombuffer(body[-76:-4]).reshape(3, 3) * Hartree
    minus_stress = virial / structure.volume  # the protocol's virial is -dE/d(strain)
    np.testing.assert_allclose(-minus_stress, expected.get_stress(voigt=False), atol=1e-12)


def test_a_driver_that_breaks_off_in_the_middle_of_a_message_is_a_clean_end():
    pair = Pair(Service(Morse(), crystal()))
    pair.end.sendall(posdata(crystal()) + header("GETFORCE"))
    pair.received(12)
    pair.end.sendall(posdata(crystal())[:100])
    outcome = pair.ended()
    assert (outcome.evaluations, outcome.ended) == (1, "closed")


@pytest.mark.parametrize(
    ("request_", "match"),
    [
        (posdata(replace(crystal(), positions=np.zeros((1, 3)), numbers=[74])), "1 atoms"),
        (
            posdata(replace(crystal(), positions=crystal().positions * np.nan)),
            "position of",
        ),
        (header("GETFORCE"), "'GETFORCE'"),
        (b"HTTP/1.1 400 Bad Request", "does not speak the i-PI"),
    ],
)
def test_what_is_not_of_these_atoms_or_of_the_protocol_is_refused(request_, match):
    pair = Pair(Service(Morse(), crystal()))
    pair.end.sendall(request_)
    pair.thread.join(20.0)
    outcome = pair.ended()
    assert isinstance(outcome, InputError)
    assert match in str(outcome)


class Direct(Morse):
    """Forces that are not the gradient of the energy."""

    conservative = False

    def evaluate(self, neighborhood, *, threads=0):
        found = super().evaluate(neighborhood, threads=threads)
        nothing = np.full((3, 3), np.nan)
        return Evaluation(found.energies, found.forces, nothing, conservative=False)


def test_direct_forces_have_a_virial_of_zero_not_of_nan():
    atoms = atoms_of(crystal())
    with served(Service(Direct(), crystal())) as (driver, _):
        atoms.calc = driver
        assert np.array_equal(atoms.get_stress(), np.zeros(6))


def test_elements_and_precisions_that_the_potential_lacks_are_refused_before_a_driver():
    with pytest.raises(InputError, match="Al"):
        Service(Morse(), replace(crystal(), numbers=np.full(len(crystal()), 13)))
    with pytest.raises(InputError, match="double precision only"):
        Service(Morse(), crystal(), precision="mixed")


def test_a_driver_may_start_later_and_messages_do_not_wait_for_company():
    port, told = free_port(), []
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)

        def later():
            time.sleep(0.5)
            server.bind(("localhost", port))
            server.listen()

        thread = threading.Thread(target=later)
        thread.start()
        with connect(Address(port=port), wait=20.0, waiting=told.append) as connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        thread.join()
    assert len(told) == 1
    assert str(port) in told[0]


@pytest.mark.parametrize("where", ["tcp", "unix"])
def test_nobody_there_is_an_error_that_says_what_to_do(where, tmp_path):
    address = (
        Address(port=free_port())
        if where == "tcp"
        else Address(unix=str(tmp_path / "nobody"))
    )
    with pytest.raises(InputError, match=r"nobody listens on .*start it"):
        connect(address, wait=0.3, waiting=silent)


def test_addresses():
    assert Address(unix="w").path == "/tmp/ipi_w"
    assert Address(unix="./w").path == "./w"
    for wrong in ({"port": 0}, {"port": 65536}, {"unix": ""}):
        with pytest.raises(InputError):
            Address(**wrong)
    with pytest.raises(InputError, match=r"cannot connect to no\.such"):
        connect(Address("no.such.host.invalid"), wait=0.0, waiting=silent)
