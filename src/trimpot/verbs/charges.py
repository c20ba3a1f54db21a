"""Total charges of data: who uses them, and which of them a network will know."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from trimpot.data.charges import CHARGE_KEYS, charge_key, whole_number
from trimpot.errors import InputError
from trimpot.networks.charges import described, kinds_of, signed
from trimpot.networks.potential import NetworkPotential

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ase import Atoms

    from trimpot.config import NetworkModelSettings
    from trimpot.contract import Potential
    from trimpot.data import Frame
    from trimpot.networks.charges import ChargeStates, Kind
    from trimpot.verbs.preparing import PreparedData


def charges_of(frames: Sequence[Frame]) -> Counter[int]:
    """Return how many frames have each total charge."""
    return Counter(frame.structure.charge for frame in frames)


def unused_charges(frames: Sequence[Frame]) -> list[str]:
    """Return a note for models that know no charges, where frames differ in theirs."""
    found = charges_of(frames)
    return [] if len(found) < 2 else _unused(found)


def _unused(found: Counter[int]) -> list[str]:
    named = ", ".join(f"{signed(q)}: {found[q]}" for q in sorted(found))
    charged = sum(found.values()) - found[0]
    return [
        f"warning: charges of {charged} frames are not used by this model (frames by "
        f"charge: {named}); to it they are as neutral ones. Networks can use them: "
        "model: {kind: mlanet, charges: true}"
    ]


def ignored_charges(potential: Potential, frames: Sequence[Frame]) -> list[str]:
    """Return a note where a potential does not tell charges apart and frames do."""
    found = charges_of(frames)
    return [] if _knows(potential) or set(found) <= {0} else _unused(found)


def charge_notes(potential: Potential, atoms: Sequence[Atoms]) -> list[str]:
    """Return notes on charges of structures that are to be moved.

    Raises
    ------
    InputError
        If one that the potential would use is no whole number.
    """
    if not _knows(potential):
        charged = [one for one in atoms if charge_key(one.info) is not None]
        found = Counter(whole_number(one.info[charge_key(one.info)]) for one in charged)
        if not set(found) - {0, None}:
            return []
        return ["warning: this model knows no charges; to it structures are neutral"]
    silent = sum(charge_key(one.info) is None for one in atoms)
    if not silent:
        return []
    return [
        f"{silent} of {len(atoms)} structures have no field {' or '.join(CHARGE_KEYS)}: "
        "taken as neutral"
    ]


def _knows(potential: Potential) -> bool:
    return isinstance(potential, NetworkPotential) and potential.charges is not None


def known_kinds(settings: NetworkModelSettings, data: PreparedData) -> tuple[Kind, ...]:
    """Return element and total charge of the kinds of atoms a network will know.

    None where it is not to tell charges apart: ``charges: false``, or ``auto`` and fitted
    frames of one charge.

    Raises
    ------
    InputError
        If another frame has an element with a charge that no fitted frame has it with.
    """
    found = charges_of(data.fitted)
    if settings.charges is False or (settings.charges == "auto" and len(found) < 2):
        return ()
    pairs = {
        (number, frame.structure.charge)
        for frame in data.fitted
        for number in frame.structure.numbers.tolist()
    }
    kinds = tuple(sorted(pairs))
    for frame in (*data.train, *data.test):
        if len(frame) == 1 and frame.structure.charge == 0:
            continue  # its energy is that of the isolated atom
        try:
            kinds_of(frame.structure.numbers, frame.structure.charge, kinds)
        except InputError as error:
            raise InputError(
                f"{frame.source}: {error}; ions alone and frames to test do not count as "
                "such. Leave the frame out (data.where), or set model.charges: false"
            ) from error
    return kinds


def charges_in_words(charges: ChargeStates) -> str:
    """Return which total charges a network knows, of which elements, with constants."""
    constants = ", ".join(
        f"{signed(q)} {charges.energies[q]:.4f} eV" for q in charges.charges if q
    )
    known = f"total {described(charges.kinds)}"
    return f"{known}; constants of charges: {constants}" if constants else known
