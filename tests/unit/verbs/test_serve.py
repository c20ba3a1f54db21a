"""The verb ``serve`` and its command: notes, files, charges, i-PI itself."""

import inspect
import json
import os
import shutil
import subprocess
import sys
import threading
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.socketio import SocketIOCalculator
from ase.io import read, write

from trimpot.cli.app import main
from trimpot.cli.serve import serve as command
from trimpot.engines.ase import Calculator, structure_from_atoms
from trimpot.engines.singlepoint import evaluate
from trimpot.errors import InputError
from trimpot.files import load
from trimpot.verbs.serving import Address, serve

NUMBERS = count()
DOCS = Path(__file__).parents[3] / "docs" / "how-to" / "sockets.md"


def name():
    return f"trimpot_serve_{os.getpid()}_{next(NUMBERS)}"


@pytest.fixture
def tungsten(tmp_path):
    atoms = bulk("W", "bcc", a=3.2, cubic=True) * (2, 2, 2)
    atoms.rattle(0.05, seed=1)
    write(tmp_path / "w.extxyz", atoms)
    return atoms, tmp_path / "w.extxyz"


class Notes(list):
    def note(self, text):
        self.append(text)

    def progress(self, stage, done, total):
        """Nothing has stages here."""


def driven(atoms, socket_name, results):
    """Start a driver of ASE that computes two structures and ends."""

    def work():
        with SocketIOCalculator(unixsocket=socket_name, timeout=60.0) as driver:
            atoms.calc = driver
            for _ in range(2):
                results.append((atoms.get_potential_energy(), atoms.get_forces()))
                atoms.positions[0] += 0.01

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_the_command_serves_and_says_how_many(tungsten, trained, capsys):
    atoms, path = tungsten
    expected = atoms.copy()
    expected.calc = Calculator(load(trained.model))
    socket_name, results = name(), []
    thread = driven(atoms.copy(), socket_name, results)
    arguments = ["serve", str(trained.model), str(path), "--unix", socket_name]
    assert main([*arguments, "--threads", "1"]) == 0
    thread.join()
    assert results[0][0] == pytest.approx(expected.get_potential_energy(), abs=1e-6)
    assert len(results) == 2
    shown = capsys.readouterr()
    assert shown.out.startswith("2 evaluations")
    assert "the driver closed the connection" in shown.out
    assert f"connected to /tmp/ipi_{socket_name}" in shown.err
    first, given = (
        next(line for line in shown.err.splitlines() if part in line).split("energy ")[1]
        for part in ("first structure of the driver", "given")
    )
    assert first == given  # a person sees that both mean the same structure


def test_as_json_and_wrong_usage(tungsten, trained, capsys):
    atoms, path = tungsten
    socket_name, results = name(), []
    thread = driven(atoms.copy(), socket_name, results)
    arguments = ["serve", str(trained.model), str(path), "--unix", socket_name]
    capsys.readouterr()
    assert main([*arguments, "--precision", "mixed", "--json"]) == 0
    thread.join()
    document = json.loads(capsys.readouterr().out)
    assert (document["evaluations"], document["ended"]) == (2, "closed")
    assert main([*arguments, "--port", "31415"]) == 2
    assert "not both" in capsys.readouterr().err
    assert main([*arguments, "--precision", "single"]) == 2
    assert main([*arguments, "--wait", "0.1"]) == 2
    assert "nobody listens" in capsys.readouterr().err


def test_defaults_in_the_help_are_those_of_addresses():
    options = inspect.signature(command, eval_str=True).parameters
    for option in ("host", "port"):
        shown = options[option].annotation.__metadata__[0].show_default
        assert shown == str(getattr(Address(), option))


def test_the_charge_of_the_file_counts(tmp_path):
    pytest.importorskip("torch", reason="networks need PyTorch")
    from network_samples import charged, core, structures

    potential, structure = charged(prior=core()), structures()[1]
    energies = {}
    for charge in (0, 1):
        info = {"charge": charge}
        atoms = Atoms(structure.numbers, structure.positions, info=info)
        write(tmp_path / "ion.extxyz", atoms)
        socket_name, results = name(), []
        thread = driven(atoms.copy(), socket_name, results)
        notes = Notes()
        given = read(tmp_path / "ion.extxyz")
        serve(potential, given, Address(unix=socket_name), threads=1, watcher=notes)
        thread.join()
        energies[charge] = results[0][0]
        direct = evaluate(potential, replace(structure, charge=charge)).energy
        assert results[0][0] == pytest.approx(direct, abs=1e-6)
    assert abs(energies[1] - energies[0]) > 0.1
    given.info["charge"] = 7
    with pytest.raises(InputError, match="7"):
        serve(potential, given, Address(unix="nobody"), wait=0.0)


def ipi_program():
    """Return the program i-PI; where there is none the test is skipped, or must not be."""
    folders = (str(Path(sys.executable).parent), os.environ["PATH"])
    found = shutil.which("i-pi", path=os.pathsep.join(folders))
    if found is None and os.environ.get("TRIMPOT_REQUIRE_ENGINES") == "1":
        pytest.fail("no i-pi, but TRIMPOT_REQUIRE_ENGINES is 1: pip install ipi")
    return found or pytest.skip("needs i-PI: pip install ipi")


def documented_input():
    """Return the input of the how-to page: what is tested is what is shown."""
    text = DOCS.read_text("utf-8")
    return text[text.index("<simulation") : text.index("</simulation>")] + "</simulation>\n"


def test_path_integrals_with_ipi(tungsten, trained, tmp_path):
    program = ipi_program()
    atoms, _ = tungsten
    write(tmp_path / "start.extxyz", atoms)
    socket_name = name()
    text = documented_input().replace("<address> tungsten", f"<address> {socket_name}")
    text = text.replace("<total_steps> 1000", "<total_steps> 40")
    (tmp_path / "input.xml").write_text(text)
    with (tmp_path / "log").open("w") as log:
        driver = subprocess.Popen(
            [program, "input.xml"], cwd=tmp_path, stdout=log, stderr=log
        )
    try:
        served = serve(trained.model, atoms, Address(unix=socket_name), threads=1)
        assert driver.wait(60.0) == 0, (tmp_path / "log").read_text()
    finally:
        driver.kill()
        driver.wait()
        Path(f"/tmp/ipi_{socket_name}").unlink(missing_ok=True)
    assert served.ended == "exit"
    assert 4 * 41 <= served.evaluations <= 4 * 42
    assert served.lists < 10
    table = np.loadtxt(tmp_path / "w.out")
    potential = load(trained.model)
    direct = evaluate(potential, structure_from_atoms(atoms))
    assert table[0, 4] == pytest.approx(direct.energy, rel=1e-6)  # i-PI rounds its units
    assert np.ptp(table[:, 2]) < 1e-3 * len(atoms)  # conserved, eV
    assert np.ptp(table[:, 4]) > 0.1  # and it moved
