"""What is judged: any model that gives an ASE calculator, with a key of what it is."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ase.data import chemical_symbols

from trimpot.elements import atomic_number
from trimpot.engines.ase import Calculator
from trimpot.engines.calculator_potential import CalculatorPotential
from trimpot.engines.lammps.calculator import LammpsCalculator, PairLines
from trimpot.errors import InputError
from trimpot.files.potential_file import document_of, load
from trimpot.validation.strict_yaml import keys_of, read_yaml, texts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ase.calculators.calculator import Calculator as AseCalculator

    from trimpot.contract import Potential

LAMMPS_SUFFIXES = (".lammps.yaml", ".lammps.yml")

EXAMPLE = 'lammps: ["pair_style sw", "pair_coeff * * Si.sw Si"], elements: [Si]'


@dataclass(frozen=True)
class Subject:
    """A model that is judged.

    Attributes
    ----------
    name : str
        How tables and figures call it.
    calculator : callable
        Makes a new ASE calculator, of one thread.
    species : tuple of int
        Atomic numbers that it knows.
    key : str
        Tells this model from any other; results are kept under it.
    potential : Potential or None
        The model itself, if it is one of ours.
    lammps : PairLines or None
        Its commands, if it is a pair style of LAMMPS.
    """

    name: str
    calculator: Callable[[], AseCalculator]
    species: tuple[int, ...]
    key: str
    potential: Potential | None = None
    lammps: PairLines | None = None

    @property
    def elements(self) -> tuple[str, ...]:
        """Symbols of the elements that it knows."""
        return tuple(chemical_symbols[z] for z in self.species)


@dataclass(frozen=True)
class _OfPotential:
    potential: Potential

    def __call__(self) -> AseCalculator:
        return Calculator(self.potential, threads=1)


@dataclass(frozen=True)
class _OfLammps:
    lines: PairLines

    def __call__(self) -> AseCalculator:
        return LammpsCalculator(self.lines)


def potential_of(subject: Subject, cutoff: float | None = None) -> Potential:
    """Return the potential of a subject, or its calculator as one.

    Parameters
    ----------
    subject
        A model.
    cutoff
        Of its calculator, see ``CalculatorPotential``.
    """
    if subject.potential is not None:
        return subject.potential
    return CalculatorPotential(subject.calculator, subject.species, cutoff)


def moving_potential(subject: Subject) -> Potential:
    """Return what the embedded engine moves atoms with, which asks for no cutoff."""
    return potential_of(subject, cutoff=0.0)


def subject_of_file(path: str | Path, name: str | None = None) -> Subject:
    """Return the model of a file: ``NAME.trimpot`` or ``NAME.lammps.yaml``.

    Without a name it has that of the file, or the one that the description says.

    Raises
    ------
    FileFormatError, InputError
        If the file is missing or not what it should be.
    """
    lammps = next((s for s in LAMMPS_SUFFIXES if str(path).endswith(s)), None)
    if lammps is not None:
        return _of_description(Path(path), name, Path(path).name.removesuffix(lammps))
    potential = load(path)
    return Subject(
        name or Path(path).stem,
        _OfPotential(potential),
        potential.species,
        _digest(Path(path).read_bytes()),
        potential,
    )


def subject_of_potential(
    potential: Potential, name: str, key: str | None = None
) -> Subject:
    """Return one of our models as a subject.

    Parameters
    ----------
    potential
        Any potential.
    name
        How tables call it.
    key
        See ``Subject``; needed only for potentials that no file can hold.

    Raises
    ------
    InputError
        If it cannot be stored and no key is given.
    """
    if key is None:
        kind, parts, tensors = document_of(potential)
        arrays = [tensors[k].tobytes() for k in sorted(tensors)]
        key = _digest(repr((kind, parts, sorted(tensors))).encode(), *arrays)
    return Subject(name, _OfPotential(potential), potential.species, key, potential)


def subject_of_lammps(lines: PairLines, name: str, files: Sequence[str] = ()) -> Subject:
    """Return a pair style of LAMMPS as a subject; files named in its lines are in its key.

    Parameters
    ----------
    lines
        Its commands.
    name
        How tables call it.
    files
        Names of further files that it reads, in the folder of the lines.
    """
    folder = lines.folder or Path()
    words = {word for line in lines.lines for word in line.split()}
    for file in files:
        if not (folder / file).is_file():
            raise InputError(f"{name}: found no file {folder / file}; see its name")
    named = sorted(word for word in words | set(files) if (folder / word).is_file())
    contents = [(folder / word).read_bytes() for word in named]
    key = _digest(repr((lines.lines, lines.elements, named)).encode(), *contents)
    return Subject(name, _OfLammps(lines), lines.species, key, lammps=lines)


def subject_of_calculator(
    calculator: Callable[[], AseCalculator],
    name: str,
    elements: Sequence[str],
    key: str,
) -> Subject:
    """Return any ASE calculator as a subject.

    Parameters
    ----------
    calculator
        Makes a new one at each call; processes do not share them.
    name
        How tables call it.
    elements
        Symbols that it knows.
    key
        Tells this model, with its settings, from any other.
    """
    species = tuple(sorted(atomic_number(symbol) for symbol in elements))
    return Subject(name, calculator, species, _digest(repr((name, key)).encode()))


def _of_description(path: Path, name: str | None, stem: str) -> Subject:
    where = str(path)
    values = keys_of(
        read_yaml(path), where, needed=("lammps", "elements"), others=("files", "name")
    )
    lines = PairLines(
        texts(values["lammps"], f"{where}: lammps", EXAMPLE),
        texts(values["elements"], f"{where}: elements", EXAMPLE),
        path.resolve().parent,
    )
    files = texts(values.get("files", []), f"{where}: files", "files: [Si.sw]")
    return subject_of_lammps(lines, name or str(values.get("name", stem)), files)


def _digest(*parts: bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()
