"""Faults of the text of a file."""

from __future__ import annotations

import re

import numpy as np

from faults.clean import frame_text, metal, text

FRAME = 5
"""Which frame is damaged."""


def good():
    return text(metal())


def _edited(change, frame=FRAME):
    """The good file with the text of one frame changed."""
    parts = [frame_text(s) for s in metal()]
    parts[frame] = change(parts[frame])
    return "".join(parts)


def _line(number, change):
    """A change of one line of a frame: 0 the number of atoms, 1 the comment, 2 an atom."""

    def edit(frame):
        lines = frame.splitlines()
        lines[number] = change(lines[number])
        return "\n".join(lines) + "\n"

    return edit


def _word(line, position, word):
    words = line.split()
    words[position] = word
    return " ".join(words)


def truncated():
    return "\n".join(text(metal()[:-1]).splitlines()[:-3]) + "\n"


def cut_line():
    return text(metal()[:-1]).rstrip()[:-30]


def count_large():
    return _edited(_line(0, lambda line: str(int(line) + 2)))


def count_small():
    return _edited(_line(0, lambda line: str(int(line) - 2)))


def count_word():
    return _edited(_line(0, lambda _: "sixteen"))


def no_atoms():
    return good() + "0\nProperties=species:S:1:pos:R:3 energy=0.0\n"


def energy_twice():
    return _edited(_line(1, lambda line: line + " energy=-1.0"))


def column_twice():
    def edit(frame):
        lines = frame.replace("forces:R:3", "forces:R:3:forces:R:3").splitlines()
        return "\n".join([*lines[:2], *(line + " 0 0 0" for line in lines[2:])]) + "\n"

    return _edited(edit)


def open_quote():
    return _edited(_line(1, lambda line: line + ' name="half'))


def bad_properties():
    return good().replace("pos:R:3", "pos:R")


def short_row():
    return _edited(_line(3, lambda line: line.rsplit(" ", 1)[0]))


def stars():
    return _edited(_line(4, lambda line: _word(line, 5, "*****")))


def fortran():
    return _edited(_line(4, lambda line: _word(line, 5, "1.0D-3")))


def unknown_element():
    return _edited(_line(4, lambda line: _word(line, 0, "Xx")))


def nan_position():
    return _edited(_line(4, lambda line: _word(line, 2, "nan")))


def nan_force():
    return _edited(_line(4, lambda line: _word(line, 5, "NaN")))


def inf_force():
    return _edited(_line(4, lambda line: _word(line, 5, "inf")))


def _key(pattern, value):
    return _edited(_line(1, lambda line: re.sub(pattern, value, line)))


def nan_energy():
    return _key(r"energy=\S+", "energy=nan")


def energy_word():
    return _key(r"energy=\S+", "energy=low")


def energy_vector():
    return re.sub(r"energy=(\S+)", r'energy="\1 \1"', good())


def nan_stress():
    return _key(r'stress="[^"]*"', 'stress="0 0 0 nan 0 0"')


def stress_three():
    return re.sub(r'stress="[^"]*"', 'stress="0.1 0.2 0.3"', good())


def asymmetric():
    return _key(r'stress="[^"]*"', 'stress="0.1 0.05 0 0 0.1 0 0 0 0.1"')


def nan_cell():
    return _key(r'Lattice="\S+', 'Lattice="nan')


def short_lattice():
    return _key(r'Lattice="\S+ ', 'Lattice="')


def flat_cell():
    return _key(r'Lattice="[^"]*"', 'Lattice="6.4 0 0 0 6.4 0 0 0 0"')


def left_handed():
    swapped = r'Lattice="\4 \5 \6 \1 \2 \3 \7 \8 \9"'
    return re.sub('Lattice="' + " ".join([r"(\S+)"] * 9) + '"', swapped, good())


def no_lattice():
    return _edited(_line(1, lambda line: re.sub(r'(Lattice|stress)="[^"]*" ', "", line)))


def stress_no_cell():
    def edit(line):
        return re.sub(r'Lattice="[^"]*" ', "", line).replace("T T T", "F F F")

    return _edited(_line(1, edit))


def bad_pbc():
    return good().replace('pbc="T T T"', 'pbc="T T"')


def renamed(**names):
    return text(metal(), **names)


def some_misspelt():
    parts = [frame_text(s) for s in metal()]
    for k in range(4, 12):
        parts[k] = parts[k].replace("forces:", "forcs:")
    return "".join(parts)


def mixed_keys():
    parts = [frame_text(s) for s in metal()]
    for k in range(20):
        parts[k] = parts[k].replace(" energy=", " REF_energy=")
    return "".join(parts)


def conflict():
    parts = [frame_text(s) for s in metal()]
    return "".join(p.replace(" energy=", " REF_energy=-3.5 energy=") for p in parts)


def voigt(order):
    """Stresses as six numbers, the last three in an order of our own yz xz xy."""
    parts = []
    for sample in metal():
        words = frame_text(sample)
        if sample.stress is not None:
            s = sample.stress
            six = np.array([s[0, 0], s[1, 1], s[2, 2], s[1, 2], s[0, 2], s[0, 1]])
            row = " ".join(f"{x:.10g}" for x in six[[0, 1, 2, *order]])
            words = re.sub(r'stress="[^"]*"', f'stress="{row}"', words)
        parts.append(words)
    return "".join(parts)
