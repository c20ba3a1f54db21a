"""The verb ``serve``: a potential for a driver that speaks the i-PI protocol."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from trimpot.contract import is_conservative
from trimpot.engines.ase import structure_from_atoms
from trimpot.engines.ipi import Served, Service
from trimpot.engines.ipi_connection import Address, connect
from trimpot.errors import InputError
from trimpot.files import load
from trimpot.verbs.charges import charge_notes
from trimpot.verbs.structures import read_structure
from trimpot.verbs.watching import Silent

if TYPE_CHECKING:
    from ase import Atoms

    from trimpot.contract import Evaluation, Potential, Precision, Structure
    from trimpot.verbs.watching import Watcher

__all__ = ["Address", "Served", "serve", "served_document", "served_lines"]

ENDINGS = {"exit": "the driver ended the run", "closed": "the driver closed the connection"}


def serve(
    model: str | Path | Potential,
    structure: str | Path | Atoms,
    address: Address = Address(),  # noqa: B008 - frozen
    *,
    index: int = -1,
    precision: Precision = "double",
    threads: int = 0,
    wait: float = 30.0,
    watcher: Watcher = Silent(),  # noqa: B008 - has no state
) -> Served:
    """Give a driver energies, forces and virials until it ends.

    Parameters
    ----------
    model
        A potential or the path of its file.
    structure
        Atoms, or a file of any format that ASE reads, in the order of the driver. Elements,
        periodic directions and total charge are taken from it; positions and cell come
        from the driver.
    address
        Where the driver listens.
    index
        Which structure of the file; the last by default.
    precision
        "double", or "mixed" for potentials that offer it.
    threads
        Threads of one evaluation; 0 means all available cores.
    wait
        Seconds to wait for a driver that does not listen yet.
    watcher
        Told where it connects and what the first structure of the driver was.

    Raises
    ------
    InputError, DataError, FileFormatError
        For files or structures that cannot be used, a driver that is not there, or one
        that sends something else than these atoms.
    NonFiniteResultError
        NaN or infinity in a result; the connection is closed.
    """
    if not wait >= 0.0:
        raise InputError(f"wait is {wait} s, expected a number >= 0")
    potential = load(model) if isinstance(model, str | Path) else model
    if isinstance(structure, str | Path):
        atoms = read_structure(structure, index=index)
    else:
        atoms = structure
    for line in charge_notes(potential, [atoms]):
        watcher.note(line)
    if not is_conservative(potential):
        watcher.note(
            "warning: forces are predicted directly, not as the gradient of the energy: "
            "the virial is sent as zero; let the driver keep the volume"
        )
    given = structure_from_atoms(atoms)
    service = Service(
        potential,
        given,
        threads=threads,
        precision=precision,
        began=lambda s, e: watcher.note(_beside("first structure of the driver", s, e)),
    )
    formula = atoms.get_chemical_formula()  # type: ignore[no-untyped-call]
    watcher.note(_beside(f"{formula}, {precision} precision; given", given, service.start))
    with connect(address, wait=wait, waiting=watcher.note) as connection:
        watcher.note(f"connected to {address}")
        return service.run(connection)


def served_lines(served: Served) -> list[str]:
    """Return the result as lines for a person."""
    each = 1e3 * served.seconds / max(served.evaluations, 1)
    return [
        f"{served.evaluations} evaluations, {each:.3g} ms each, {served.lists} new "
        f"neighbour lists; {ENDINGS[served.ended]}"
    ]


def served_document(served: Served) -> dict[str, object]:
    """Return the result, JSON-compatible."""
    return {
        "evaluations": served.evaluations,
        "seconds": served.seconds,
        "lists": served.lists,
        "ended": served.ended,
    }


def _beside(name: str, structure: Structure, evaluation: Evaluation) -> str:
    """Return a line by which a person sees whether both mean the same structure."""
    volume = structure.volume
    cell = f", cell of {volume:.6g} A^3" if volume > 0.0 else ""
    return f"{name}: energy {evaluation.energy:.6f} eV{cell}"
